"""What REST and the operator's API tell of liquidations, of the insurance fund and of the queue."""

import json
from typing import Any

import pytest
from tests.api.offline import START_MS, OfflineVenue, api_key, fault, header
from tests.api.trader import ORDER, Trader, trade

from openperp.api.adl_queue import REFRESH_MS, RISK_REFRESH_MS
from openperp.api.dialect import DIALECTS
from openperp.engine.commands import CreateAccount, DefineAsset, Deposit, Reset
from openperp.engine.numbers import MONEY_ONE
from openperp.node.assets import BUILT_IN_ASSETS

V1 = "/fapi/v1/"
DAY_MS = 86_400_000
SYMBOL = "BTCUSDT"
SUFFIX = "rounded {} to a tick and kept within the bounds of prices"


@pytest.fixture(params=DIALECTS)
def venue(request: pytest.FixtureRequest) -> OfflineVenue:
    return OfflineVenue(request.param)


def join(venue: OfflineVenue, name: str, deposit: int) -> Trader:
    venue.apply(CreateAccount(name, deposit * MONEY_ONE))
    venue.add_key(api_key(name), name)
    return Trader(venue, name)


def explain(venue: OfflineVenue, name: str) -> Any:
    answer = venue.operator("GET", "explain", account=name)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def price(venue: OfflineVenue, price: int) -> None:
    venue.price(SYMBOL, price * 10)


class Fall:
    """Bob is short what Lena has bought with 1000 USDT: 0.2 BTC at 60000.

    At 55200 she is to be liquidated at 55030, and Bob's bid takes half of it.
    """

    def __init__(self, venue: OfflineVenue) -> None:
        self.venue = venue
        self.bob = Trader(venue, "bob")
        self.lena = join(venue, "lena", 1_000)
        trade(self.lena, self.bob, quantity="0.2")

    def happen(self) -> None:
        self.bob.limit(quantity="0.1", price="55100")
        price(self.venue, 55_200)


@pytest.fixture
def fall(venue: OfflineVenue) -> Fall:
    return Fall(venue)


