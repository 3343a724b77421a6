"""priceMatch as it is taken, shown and told."""

from tests.api.offline import OfflineVenue
from tests.api.streams.listener import HeardVenue, Listener
from tests.api.trader import ALGO, BATCH, LIMIT, ORDER, STOP, Trader

MATCHED = {**LIMIT, "price": None, "priceMatch": "QUEUE"}


def test_every_reply_shows_the_price_and_the_match(either: Trader) -> None:
    either.limit(price="50000.1")
    order = either.post(ORDER, **MATCHED)
    element = {name: value for name, value in MATCHED.items() if value is not None}
    shown = [
        order,
        either.post(ORDER + "/test", **MATCHED),
        either.post(BATCH, batchOrders=[element])[0],
        either.get(ORDER, symbol="BTCUSDT", orderId=order["orderId"]),
    ]
    assert [(float(row["price"]), row["priceMatch"]) for row in shown] == [(50000.1, "QUEUE")] * 4
    form = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.02", "priceMatch": "QUEUE"}
    amended = either.ask("PUT", ORDER, orderId=order["orderId"], **form)
    assert (float(amended["price"]), amended["priceMatch"]) == (50000.1, "QUEUE")


def test_the_user_stream_tells_it() -> None:
    alice = Listener(HeardVenue())
    alice.limit()
    alice.post(ORDER, **MATCHED)
    assert [(event["o"]["pm"], event["o"]["p"]) for event in alice.hear()] == [
        ("NONE", "50000"),
        ("QUEUE", "50000"),
    ]


def test_an_algo_order_has_one() -> None:
    alice = Trader(OfflineVenue("binance"))
    alice.limit()
    stop = {**STOP, "type": "STOP", "triggerPrice": "65000", "stopPrice": None}
    reply = alice.post(ALGO, algoType="CONDITIONAL", **stop, priceMatch="QUEUE")
    assert (float(reply["price"]), reply["priceMatch"]) == (50000, "QUEUE")


def test_a_refusal_says_how_deep_the_book_is(either: Trader) -> None:
    either.limit()
    refusal = either.refused("POST", ORDER, **{**MATCHED, "priceMatch": "QUEUE_5"})
    assert refusal.explain == "no price to match: price match QUEUE_5, levels 1"
