"""What an account hears of what happens, and in which order."""

import json
from typing import Any

import pytest
from tests.api.streams.listener import Event, HeardVenue, Listener, tell
from tests.api.trader import ALGO, BATCH, LIMIT, ORDER, trade

from openperp.api.errors import OBSTACLE_TEXTS
from openperp.api.streams.user import user_payloads
from openperp.api.streams.user_events import USER_EVENTS, parse_events
from openperp.api.streams.user_orders import EXPIRY_REASONS
from openperp.engine.assets import AssetSpec
from openperp.engine.commands import (
    Batch,
    DefineAsset,
    Deposit,
    Reset,
    SetAssetIndex,
    SetPrice,
    Withdraw,
)
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.terms import OBSTACLES, Cause

STOP_ALGO: dict[str, Any] = {
    "algoType": "CONDITIONAL",
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "STOP_MARKET",
    "quantity": "0.01",
    "triggerPrice": "65000",
}


@pytest.fixture
def alice() -> Listener:
    return Listener(HeardVenue())


@pytest.fixture
def bob(alice: Listener) -> Listener:
    return Listener(alice.ears, "bob")


@pytest.fixture
def modern() -> Listener:
    return Listener(HeardVenue("binance"))


def orders(trader: Listener) -> list[Event]:
    return [event["o"] for event in trader.hear() if event["e"] == "ORDER_TRADE_UPDATE"]


# Orders of the book


def test_placing_and_cancelling_tells_of_the_order_alone(alice: Listener) -> None:
    order_id = alice.limit()["orderId"]
    alice.delete(ORDER, symbol="BTCUSDT", orderId=order_id)
    assert alice.hear_told() == [
        "order 1 LIMIT NEW NEW er 0",
        "order 1 LIMIT CANCELED CANCELED er 0",
    ]


def test_a_fill_is_told_three_times_after_the_order_is_new(alice: Listener, bob: Listener) -> None:
    trade(alice, bob)
    assert alice.hear_told() == [
        "order 2 LIMIT NEW NEW er 0",
        "trade of 2: 0.01 at 60000",
        "account ORDER 1 0.01",
        "order 2 LIMIT TRADE FILLED er 0",
    ]
    assert bob.hear_told() == [
        "order 1 LIMIT NEW NEW er 0",
        "trade of 1: 0.01 at 60000",
        "account ORDER 1 -0.01",
        "order 1 LIMIT TRADE FILLED er 0",
    ]