def pick(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


# Orders and trades


def test_forced_orders_of_both_kinds(fall: Fall) -> None:
    assert fall.lena.get(V1 + "forceOrders") == []
    fall.happen()
    rows = fall.lena.get(V1 + "forceOrders")
    assert pick(rows, "clientOrderId", "status", "side", "type", "timeInForce", "reduceOnly") == [
        (f"autoclose-{START_MS}-{rows[0]['orderId']}", "EXPIRED", "SELL", "LIMIT", "IOC", True),
        ("adl_autoclose", "FILLED", "SELL", "LIMIT", "IOC", True),
    ]
    amounts = pick(rows, "price", "avgPrice", "origQty", "executedQty")
    assert [tuple(map(float, row)) for row in amounts] == [
        (55_030, 55_100, 0.2, 0.1),
        (55_030, 55_030, 0.1, 0.1),
    ]
    ((name, side),) = pick(fall.bob.get(V1 + "forceOrders"), "clientOrderId", "side")
    assert (name, side) == ("adl_autoclose", "BUY")


def test_forced_orders_by_kind_symbol_and_time(fall: Fall) -> None:
    fall.happen()
    path = V1 + "forceOrders"
    assert len(fall.lena.get(path, autoCloseType="LIQUIDATION")) == 1
    assert len(fall.lena.get(path, autoCloseType="ADL", symbol=SYMBOL)) == 1
    assert fall.lena.get(path, symbol="ETHUSDT") == []
    assert len(fall.lena.get(path, limit=1)) == 1
    assert len(fall.lena.get(path, startTime=START_MS, endTime=START_MS)) == 2
    assert fall.lena.get(path, startTime=START_MS + 1) == []
    assert fall.lena.refused("GET", path, autoCloseType="OTHER").code == -1130
    assert fall.lena.refused("GET", path, limit=101).code == -1130
    assert fall.lena.refused("GET", path, startTime=2, endTime=1).code == -1023


def test_forced_orders_are_shown_for_a_week_unasked_and_for_ninety_days(fall: Fall) -> None:
    fall.happen()
    path = V1 + "forceOrders"
    fall.venue.now_ms += 7 * DAY_MS
    assert len(fall.lena.get(path)) == 2
    fall.venue.now_ms += 1
    assert fall.lena.get(path) == []
    assert len(fall.lena.get(path, startTime=START_MS)) == 2
    assert len(fall.lena.get(path, endTime=START_MS + DAY_MS)) == 2
    fall.venue.now_ms = START_MS + 90 * DAY_MS
    assert len(fall.lena.get(path, startTime=START_MS)) == 2
    fall.venue.now_ms += 1
    assert fall.lena.get(path, startTime=START_MS) == []


def test_deleveraged_fills_are_trades_of_their_accounts_alone(fall: Fall) -> None:
    fall.happen()
    own = fall.lena.get(V1 + "userTrades", symbol=SYMBOL)
    assert pick(own[1:], "side", "maker", "commission", "realizedPnl") == [
        ("SELL", False, "0.00000000", "-490.00000000"),
        ("SELL", False, "0.00000000", "-497.00000000"),
    ]
    (taken,) = fall.bob.get(V1 + "userTrades", symbol=SYMBOL, orderId=own[2]["orderId"] + 1)
    assert (taken["id"], taken["maker"], taken["commission"]) == (own[2]["id"], True, "0.00000000")
    ids = [own[0]["id"], own[1]["id"]]
    for path in ("trades", "historicalTrades"):
        headers = {"X-MBX-APIKEY": api_key("bob")}
        answer = fall.venue.ask("GET", V1 + path, f"symbol={SYMBOL}", headers=headers)
        assert [row["id"] for row in json.loads(answer.body)] == ids
    aggregated = fall.venue.get(V1 + "aggTrades", f"symbol={SYMBOL}")
    assert [row["l"] for row in aggregated] == ids
    (bar,) = fall.venue.get(V1 + "klines", f"symbol={SYMBOL}&interval=1m")
    assert (float(bar[5]), bar[8]) == (0.3, 2)
    assert fall.venue.get(V1 + "ticker/24hr", f"symbol={SYMBOL}")["count"] == 2
    assert float(fall.venue.get(V1 + "ticker/price", f"symbol={SYMBOL}")["price"]) == 55_100


def test_the_fee_is_income_and_the_funds(fall: Fall) -> None:
    fall.happen()
    rows = fall.lena.get(V1 + "income", incomeType="INSURANCE_CLEAR")
    assert pick(rows, "symbol", "income", "tradeId") == [(SYMBOL, "-7.00000000", "")]
    (fund,) = fall.venue.get(V1 + "insuranceBalance")
    assert fund["symbols"] == list(fall.venue.state.markets)
    assert pick(fund["assets"], "asset", "marginBalance") == [("USDT", "7.00000000")]


def test_orders_that_went_with_it_have_expired(fall: Fall) -> None:
    order_id = fall.lena.limit(price="40000")["orderId"]
    other = fall.bob.limit(side="SELL", price="70000")["orderId"]
    elsewhere = fall.bob.limit(symbol="ETHUSDT", price="2000", quantity="0.1")["orderId"]
    fall.happen()
    assert fall.lena.get(ORDER, symbol=SYMBOL, orderId=order_id)["status"] == "EXPIRED"
    assert fall.bob.get(ORDER, symbol=SYMBOL, orderId=other)["status"] == "EXPIRED"
    assert fall.bob.get(ORDER, symbol="ETHUSDT", orderId=elsewhere)["status"] == "NEW"
    (row,) = fall.lena.get("/fapi/v2/positionRisk", symbol=SYMBOL)
    assert float(row["positionAmt"]) == 0


# The operator


def test_the_insurance_fund_is_filled_and_emptied(venue: OfflineVenue) -> None:
    def fund(amount: str) -> tuple[int, Any]:
        answer = venue.operator("POST", "insurance", amount=amount)
        return answer.status, json.loads(answer.body)

    assert json.loads(venue.operator("GET", "insurance").body) == {
        "asset": "USDT",
        "balance": "0.00000000",
    }
    paid = {"asset": "USDT", "amount": "100.50000000", "balance": "100.50000000"}
    assert fund("100.5") == (200, paid)
    assert fund("-0.5")[1]["balance"] == "100.00000000"
    assert json.loads(venue.operator("GET", "insurance").body)["balance"] == "100.00000000"
    for amount in ("-100.00000001", "0", "-0", "46116860185", "x", ""):
        status, refusal = fund(amount)
        assert (status, refusal["code"] < 0) == (400, True), amount
    assert venue.get(V1 + "insuranceBalance")[0]["assets"][0]["marginBalance"] == "100.00000000"
    assert venue.ask("GET", "/operator/v1/insurance").status == 401
    assert venue.ask("GET", "/operator/v1/explain", "account=alice").status == 401


def test_explain_says_that_margin_without_positions_is_not_used_up(venue: OfflineVenue) -> None:
    join(venue, "idle", 1)
    (part,) = explain(venue, "idle")["margins"]
    assert (part["balance"], part["maintenance"], part["used_up"]) == (
        "1.00000000",
        "0.00000000",
        False,
    )
    assert part["formulas"]["used_up"] == "only positions use margin up, and there are none"


def test_explain_shows_the_numbers_that_liquidate(fall: Fall) -> None:
    told = explain(fall.venue, "lena")
    assert (told["liquidates"], told["liquidations"]) == (True, [])
    (part,) = told["margins"]
    names = ("wallet", "set_aside", "collateral", "unrealized_profit", "balance", "maintenance")
    assert [float(part[name]) for name in names] == [994, 0, 0, 0, 994, 48]
    assert not part["used_up"]
    (row,) = part["positions"]
    assert (row["lots"], row["bracket"], row["maintenance_rate"]) == (200, 1, "0.004")
    assert float(row["notional"]) == 12_000
    assert float(row["liquidation_price"]) == pytest.approx(55_251.00402)
    assert float(row["bankruptcy_price"]) == 55_030
    assert row["formulas"]["maintenance"] == "notional 12000 x 0.004 - cum 0 = 48, rounded up"
    assert row["formulas"]["bankruptcy_price"].endswith(SUFFIX.format("up"))
    (other,) = explain(fall.venue, "bob")["margins"][0]["positions"]
    assert other["formulas"]["bankruptcy_price"].endswith(SUFFIX.format("down"))


def test_explain_tells_a_liquidation_step_by_step(fall: Fall) -> None:
    fall.happen()
    (told,) = explain(fall.venue, "lena")["liquidations"]
    assert (told["kind"], told["time"]) == ("liquidation", START_MS)
    assert [step["step"] for step in told["steps"]] == [
        "started",
        "staged",
        "filled",
        "deleveraged",
        "cleared",
        "ended",
    ]
    started, staged, *_, cleared, ended = told["steps"]
    assert pick([started, ended], "balance", "maintenance") == [
        ("34.00000000", "44.16000000"),
        ("0.00000000", "0.00000000"),
    ]
    assert "balance 34 <= maintenance 44.16" in started["words"]
    assert float(staged["bankruptcy_price"]) == 55_030
    assert (cleared["amount"], cleared["insurance"]) == ("-7.00000000", "7.00000000")
    (other,) = explain(fall.venue, "bob")["liquidations"]
    assert [step["step"] for step in other["steps"]] == ["ranked", "deleveraged"]
    ranked = other["steps"][0]
    assert pick([ranked], "rank", "holders", "score") == [(1, 1, "0.00009216")]


def test_explain_names_no_other_account_where_the_own_other_side_is_taken(
    venue: OfflineVenue,
) -> None:
    bob, holly = Trader(venue, "bob"), join(venue, "holly", 950)
    holly.post(V1 + "positionSide/dual", dualSidePosition="true")
    bob.limit(side="SELL", price="60000", quantity="0.2")
    holly.limit(price="60000", quantity="0.2", positionSide="LONG")
    bob.limit(price="60000", quantity="0.1")
    holly.limit(side="SELL", price="60000", quantity="0.1", positionSide="SHORT")
    price(venue, 51_000)
    (told,) = explain(venue, "holly")["liquidations"]
    words = {step["step"]: step["words"] for step in told["steps"]}
    own = [step["position_side"] for step in told["steps"] if step["step"] == "ranked"]
    assert own == ["SHORT"]
    assert "neither book nor insurance fund took 0.1" in words["ranked"]
    assert "1 of 2 on the other side by profit" in words["ranked"]
    assert "taken against a position of the other side at" in words["deleveraged"]
    (other,) = explain(venue, "bob")["liquidations"]
    assert "taken against a position of the other side at" in other["steps"][-1]["words"]


def test_formulas_put_what_is_below_zero_in_brackets(fall: Fall) -> None:
    fall.venue.operator("POST", "mode", mode="cancel_only")
    price(fall.venue, 50_000)
    (part,) = explain(fall.venue, "lena")["margins"]
    assert part["formulas"]["balance"].endswith("+ unrealized profit (-2000) = -1006")
    formulas = part["positions"][0]["formulas"]
    assert " - (-1006) / 0.2" in formulas["bankruptcy_price"]
    assert formulas["adl"].startswith("score 0, as the balance -1006 is not above zero; 1 of 1")
    (other,) = explain(fall.venue, "bob")["margins"][0]["positions"]
    assert "value at mark price -10000 - cost (-12000)" in other["formulas"]["unrealized_profit"]


def test_steps_say_what_a_balance_below_zero_lacks(fall: Fall) -> None:
    price(fall.venue, 50_000)
    (told,) = explain(fall.venue, "lena")["liquidations"]
    staged = next(step for step in told["steps"] if step["step"] == "staged")
    assert "there its share of the 1006 that the balance lacks is made up for" in staged["words"]


def test_explain_has_a_part_for_each_isolated_position(venue: OfflineVenue) -> None:
    lena, bob = join(venue, "lena", 10_000), Trader(venue, "bob")
    lena.post(V1 + "marginType", symbol=SYMBOL, marginType="ISOLATED")
    trade(lena, bob, quantity="0.2")
    trade(lena, bob, symbol="ETHUSDT", price="3000", quantity="1")
    cross, own = explain(venue, "lena")["margins"]
    assert [row["symbol"] for row in cross["positions"]] == ["ETHUSDT"]
    assert float(cross["set_aside"]) == float(own["wallet"]) == 600
    assert (own["margin"], own["symbol"], own["position_side"]) == ("ISOLATED", SYMBOL, "BOTH")
    assert own["formulas"]["balance"] == "isolated wallet 600 + unrealized profit 0 = 600"
    price(venue, 57_000)
    after = explain(venue, "lena")
    assert len(after["margins"]) == 1
    (told,) = after["liquidations"]
    assert (told["steps"][0]["margin"], told["steps"][0]["symbol"]) == ("ISOLATED", SYMBOL)


def test_explain_of_nobody(venue: OfflineVenue) -> None:
    answer = venue.operator("GET", "explain", account="nobody")
    assert fault(answer)[:2] == (404, -1109)
    answer = venue.operator("GET", "explain")
    assert fault(answer)[:2] == (400, -1102)


# The queue


def level(trader: Trader) -> Any:
    rows = trader.get(V1 + "adlQuantile", symbol=SYMBOL)
    return rows[0]["adlQuantile"] if rows else None


def test_the_winner_is_first_in_the_queue(fall: Fall) -> None:
    assert level(fall.bob) == {"LONG": 0, "SHORT": 0, "BOTH": 0}
    price(fall.venue, 59_000)
    assert level(fall.bob)["BOTH"] == 0, "levels are worked out every half minute"
    fall.venue.now_ms += REFRESH_MS - 1
    assert level(fall.bob)["BOTH"] == 0
    fall.venue.now_ms += 1
    assert level(fall.bob) == {"LONG": 0, "SHORT": 0, "BOTH": 4}
    assert level(fall.lena)["BOTH"] == 0
    (row,) = fall.bob.get("/fapi/v3/positionRisk")
    assert row["adl"] == 4


def test_the_queue_is_divided_in_fifths(venue: OfflineVenue) -> None:
    alice = Trader(venue)
    sellers = [join(venue, f"s{number}", 10_000 - 500 * number) for number in range(5)]
    for seller in sellers:
        trade(alice, seller)
    price(venue, 59_000)
    assert [level(seller)["BOTH"] for seller in sellers] == [0, 1, 2, 3, 4]
    assert level(alice)["BOTH"] == 0


def test_both_sides_of_a_hedge_share_a_level(venue: OfflineVenue) -> None:
    alice, bob = Trader(venue), Trader(venue, "bob")
    alice.post(V1 + "positionSide/dual", dualSidePosition="true")
    bob.limit(side="SELL", price="60000", quantity="0.02")
    alice.limit(price="60000", positionSide="LONG", quantity="0.02")
    bob.limit(price="60000")
    alice.limit(side="SELL", price="60000", positionSide="SHORT")
    price(venue, 61_000)
    assert level(alice) == {"LONG": 4, "SHORT": 4, "HEDGE": 4}
    rows = alice.get("/fapi/v3/positionRisk")
    assert pick(rows, "positionSide", "adl") == [("LONG", 4), ("SHORT", 4)]


def test_isolated_sides_of_a_hedge_have_levels_of_their_own(venue: OfflineVenue) -> None:
    alice, bob = Trader(venue), Trader(venue, "bob")
    alice.post(V1 + "positionSide/dual", dualSidePosition="true")
    alice.post(V1 + "marginType", symbol=SYMBOL, marginType="ISOLATED")
    bob.limit(side="SELL", price="60000")
    alice.limit(price="60000", positionSide="LONG")
    bob.limit(price="60000", quantity="0.02")
    alice.limit(side="SELL", price="60000", positionSide="SHORT", quantity="0.02")
    price(venue, 61_000)
    assert level(alice) == {"LONG": 4, "SHORT": 0, "BOTH": 0}


def test_a_reset_empties_the_queue(fall: Fall) -> None:
    price(fall.venue, 59_000)
    assert level(fall.bob)["BOTH"] == 4
    fall.venue.apply(Reset())
    trade(fall.lena, fall.bob, quantity="0.2")
    assert level(fall.bob)["BOTH"] == 0


def test_the_risk_of_a_symbol(fall: Fall) -> None:
    def risk() -> str:
        fall.venue.now_ms += RISK_REFRESH_MS
        row = fall.venue.get(V1 + "symbolAdlRisk", f"symbol={SYMBOL}")
        assert row["updateTime"] == fall.venue.now_ms
        return str(row["adlRisk"])

    assert risk() == "low"
    price(fall.venue, 55_400)  # 74 are left of the margin, and 44.32 must not be lost
    assert risk() == "high"
    fall.venue.operator("POST", "insurance", amount="44.31")
    assert risk() == "high"
    fall.venue.operator("POST", "insurance", amount="0.01")
    assert risk() == "medium"
    price(fall.venue, 56_000)
    fall.venue.now_ms += RISK_REFRESH_MS - 1
    assert fall.venue.get(V1 + "symbolAdlRisk", f"symbol={SYMBOL}")["adlRisk"] == "medium"
    assert risk() == "low"


def test_weights(fall: Fall) -> None:
    for fields, weight in (({"symbol": SYMBOL}, "20"), ({}, "50")):
        fall.venue.view.limits.clear()
        answer = fall.lena.send("GET", V1 + "forceOrders", **fields)
        assert header(answer, "x-mbx-used-weight-1m") == weight


def test_explain_counts_collateral(venue: OfflineVenue) -> None:
    for spec in BUILT_IN_ASSETS:
        venue.apply(DefineAsset(spec))
    venue.apply(Deposit("alice", "BTC", MONEY_ONE // 2))
    alice = Trader(venue)
    alice.post(V1 + "multiAssetsMargin", multiAssetsMargin="true")
    trade(alice, Trader(venue, "bob"))
    (part,) = explain(venue, "alice")["margins"]
    collateral = float(part["collateral"])
    assert 25_000 < collateral < 30_000
    assert float(part["balance"]) == pytest.approx(float(part["wallet"]) + collateral)
    assert "+ collateral 2" in part["formulas"]["balance"]
