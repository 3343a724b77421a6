"""What accounts hear of a liquidation, in which order."""

import pytest
from tests.api.offline import api_key
from tests.api.streams.listener import Event, HeardVenue, Listener, tell
from tests.api.trader import trade

from openperp.api.dialect import DIALECTS
from openperp.engine.commands import CreateAccount, Deposit, FundInsurance
from openperp.engine.numbers import MONEY_ONE


class Fall:
    """Bob is short what Lena has bought with 1000 USDT: 0.2 BTC at 60000."""

    def __init__(self, dialect: str) -> None:
        self.venue = HeardVenue(dialect)
        self.venue.apply(CreateAccount("lena", 1_000 * MONEY_ONE))
        self.venue.add_key(api_key("lena"), "lena")
        self.bob, self.lena = Listener(self.venue, "bob"), Listener(self.venue, "lena")
        trade(self.lena, self.bob, quantity="0.2")
        self.forget()

    def forget(self) -> None:
        self.bob.hear()
        self.lena.hear()

    def to(self, price: int) -> None:
        self.venue.price("BTCUSDT", 10 * price)


@pytest.fixture(params=DIALECTS)
def fall(request: pytest.FixtureRequest) -> Fall:
    return Fall(request.param)


def shown(events: list[Event], *skipped: str) -> list[str]:
    return [tell(event) for event in events if event["e"] not in skipped]


def quantity(fall: Fall, text: str) -> str:
    """Texts are padded in one of the dialects."""
    return text if fall.venue.view.dialect.shortest_decimals else f"{float(text):.3f}"


def test_orders_go_first_and_fills_are_calculated(fall: Fall) -> None:
    fall.lena.limit(price="40000")
    fall.bob.limit(quantity="0.1", price="55100")
    fall.forget()
    fall.to(55_200)
    assert shown(fall.lena.hear()) == [
        "order 3 LIMIT EXPIRED EXPIRED er 5",
        "order 5 LIQUIDATION NEW NEW er 0",
        f"account ORDER 1 {quantity(fall, '0.1')}",
        "order 5 LIQUIDATION CALCULATED PARTIALLY_FILLED er 0",
        "order 5 LIQUIDATION EXPIRED EXPIRED er 2",
        "order 6 LIMIT NEW NEW er 0",
        f"account ORDER 1 {quantity(fall, '0')}",
        "order 6 LIMIT CALCULATED FILLED er 0",
        "account INSURANCE_CLEAR 1",
    ]


def test_whoever_took_it_has_traded_and_whoever_had_to_has_not(fall: Fall) -> None:
    fall.bob.limit(quantity="0.1", price="55100")
    fall.bob.limit(side="SELL", price="70000")
    fall.forget()
    fall.to(55_200)
    heard = fall.bob.hear()
    assert shown(heard, "TRADE_LITE", "ACCOUNT_UPDATE") == [
        "order 3 LIMIT TRADE FILLED er 0",
        "order 4 LIMIT EXPIRED EXPIRED er 0",
        "order 7 LIMIT NEW NEW er 0",
        "order 7 LIMIT CALCULATED FILLED er 0",
    ]
    assert [event["i"] for event in heard if event["e"] == "TRADE_LITE"] == [3]
    taken = heard[-1]["o"]
    assert (taken["c"], taken["m"], taken["R"]) == ("adl_autoclose", True, True)
    assert "n" not in taken


def test_the_fields_of_a_liquidation_order(fall: Fall) -> None:
    fall.bob.limit(quantity="0.3", price="55100")
    fall.forget()
    fall.to(55_200)
    heard = [event["o"] for event in fall.lena.hear() if event["e"] == "ORDER_TRADE_UPDATE"]
    new, filled = heard
    assert [new["c"], filled["c"]] == [f"autoclose-{fall.venue.now_ms}-4"] * 2
    assert [new["ot"], new["f"], new["R"], new["S"]] == ["LIMIT", "IOC", True, "SELL"]
    assert float(new["p"]) == 55_030
    assert [filled["m"], filled["rp"]] == [False, "-980.00000000"]
    assert "n" not in filled


def test_what_the_fund_pays_is_told_after_the_fill_that_it_pays_for(fall: Fall) -> None:
    fall.venue.apply(FundInsurance(100 * MONEY_ONE))
    fall.bob.limit(quantity="0.2", price="54930")
    fall.forget()
    fall.to(55_200)
    heard = fall.lena.hear()
    updates = [event["a"] for event in heard if event["e"] == "ACCOUNT_UPDATE"]
    assert [update["m"] for update in updates] == ["ORDER", "INSURANCE_CLEAR"]
    (lacks,), (paid,) = updates[0]["B"], updates[1]["B"]
    assert (lacks["wb"], lacks["bc"]) == ("-20.00000000", "0.00000000")
    assert paid == {
        "a": "USDT",
        "wb": "0.00000000",
        "cw": "0.00000000",
        "bc": "20.00000000",
    }
    assert updates[1]["P"] == []


def test_nobody_is_called_for_margin_that_is_gone(fall: Fall) -> None:
    fall.to(55_300)
    assert [event["e"] for event in fall.lena.hear()] == ["MARGIN_CALL"]
    fall.to(60_000)
    fall.forget()
    fall.to(55_200)
    assert "MARGIN_CALL" not in {event["e"] for event in fall.lena.hear()}


def test_nobody_is_called_for_the_margin_that_a_stage_has_left(fall: Fall) -> None:
    """After a stage 1229 of margin are left, and 1200 of them must not be lost."""
    for name, amount in (("lena", 19_000), ("bob", 100_000)):
        fall.venue.apply(Deposit(name, "USDT", amount * MONEY_ONE))
    trade(fall.lena, fall.bob, quantity="5.8")
    fall.forget()
    fall.to(56_930)
    heard = fall.lena.hear()
    amounts = [event["a"]["P"][0]["pa"] for event in heard if event["e"] == "ACCOUNT_UPDATE"]
    assert amounts == ["5.269"]
    assert "MARGIN_CALL" not in {event["e"] for event in heard}


def test_an_isolated_position_goes_alone(fall: Fall) -> None:
    lena, bob = fall.lena, fall.bob
    lena.post("/fapi/v1/marginType", symbol="ETHUSDT", marginType="ISOLATED")
    trade(lena, bob, symbol="ETHUSDT", price="3000", quantity="1")
    resting = lena.limit(price="40000")["orderId"]
    lena.limit(symbol="ETHUSDT", price="2000", quantity="0.1")
    fall.forget()
    fall.venue.price("ETHUSDT", 285_500)
    heard = lena.hear()
    told = [event["o"] for event in heard if event["e"] == "ORDER_TRADE_UPDATE"]
    assert {order["s"] for order in told} == {"ETHUSDT"}
    assert next(order["er"] for order in told if order["x"] == "EXPIRED") == "5"
    update = next(event["a"] for event in heard if event["e"] == "ACCOUNT_UPDATE")
    assert update["P"][0]["iw"] == "0.00000000"
    assert lena.get("/fapi/v1/openOrders")[0]["orderId"] == resting


def test_stops_go_with_the_rest(fall: Fall) -> None:
    terms = {
        "algoType": "CONDITIONAL",
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "STOP_MARKET",
        "triggerPrice": "50000",
        "quantity": "0.2",
        "reduceOnly": "true",
    }
    algo_id = fall.lena.post("/fapi/v1/algoOrder", **terms)["algoId"]
    fall.forget()
    fall.to(55_200)
    assert f"algo {algo_id} EXPIRED" in shown(fall.lena.hear())
