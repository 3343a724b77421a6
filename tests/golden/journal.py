"""Frozen journals: records as they were once written, and what they amount to.

A journal file is a sequence of length-prefixed records in their encoding of
that day. Beside it stands its outcome in plain words: wallets, positions,
orders and refusals. Where there is a snapshot, it was taken on the way. None is
ever written anew: a later release must read the one and arrive at the other. What
an outcome tells is what was known at its time: more may be told of later ones. A
new release may add a journal of its own, of a session as `session` makes it then:

    python -m tests.golden.journal NAME
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.golden import session

from openperp.engine import events, liquidation_events
from openperp.engine.apply import apply
from openperp.engine.commands import Record
from openperp.engine.records import OrderRecord
from openperp.engine.rejects import Reject
from openperp.engine.state import State
from openperp.journal.record import decode, encode

FOLDER = Path(__file__).parent
TOLD = {
    events.AssetExchanged,
    events.CountdownFired,
    events.FundingPaid,
    events.FundingSettled,
    events.FundingSkipped,
    liquidation_events.InsuranceCleared,
    liquidation_events.LiquidationStaged,
    events.OrderAmended,
    events.OrderTriggered,
    liquidation_events.PositionDeleveraged,
    events.TradeExecuted,
}
"""What comes of commands rather than with them, and is counted."""


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.journal"))


def read(name: str) -> Iterator[Record]:
    """The records, as they are understood today."""
    data = (FOLDER / f"{name}.journal").read_bytes()
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield decode(data[at + 4 : at + 4 + size])
        at += 4 + size


def outcome(records: list[Record]) -> dict[str, Any]:
    """What the records amount to, in words that outlive the layout of a snapshot."""
    state = State()
    replies: dict[str, int] = {}
    told: dict[str, int] = {}
    causes: dict[str, int] = {}
    for record in records:
        applied = apply(state, record)
        reply = applied.reply
        for event in applied.events:
            if type(event) in TOLD:
                told[type(event).__name__] = told.get(type(event).__name__, 0) + 1
            if isinstance(event, events.OrderExpired | events.OrderCanceled):
                word = event.order.cause.name
                causes[word] = causes.get(word, 0) + 1
        for entry in reply if isinstance(reply, tuple) else (reply,):
            if isinstance(entry, Reject):
                word = f"refused {entry.reason.name}"
            elif isinstance(entry, OrderRecord):
                word = f"order {entry.status.name}"
            else:
                word = type(entry).__name__
            replies[word] = replies.get(word, 0) + 1
    counts = {
        name: dict(sorted(counted.items()))
        for name, counted in (("replies", replies), ("told", told), ("causes", causes))
    }
    return {**counts, **describe(state)}


def describe(state: State) -> dict[str, Any]:
    """The state in plain words."""
    return {
        "seq": state.seq,
        "time_ms": state.time_ms,
        "fee_account": state.fee_account,
        "net_deposits": state.net_deposits,
        "next_order_id": state.next_order_id,
        "next_trade_id": state.next_trade_id,
        "keys": {key.api_key: key.account for key in state.keys.values()},
        "prices": {
            symbol: [market.index_ticks, market.mark_ticks, market.last_ticks]
            for symbol, market in state.markets.items()
        },
        "accounts": {
            account.name: {
                "wallet": account.wallet,
                "order_margin": account.order_margin,
                "positions": {
                    symbol: [position.lots, position.entry_cost, position.leverage]
                    for symbol, position in account.positions.items()
                },
            }
            for account in state.accounts.values()
        },
        **_describe_margin(state),
        "orders": [
            [
                order.order_id,
                order.client_id,
                order.type.name,
                order.side.name,
                order.ticks,
                order.trigger_ticks,
                order.lots,
                order.filled_lots,
                order.armed_lots,
            ]
            for _, order in sorted(state.orders.items())
        ],
    }


def _describe_margin(state: State) -> dict[str, Any]:
    return {
        "insurance": state.insurance,
        "funding": {
            symbol: [market.funding_rate, market.funding_ms, market.premium]
            for symbol, market in state.markets.items()
        },
        "margin": {
            account.name: {
                "fee_tier": account.fee_tier,
                "multi_assets": account.multi_assets,
                "balances": dict(account.balances),
                "set_aside": account.set_aside,
                "collateral": account.collateral,
                "isolated": {
                    key: position.isolated_wallet
                    for key, position in account.positions.items()
                    if position.isolated
                },
            }
            for account in state.accounts.values()
        },
        "expiring": {str(order.order_id): order.expires_ms for order in state.orders.values()},
    }


def main(name: str) -> None:
    path = FOLDER / f"{name}.journal"
    if path.exists():
        raise SystemExit(f"{path.name} is frozen")
    records = session.records(4)
    payloads = [encode(record) for record in records]
    path.write_bytes(b"".join(len(item).to_bytes(4, "big") + item for item in payloads))
    text = json.dumps(outcome(records), indent=1)
    path.with_suffix(".outcome.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
