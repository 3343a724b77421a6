"""A venue without sockets whose user events are heard as they come about."""

import json
from typing import Any

from tests.api.offline import OfflineVenue
from tests.api.trader import Trader

from openperp.api.streams.user import user_payloads
from openperp.engine.commands import Command
from openperp.engine.events import Applied

Event = dict[str, Any]


class HeardVenue(OfflineVenue):
    """`heard` holds what was told, account by account, in order."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        self.listening: set[int] = set()
        self.heard: dict[int, list[Event]] = {}
        super().__init__(*args, **settings)

    def apply(self, command: Command) -> Applied:
        applied = super().apply(command)
        for account, name, payload in user_payloads(applied, self.view, self.listening):
            event = json.loads(payload)
            assert event["e"] == name
            assert account in self.listening
            self.heard[account].append(event)
        return applied

    def listen(self, name: str) -> None:
        account = self.state.account_ids[name]
        self.listening.add(account)
        self.heard.setdefault(account, [])

    def take(self, name: str = "alice") -> list[Event]:
        """What the account has heard since the last call."""
        account = self.state.account_ids[name]
        taken, self.heard[account] = self.heard[account], []
        return taken


class Listener(Trader):
    """A trader who hears what comes of its requests."""

    def __init__(self, venue: HeardVenue, name: str = "alice") -> None:
        super().__init__(venue, name)
        self.ears = venue
        venue.listen(name)

    def hear(self) -> list[Event]:
        return self.ears.take(self.name)

    def hear_told(self) -> list[str]:
        """What was heard, as short sentences."""
        return [tell(event) for event in self.hear()]


def tell(event: Event) -> str:
    """One event as a short sentence: its name, and what happened to whom."""
    name = event["e"]
    if name == "ORDER_TRADE_UPDATE":
        order = event["o"]
        return f"order {order['i']} {order['o']} {order['x']} {order['X']} er {order['er']}"
    if name == "ALGO_UPDATE":
        order = event["o"]
        return f"algo {order['aid']} {order['X']}"
    if name == "TRADE_LITE":
        return f"trade of {event['i']}: {event['l']} at {event['L']}"
    if name == "ACCOUNT_UPDATE":
        body = event["a"]
        amounts = [row["pa"] for row in body["P"]]
        return f"account {body['m']} {len(body['B'])} {','.join(amounts)}".rstrip()
    return str(name)