def test_every_fill_is_told_apart(alice: Listener, bob: Listener) -> None:
    for price in ("60000", "60001"):
        bob.limit(side="SELL", price=price)
    alice.post(ORDER, symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.03")
    events = alice.hear()
    assert [tell(event) for event in events] == [
        "order 3 MARKET NEW NEW er 0",
        "trade of 3: 0.01 at 60000",
        "account ORDER 1 0.01",
        "order 3 MARKET TRADE PARTIALLY_FILLED er 0",
        "trade of 3: 0.01 at 60001",
        "account ORDER 1 0.02",
        "order 3 MARKET TRADE PARTIALLY_FILLED er 0",
        "order 3 MARKET EXPIRED EXPIRED er 9",
    ]
    last = events[-2]["o"]
    assert (last["l"], last["z"], last["L"], last["ap"]) == ("0.01", "0.02", "60001", "60000.5")
    assert (last["n"], last["N"], last["m"], last["t"]) == ("0.30000500", "USDT", False, 2)
    ended = events[-1]["o"]
    assert (ended["l"], ended["z"], ended["L"], ended["t"]) == ("0", "0.02", "0", 0)


def test_what_is_left_of_an_ioc_order_expires(alice: Listener) -> None:
    alice.limit(timeInForce="IOC")
    assert alice.hear_told()[-1] == "order 1 LIMIT EXPIRED EXPIRED er 2"


def test_a_refused_order_tells_nothing(alice: Listener) -> None:
    alice.limit(side="SELL", price="60000")
    alice.hear()
    for time_in_force in ("FOK", "GTX"):
        terms = {"timeInForce": time_in_force, "price": "60000", "quantity": "0.1"}
        alice.refused("POST", ORDER, **{**LIMIT, **terms})
    assert alice.hear() == []


def test_the_fees_the_profit_and_the_position_of_a_close(alice: Listener, bob: Listener) -> None:
    trade(alice, bob)
    alice.venue.price("BTCUSDT", 610_000)
    alice.hear()
    bob.limit(price="61000", quantity="0.01")
    alice.post(ORDER, symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.004")
    _, _, account, update = alice.hear()
    assert (update["o"]["rp"], update["o"]["n"]) == ("4.00000000", "0.12200000")
    assert account["a"]["B"] == [
        {"a": "USDT", "wb": "10003.57800000", "cw": "10003.57800000", "bc": "0.00000000"}
    ]
    (position,) = account["a"]["P"]
    assert (position["pa"], position["ep"], position["cr"]) == ("0.006", "60000", "4.00000000")
    assert (position["up"], position["mt"], position["ps"]) == ("6.00000000", "cross", "BOTH")
    risk = alice.get("/fapi/v2/positionRisk", symbol="BTCUSDT")[0]
    assert position["bep"] == risk["breakEvenPrice"]


def test_the_fee_and_the_break_even_of_another_tier(alice: Listener, bob: Listener) -> None:
    alice.venue.operator("POST", "accounts/alice/fee_tier", tier=9)
    trade(alice, bob)
    _, _, account, update = alice.hear()
    assert update["o"]["n"] == "0.10200000"
    (position,) = account["a"]["P"]
    risk = alice.get("/fapi/v2/positionRisk", symbol="BTCUSDT")[0]
    assert position["bep"] == risk["breakEvenPrice"] == str(round(60000 * 1.00017 / 0.99983, 5))


def test_a_displaced_order_says_that_others_go_first(alice: Listener, bob: Listener) -> None:
    trade(alice, bob)
    resting = alice.limit(side="SELL", price="61000", reduceOnly="true")["orderId"]
    full = {**LIMIT, "side": "SELL", "price": "62000", "reduceOnly": "true"}
    assert alice.refused("POST", ORDER, **full).code == -2022
    alice.hear()
    alice.limit(side="SELL", price="60500", reduceOnly="true", quantity="0.005")
    assert alice.hear_told() == [
        "order 4 LIMIT NEW NEW er 0",
        f"order {resting} LIMIT EXPIRED EXPIRED er 4",
    ]


def test_a_wallet_that_a_fill_leaves_alone_is_not_listed(alice: Listener, bob: Listener) -> None:
    terms = {"tick": "0.1", "lot": "0.1", "price": "10", "maker_fee": "0", "taker_fee": "0"}
    alice.venue.operator("POST", "instruments", symbol="FREEUSDT", **terms)
    order = {"symbol": "FREEUSDT", "price": "10", "quantity": "1"}
    bob.limit(side="SELL", **order)
    alice.limit(**order)
    *_, account, update = alice.hear()
    assert account["a"]["B"] == []
    assert not {"N", "n"} & update["o"].keys()


def test_notionals_are_those_of_the_book_afterwards(alice: Listener) -> None:
    first = alice.limit(quantity="0.01")["orderId"]
    alice.limit(quantity="0.02", price="50100")
    alice.limit(quantity="0.01", side="SELL", price="70000")
    alice.delete(ORDER, symbol="BTCUSDT", orderId=first)
    assert [(order["b"], order["a"]) for order in orders(alice)] == [
        ("500.00000000", "0.00000000"),
        ("1502.00000000", "0.00000000"),
        ("1502.00000000", "700.00000000"),
        ("1002.00000000", "700.00000000"),
    ]


def test_a_reduce_only_order_whose_position_is_gone(alice: Listener, bob: Listener) -> None:
    trade(alice, bob)
    alice.limit(side="SELL", price="61000", reduceOnly="true")
    alice.hear()
    bob.limit(price="59000")
    alice.post(ORDER, symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.01")
    assert alice.hear_told() == [
        "order 5 MARKET NEW NEW er 0",
        "trade of 5: 0.01 at 59000",
        "account ORDER 1 0",
        "order 5 MARKET TRADE FILLED er 0",
        "order 3 LIMIT EXPIRED EXPIRED er 4",
    ]


def test_a_batch_tells_of_each_order(alice: Listener) -> None:
    ids = [alice.limit()["orderId"] for _ in range(3)]
    alice.hear()
    alice.delete(BATCH, symbol="BTCUSDT", orderIdList=[ids[2], 99, ids[0]])
    assert alice.hear_told() == [
        "order 3 LIMIT CANCELED CANCELED er 0",
        "order 1 LIMIT CANCELED CANCELED er 0",
    ]


# The account


def test_transfers(alice: Listener) -> None:
    alice.venue.apply(
        Batch((Deposit("alice", "USDT", MONEY_ONE), Withdraw("alice", "USDT", 2 * MONEY_ONE)))
    )
    deposit, withdrawal = (event["a"] for event in alice.hear())
    assert (deposit["m"], deposit["P"]) == ("DEPOSIT", [])
    assert deposit["B"] == [
        {"a": "USDT", "wb": "10001.00000000", "cw": "10001.00000000", "bc": "1.00000000"}
    ]
    assert (withdrawal["m"], withdrawal["B"][0]["bc"]) == ("WITHDRAW", "-2.00000000")


def pool(alice: Listener) -> None:
    """Alice gets a BTC, and all her assets are her margin."""
    alice.venue.apply(DefineAsset(AssetSpec("BTC", 60_000 * MONEY_ONE, 50_000)))
    alice.venue.apply(Deposit("alice", "BTC", MONEY_ONE))
    alice.post("/fapi/v1/multiAssetsMargin", multiAssetsMargin="true")


def test_other_assets_and_their_mode(alice: Listener) -> None:
    pool(alice)
    deposit, mode = alice.hear()
    btc = {"a": "BTC", "wb": "1.00000000", "cw": "1.00000000", "bc": "1.00000000"}
    assert deposit["a"] == {"m": "DEPOSIT", "B": [btc], "P": []}
    assert (mode["e"], mode["ai"]) == ("ACCOUNT_CONFIG_UPDATE", {"j": True})


def test_an_exchange_lists_what_went_and_what_came(alice: Listener, bob: Listener) -> None:
    pool(alice)
    alice.venue.apply(Deposit("bob", "USDT", 10**15))
    alice.venue.operator("POST", "instruments", symbol="BTCUSDT", price_guards=False)
    trade(alice, bob, quantity="1")
    trade(bob, alice, quantity="1", price="48000")
    exchanged = alice.hear()[-1]
    # 10000 less 12000 and fees of 30 and 9.6; 2039.6 / 60000 = 0.03399333...
    assert exchanged["a"] == {
        "m": "AUTO_EXCHANGE",
        "B": [
            {"a": "BTC", "wb": "0.96600666", "cw": "0.96600666", "bc": "-0.03399334"},
            {"a": "USDT", "wb": "0.00040000", "cw": "0.00040000", "bc": "2039.60040000"},
        ],
        "P": [],
    }


def test_a_margin_call_for_a_falling_index(alice: Listener, bob: Listener) -> None:
    pool(alice)
    alice.venue.apply(Deposit("bob", "USDT", 10**15))
    trade(alice, bob, quantity="20")
    alice.venue.apply(SetPrice("BTCUSDT", 598_500))
    alice.hear()
    told = []
    # 9400 less 3000; maintenance is 0.65 % of 1197000 less 1500, and 125 % of that 7850.625.
    for index in (60_000, 2_000, 1_000, 900):
        alice.venue.apply(SetAssetIndex("BTC", index * MONEY_ONE))
        told += alice.hear()
    (call,) = told
    assert (call["e"], call["cw"]) == ("MARGIN_CALL", "10350.00000000")


def test_margin_calls_come_once_until_the_account_has_recovered(
    alice: Listener, bob: Listener
) -> None:
    trade(alice, bob, quantity="3")
    alice.hear()
    told = []
    for ticks in (580_000, 569_500, 569_400, 580_000, 569_500):
        alice.venue.apply(SetPrice("BTCUSDT", ticks))
        told.append(alice.hear_told())
    assert told == [[], ["MARGIN_CALL"], [], [], ["MARGIN_CALL"]]
    assert bob.hear_told()[-1] != "MARGIN_CALL"


def test_an_isolated_position_is_called_for_by_itself(alice: Listener, bob: Listener) -> None:
    alice.post("/fapi/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    trade(alice, bob, quantity="1")
    trade(alice, bob, quantity="1", symbol="ETHUSDT", price="3000")
    alice.hear()
    alice.venue.apply(SetPrice("BTCUSDT", 572_500))
    (call,) = alice.hear()
    assert (call["e"], "cw" in call) == ("MARGIN_CALL", False)
    # Maintenance is 0.4 % of 57250, and 3000 - 2750 are left.
    assert call["p"] == [
        {
            "s": "BTCUSDT",
            "ps": "BOTH",
            "pa": "1",
            "mt": "ISOLATED",
            "iw": "3000.00000000",
            "mp": "57250",
            "up": "-2750.00000000",
            "mm": "229.00000000",
        }
    ]
    alice.venue.apply(SetPrice("BTCUSDT", 572_400))
    alice.post("/fapi/v1/positionMargin", symbol="BTCUSDT", amount="1000", type=1)
    (moved,) = alice.hear()
    alice.venue.apply(SetPrice("BTCUSDT", 572_500))
    alice.venue.apply(SetPrice("BTCUSDT", 562_500))
    (call,) = alice.hear()
    assert (moved["a"]["m"], call["e"]) == ("MARGIN_TRANSFER", "MARGIN_CALL")


def test_margin_is_told_of_when_it_moves(alice: Listener, bob: Listener) -> None:
    alice.post("/fapi/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    (typed,) = alice.hear()
    flat = {
        "s": "BTCUSDT",
        "pa": "0",
        "ep": "0",
        "bep": "0",
        "cr": "0.00000000",
        "up": "0.00000000",
        "mt": "isolated",
        "iw": "0.00000000",
        "ps": "BOTH",
    }
    assert typed["a"] == {"m": "MARGIN_TYPE_CHANGE", "B": [], "P": [flat]}

    trade(alice, bob, quantity="1")
    (filled,) = [event["a"] for event in alice.hear() if event["e"] == "ACCOUNT_UPDATE"]
    balance = {"a": "USDT", "wb": "9970.00000000", "cw": "6970.00000000", "bc": "0.00000000"}
    assert (filled["m"], filled["B"]) == ("ORDER", [balance])
    assert (filled["P"][0]["mt"], filled["P"][0]["iw"]) == ("isolated", "3000.00000000")

    alice.post("/fapi/v1/positionMargin", symbol="BTCUSDT", amount="70", type=1)
    (moved,) = alice.hear()
    assert (moved["e"], moved["a"]["m"]) == ("ACCOUNT_UPDATE", "MARGIN_TRANSFER")
    assert moved["a"]["B"] == [{**balance, "cw": "6900.00000000"}]
    assert moved["a"]["P"] == [{**filled["P"][0], "iw": "3070.00000000"}]
    alice.venue.apply(Deposit("alice", "USDT", MONEY_ONE))
    (paid,) = alice.hear()
    assert paid["a"]["B"][0]["cw"] == "6901.00000000"


def test_prices_of_other_markets_call_no_margin(alice: Listener, bob: Listener) -> None:
    trade(alice, bob, quantity="3")
    alice.venue.apply(SetPrice("BTCUSDT", 580_000))
    alice.hear()
    alice.venue.apply(SetPrice("ETHUSDT", 100_000))
    assert alice.hear() == []


def test_a_reset_tells_nothing(alice: Listener) -> None:
    alice.limit()
    alice.hear()
    alice.venue.apply(Reset())
    assert alice.hear() == []


# Who hears what


def test_each_hears_of_itself_alone(alice: Listener) -> None:
    bob = Listener(alice.ears, "bob")
    alice.ears.listening.remove(1)
    alice.limit()
    assert bob.hear() == []
    assert alice.ears.take("alice") == []


def test_times_are_those_of_the_record(alice: Listener) -> None:
    alice.venue.now_ms += 12_345
    alice.limit()
    (event,) = alice.hear()
    assert event["E"] == event["T"] == event["o"]["T"] == alice.venue.now_ms


def test_a_trade_with_oneself_tells_both_sides(alice: Listener) -> None:
    trade(alice, alice)
    assert alice.hear_told() == [
        "order 1 LIMIT NEW NEW er 0",
        "order 2 LIMIT NEW NEW er 0",
        "trade of 1: 0.01 at 60000",
        "account ORDER 1 -0.01",
        "order 1 LIMIT TRADE FILLED er 0",
        "trade of 2: 0.01 at 60000",
        "account ORDER 1 0",
        "order 2 LIMIT TRADE FILLED er 0",
    ]


# Trigger orders


def fire(trader: Listener, ticks: int = 650_000) -> None:
    trader.venue.price("BTCUSDT", ticks)


def test_a_stop_of_the_order_endpoint_speaks_as_an_order_alone(
    alice: Listener, bob: Listener
) -> None:
    bob.limit(side="SELL", price="65000")
    alice.stop()
    fire(alice)
    assert alice.hear_told() == [
        "order 2 STOP_MARKET NEW NEW er 0",
        "order 2 MARKET NEW NEW er 0",
        "trade of 2: 0.01 at 65000",
        "account ORDER 1 0.01",
        "order 2 MARKET TRADE FILLED er 0",
    ]


def test_an_algo_order_speaks_as_an_order_too(alice: Listener) -> None:
    alice.post(ALGO, **STOP_ALGO)
    alice.delete(ALGO, algoId=1)
    assert alice.hear_told() == [
        "algo 1 NEW",
        "order 1 STOP_MARKET NEW NEW er 0",
        "algo 1 CANCELED",
        "order 1 STOP_MARKET CANCELED CANCELED er 0",
    ]


def test_a_modern_algo_order_speaks_as_an_order_once_it_has_fired(modern: Listener) -> None:
    bob = Listener(modern.ears, "bob")
    bob.limit(side="SELL", price="65000")
    modern.post(ALGO, **STOP_ALGO)
    fire(modern)
    events = modern.hear()
    assert [tell(event) for event in events] == [
        "algo 2 NEW",
        "algo 2 TRIGGERING",
        "algo 2 TRIGGERED",
        "order 2 MARKET NEW NEW er 0",
        "trade of 2: 0.010 at 65000.00",
        "account ORDER 1 0.010",
        "order 2 MARKET TRADE FILLED er 0",
        "algo 2 FINISHED",
    ]
    finished = events[-1]["o"]
    assert (finished["ai"], finished["act"], finished["o"]) == ("2", "MARKET", "STOP_MARKET")
    assert (finished["ap"], finished["aq"]) == ("65000.00000", "0.010")
    assert finished["tt"] == modern.venue.now_ms
    assert events[3]["o"]["ot"] == "STOP_MARKET"


def test_a_modern_algo_order_that_is_cancelled(modern: Listener) -> None:
    modern.post(ALGO, **STOP_ALGO)
    modern.delete(ALGO, algoId=1)
    assert modern.hear_told() == ["algo 1 NEW", "algo 1 CANCELED"]


def test_a_fired_limit_order_is_finished_when_it_is_cancelled(modern: Listener) -> None:
    modern.post(ALGO, **{**STOP_ALGO, "type": "STOP", "price": "64000"})
    fire(modern)
    modern.delete(ORDER, symbol="BTCUSDT", orderId=1)
    assert modern.hear_told() == [
        "algo 1 NEW",
        "algo 1 TRIGGERING",
        "algo 1 TRIGGERED",
        "order 1 LIMIT NEW NEW er 0",
        "order 1 LIMIT CANCELED CANCELED er 0",
        "algo 1 FINISHED",
    ]


def test_a_market_order_without_a_book_has_entered_all_the_same(modern: Listener) -> None:
    modern.post(ALGO, **STOP_ALGO)
    fire(modern)
    assert modern.hear_told()[2:] == [
        "algo 1 TRIGGERED",
        "order 1 MARKET NEW NEW er 0",
        "order 1 MARKET EXPIRED EXPIRED er 9",
        "algo 1 FINISHED",
    ]


@pytest.mark.parametrize("dialect", ["ztdx", "binance"])
def test_a_fired_order_without_margin_is_rejected_with_a_reason(dialect: str) -> None:
    alice = Listener(HeardVenue(dialect))
    alice.post(ALGO, **{**STOP_ALGO, "type": "STOP", "price": "65000", "quantity": "3"})
    alice.venue.apply(Withdraw("alice", "USDT", 9_000 * MONEY_ONE))
    alice.hear()
    fire(alice)
    events = alice.hear()
    own = ["order 1 LIMIT EXPIRED EXPIRED er 8"] if dialect == "ztdx" else []
    assert [tell(event) for event in events] == ["algo 1 TRIGGERING", "algo 1 REJECTED", *own]
    rejected = events[1]["o"]
    assert (rejected["rm"], rejected["ai"]) == ("Margin is insufficient.", "")
    assert alice.get(ALGO, algoId=1)["algoStatus"] == "REJECTED"


@pytest.fixture
def bounded(modern: Listener) -> Listener:
    """A buyer's stop for 2 at 101, where mark price is 100 and holds takers to 5 % of it."""
    terms = {"symbol": "XYZUSDT", "tick": "0.1", "lot": "0.001", "price": "100"}
    modern.venue.operator("POST", "instruments", **terms, price_guards=True)
    modern.post(ALGO, **{**STOP_ALGO, "symbol": "XYZUSDT", "triggerPrice": "101", "quantity": "2"})
    modern.hear()
    return modern


def test_a_fired_order_without_a_price_inside_its_bound_is_rejected(bounded: Listener) -> None:
    Listener(bounded.ears, "bob").limit(symbol="XYZUSDT", side="SELL", price="106.1", quantity="1")
    bounded.venue.price("XYZUSDT", 1_010)
    events = bounded.hear()
    assert [tell(event) for event in events] == ["algo 1 TRIGGERING", "algo 1 REJECTED"]
    text = "The counterparty's best price does not meet the PERCENT_PRICE filter limit"
    assert (events[1]["o"]["rm"], events[1]["o"]["ai"]) == (text, "")
    assert bounded.get(ALGO, algoId=1)["algoStatus"] == "REJECTED"


def test_a_fired_order_sweeps_no_further_than_its_bound(bounded: Listener) -> None:
    bob = Listener(bounded.ears, "bob")
    for price in ("106", "106.1"):
        bob.limit(symbol="XYZUSDT", side="SELL", price=price, quantity="1")
    bounded.venue.price("XYZUSDT", 1_010)
    assert bounded.hear_told() == [
        "algo 1 TRIGGERING",
        "algo 1 TRIGGERED",
        "order 1 MARKET NEW NEW er 0",
        "trade of 1: 1.000 at 106.0",
        "account ORDER 1 1.000",
        "order 1 MARKET TRADE PARTIALLY_FILLED er 0",
        "order 1 MARKET EXPIRED EXPIRED er 9",
        "algo 1 FINISHED",
    ]


def test_a_stop_whose_position_is_gone_expires(modern: Listener) -> None:
    bob = Listener(modern.ears, "bob")
    trade(modern, bob)
    close = {**STOP_ALGO, "side": "SELL", "triggerPrice": "55000", "reduceOnly": "true"}
    child = {"takeProfitPrice": "62000"}
    modern.post(ALGO, **close)
    modern.hear()
    bob.limit(price="59000", quantity="0.02")
    modern.post(ORDER, symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.01")
    assert modern.hear_told()[-1] == "order 5 MARKET TRADE FILLED er 0"
    modern.limit(price="61000", quantity="0.01", **child)
    bob.limit(side="SELL", price="61000", quantity="0.01")
    modern.hear()
    modern.post(ORDER, symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.01")
    assert "algo 7 EXPIRED" in modern.hear_told()


def test_cancelling_a_parent_tells_of_each_child(alice: Listener) -> None:
    parent = alice.limit(takeProfitPrice="70000", stopLossPrice="40000")["orderId"]
    alice.hear()
    alice.delete(BATCH, symbol="BTCUSDT", orderIdList=[parent])
    told = [sentence for sentence in alice.hear_told() if sentence.startswith("order")]
    assert told == [
        "order 1 LIMIT CANCELED CANCELED er 0",
        "order 2 TAKE_PROFIT_MARKET CANCELED CANCELED er 0",
        "order 3 STOP_MARKET CANCELED CANCELED er 0",
    ]


def test_a_trailing_stop_says_what_it_follows(alice: Listener) -> None:
    trailing = {"type": "TRAILING_STOP_MARKET", "stopPrice": None, "callbackRate": "0.5"}
    alice.stop(activationPrice="59000", **trailing)
    alice.venue.price("BTCUSDT", 590_000)
    alice.venue.price("BTCUSDT", 595_000)
    new, fired, *_ = orders(alice)
    assert (new["AP"], new["cr"], new["sp"]) == ("59000", "0.5", "0")
    assert (fired["o"], fired["ot"]) == ("MARKET", "TRAILING_STOP_MARKET")


def test_a_trailing_stop_without_activation_price_follows_at_once(modern: Listener) -> None:
    terms = {"type": "TRAILING_STOP_MARKET", "triggerPrice": None, "callbackRate": "0.5"}
    modern.post(ALGO, **{**STOP_ALGO, **terms})
    modern.post(ALGO, **{**STOP_ALGO, **terms}, activatePrice="59000")
    assert [event["o"]["ia"] for event in modern.hear()] == [True, False]


def test_a_trailing_stop_says_when_it_begins_to_follow(modern: Listener) -> None:
    terms = {"type": "TRAILING_STOP_MARKET", "triggerPrice": None, "callbackRate": "0.5"}
    modern.post(ALGO, **{**STOP_ALGO, **terms}, activatePrice="59000")
    modern.venue.price("BTCUSDT", 590_000)
    modern.venue.price("BTCUSDT", 589_000)
    told = [(event["e"], event["o"]["X"], event["o"]["ia"]) for event in modern.hear()]
    assert told == [("ALGO_UPDATE", "NEW", False), ("ALGO_UPDATE", "NEW", True)]

    modern.venue.price("BTCUSDT", 595_000)
    fired = [event["o"] for event in modern.hear() if event["e"] == "ALGO_UPDATE"]
    assert {(row["X"], row["ia"]) for row in fired} >= {("TRIGGERING", True), ("TRIGGERED", True)}


def test_a_cancelled_trailing_stop_still_says_whether_it_followed(modern: Listener) -> None:
    terms = {"type": "TRAILING_STOP_MARKET", "triggerPrice": None, "callbackRate": "0.5"}
    for activation in ("59000", "58000"):
        modern.post(ALGO, **{**STOP_ALGO, **terms}, activatePrice=activation)
    modern.venue.price("BTCUSDT", 590_000)
    modern.hear()
    modern.delete("/fapi/v1/algoOpenOrders", symbol="BTCUSDT")
    told = [(event["o"]["X"], event["o"]["ia"]) for event in modern.hear()]
    assert told == [("CANCELED", True), ("CANCELED", False)]


def test_every_cause_has_a_reason() -> None:
    assert set(EXPIRY_REASONS) == set(Cause)
    assert set(EXPIRY_REASONS.values()) <= set("0123456789")
    assert set(OBSTACLE_TEXTS) == OBSTACLES


# Names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", USER_EVENTS),
        ("/", USER_EVENTS),
        ("TRADE_LITE", {"TRADE_LITE", "listenKeyExpired"}),
        ("ACCOUNT_UPDATE/TRADE_LITE", {"ACCOUNT_UPDATE", "TRADE_LITE", "listenKeyExpired"}),
        ("ALGO_ORDER_UPDATE", {"ALGO_UPDATE", "listenKeyExpired"}),
        ("STRATEGY_UPDATE/nonsense", {"listenKeyExpired"}),
    ],
)
def test_the_events_that_a_listener_asks_for(text: str, names: set[str]) -> None:
    assert parse_events(text) == names


# Cost


def test_nobody_listening_costs_no_walk() -> None:
    venue = HeardVenue()
    applied = venue.apply(Deposit("alice", "USDT", MONEY_ONE))
    assert list(user_payloads(applied, venue.view, ())) == []
    assert user_payloads(applied, venue.view, ()) is user_payloads(applied, venue.view, set())
    assert json.loads(next(user_payloads(applied, venue.view, {1}))[2])["e"] == "ACCOUNT_UPDATE"
