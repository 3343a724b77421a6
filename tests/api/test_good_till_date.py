"""goodTillDate as it is taken, shown and told."""

from tests.api.offline import START_MS, OfflineVenue
from tests.api.streams.listener import HeardVenue, Listener
from tests.api.trader import ALGO, LIMIT, ORDER, STOP, Trader

from openperp.engine.commands import Pulse

DAY_MS = 86_400_000
DATE_MS = START_MS + 3_600_000
GTD = {"timeInForce": "GTD", "goodTillDate": DATE_MS + 1}


def test_every_reply_shows_it_in_whole_seconds(either: Trader) -> None:
    order = either.limit(**GTD)
    shown = [
        order,
        either.post(ORDER + "/test", **{**LIMIT, **GTD}),
        either.get(ORDER, symbol="BTCUSDT", orderId=order["orderId"]),
        either.get("/fapi/v1/openOrders")[0],
    ]
    assert [(row["timeInForce"], row["goodTillDate"]) for row in shown] == [("GTD", DATE_MS)] * 4


def test_orders_with_and_without_a_date_are_told_apart(either: Trader) -> None:
    """They are written alike but for the date."""
    dates = [
        either.limit(timeInForce="GTD", goodTillDate=date)["goodTillDate"]
        for date in (DATE_MS, DATE_MS + 5_000)
    ]
    assert [*dates, either.limit()["goodTillDate"]] == [DATE_MS, DATE_MS + 5_000, 0]


def test_its_end_is_told() -> None:
    alice = Listener(HeardVenue())
    alice.limit(**GTD)
    (told,) = alice.hear()
    assert (told["o"]["f"], told["o"]["gtd"]) == ("GTD", DATE_MS)
    alice.ears.now_ms = DATE_MS
    alice.ears.apply(Pulse())
    assert alice.hear_told() == ["order 1 LIMIT EXPIRED EXPIRED er 0"]
    (row,) = alice.get("/fapi/v1/allOrders", symbol="BTCUSDT")
    assert (row["status"], row["goodTillDate"]) == ("EXPIRED", DATE_MS)


def test_an_algo_order_has_one() -> None:
    alice = Trader(OfflineVenue("binance"))
    stop = {**STOP, "type": "STOP", "triggerPrice": "65000", "price": "65000", "stopPrice": None}
    reply = alice.post(ALGO, algoType="CONDITIONAL", **{**stop, **GTD})
    assert (reply["timeInForce"], reply["goodTillDate"]) == ("GTD", DATE_MS)
    alice.venue.now_ms = DATE_MS
    alice.venue.apply(Pulse())
    assert alice.get(ALGO, algoId=reply["algoId"])["algoStatus"] == "EXPIRED"


def test_a_gtc_order_is_cancelled_after_a_year(either: Trader) -> None:
    order_id = either.limit()["orderId"]
    either.venue.now_ms += 365 * DAY_MS - 1
    assert either.get(ORDER, symbol="BTCUSDT", orderId=order_id)["status"] == "NEW"
    either.venue.now_ms += 1
    either.venue.apply(Pulse())
    assert either.get("/fapi/v1/openOrders") == []
    entry = either.refused("DELETE", ORDER, symbol="BTCUSDT", orderId=order_id)
    assert (entry.code, entry.explain) == (-2011, f"order {order_id} has ended: CANCELED")
