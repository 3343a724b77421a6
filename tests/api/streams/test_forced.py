"""Streams of liquidations: which orders they tell, and how often."""

from typing import Any

from tests.api.streams.listening import Listening
from tests.history.conftest import Make

from openperp.api.streams.feed import MarketFeed
from openperp.engine.commands import Pulse
from openperp.engine.events import Applied, Event, OrderAccepted, OrderExpired, OrderFilled
from openperp.engine.terms import Cause, OrderStatus, Origin, Side, TimeInForce

SECOND = 1_000


class Told(Listening):
    """Orders of liquidations happen here by word alone."""

    def tell(self, *events: Event) -> None:
        assert isinstance(self.feed, MarketFeed)
        self.feed.absorb(Applied(self.state.seq, self.now_ms, Pulse(), None, events))
        self.collect()


def order(order_id: int, lots: int, filled: int, **changes: Any) -> Any:
    values = {
        "origin": Origin.LIQUIDATION,
        "time_in_force": TimeInForce.IOC,
        "side": Side.SELL,
        "status": OrderStatus.FILLED if lots == filled else OrderStatus.PARTIALLY_FILLED,
        "lots": lots,
        "filled_lots": filled,
        "filled_value": 590_000 * filled,
        **changes,
    }
    return Make.order(order_id, **values)


def filled(order_id: int, lots: int = 10, **changes: Any) -> OrderFilled:
    whole = order(order_id, lots, lots, **changes)
    return OrderFilled(whole, Make.fill(order_id, order_id=order_id, lots=lots))


def sizes(heard: list[Any]) -> list[tuple[str, str]]:
    return [(message["o"]["s"], message["o"]["q"]) for message in heard]


def test_what_is_told_of_a_liquidation() -> None:
    venue = Told()
    heard, all_heard = venue.hear("btcusdt@forceOrder"), venue.hear("!forceOrder@arr")
    part = order(7, 10, 4, updated_ms=venue.now_ms)
    rest = order(
        7, 10, 4, updated_ms=venue.now_ms, status=OrderStatus.EXPIRED, cause=Cause.NO_LIQUIDITY
    )
    fill = Make.fill(1, order_id=7, lots=4)
    venue.tell(OrderAccepted(order(7, 10, 0)), OrderFilled(part, fill), OrderExpired(rest))
    (message,) = heard
    assert message == {
        "e": "forceOrder",
        "E": venue.now_ms,
        "ps": "BTCUSDT",
        "st": 1,
        "o": {
            "s": "BTCUSDT",
            "S": "SELL",
            "o": "LIMIT",
            "f": "IOC",
            "q": "0.01",
            "p": "60000",
            "ap": "59000",
            "X": "EXPIRED",
            "l": "0.004",
            "z": "0.004",
            "T": venue.now_ms,
        },
    }
    assert all_heard == heard


def test_orders_of_accounts_and_of_deleveraging_are_not_told() -> None:
    venue = Told()
    heard = venue.hear("!forceOrder@arr")
    venue.tell(filled(1, origin=Origin.ACCOUNT), filled(2, origin=Origin.DELEVERAGING))
    assert heard == []


def test_of_several_the_largest_and_of_equal_ones_the_latest() -> None:
    venue = Told()
    heard = venue.hear("!forceOrder@arr")
    venue.tell(
        filled(1, 5),
        filled(2, 20, ticks=610_000),
        filled(3, 20, ticks=600_000),
        filled(4, 3, symbol="ETHUSDT", ticks=300_000),
        filled(5, 3, symbol="ETHUSDT", ticks=300_000, side=Side.BUY),
    )
    assert sizes(heard) == [("BTCUSDT", "0.02"), ("ETHUSDT", "0.003")]
    assert (heard[0]["o"]["p"], heard[1]["o"]["S"]) == ("61000", "BUY")
    assert heard[0]["o"]["l"] == "0.02"


def test_a_stream_of_one_symbol_tells_of_no_other() -> None:
    venue = Told()
    heard = venue.hear("ethusdt@forceOrder")
    venue.tell(filled(1))
    venue.tell(filled(2, symbol="ETHUSDT", ticks=300_000))
    assert sizes(heard) == [("ETHUSDT", "0.01")]


def test_at_most_one_of_each_symbol_in_a_second() -> None:
    venue = Told(immediate=False)
    heard = venue.hear("!forceOrder@arr")
    venue.tell(filled(1, 5))
    venue.tell(filled(2, 30))
    venue.tell(filled(3, 7))
    assert sizes(heard) == [("BTCUSDT", "0.005")]
    venue.elapse(SECOND)
    assert sizes(heard)[1:] == [("BTCUSDT", "0.03")]
    venue.elapse(5 * SECOND)
    assert len(heard) == 2
    venue.tell(filled(4, 1))
    assert sizes(heard)[2:] == [("BTCUSDT", "0.001")]


def test_who_has_left_hears_nothing() -> None:
    venue = Told()
    heard: list[Any] = []
    venue.join("!forceOrder@arr", heard.append)
    venue.leave("!forceOrder@arr", heard.append)
    venue.tell(filled(1))
    assert heard == []
