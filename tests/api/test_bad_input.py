"""Numbers of any size, by REST and by the WebSocket API, in both dialects: refused alike."""

from typing import Any, Final

import pytest
from tests.api.caller import Caller, fault_of
from tests.api.offline import START_MS, OfflineVenue
from tests.api.trader import ALGO, LIMIT, ORDER, STOP, Trader, trade

from openperp.api.dialect import DIALECTS
from openperp.engine.snapshot import digest

GTD: Final = {**LIMIT, "timeInForce": "GTD", "goodTillDate": START_MS + 7_200_000}
ALGO_STOP: Final = {**STOP, "algoType": "CONDITIONAL", "stopPrice": None, "triggerPrice": "65000"}
TRAILING: Final = {
    **ALGO_STOP,
    "type": "TRAILING_STOP_MARKET",
    "triggerPrice": None,
    "activatePrice": "59000",
    "callbackRate": "1",
}
CHILD: Final = {**LIMIT, "takeProfitPrice": "60000"}
ONE: Final = {"symbol": "BTCUSDT", "orderId": 1}
AMEND: Final = {**ONE, "side": "BUY", "price": "50000", "quantity": "0.02"}
LEVERAGE: Final = {"symbol": "BTCUSDT", "leverage": 10}
MARGIN: Final = {"symbol": "ETHUSDT", "amount": "5", "type": 1}

ROWS: Final[list[tuple[str, str, dict[str, Any], str, int, int, int]]] = [
    # What would be in order, its field, and the code for 2^62, for 2^63 and more, and below zero
    ("POST", ORDER, LIMIT, "price", -4002, -4002, -4001),
    ("POST", ORDER, LIMIT, "quantity", -4005, -4005, -4003),
    ("POST", ORDER, GTD, "goodTillDate", -5040, -1130, -1100),
    ("POST", ORDER, CHILD, "takeProfitPrice", -4007, -4007, -4006),
    ("POST", ALGO, ALGO_STOP, "triggerPrice", -4007, -4007, -4006),
    ("POST", ALGO, ALGO_STOP, "quantity", -4005, -4005, -4003),
    ("POST", ALGO, TRAILING, "activatePrice", -4007, -4007, -4006),
    ("POST", ALGO, TRAILING, "callbackRate", -1130, -1130, -1130),
    ("PUT", ORDER, AMEND, "price", -4002, -4002, -4001),
    ("PUT", ORDER, AMEND, "quantity", -4005, -4005, -4003),
    ("PUT", ORDER, AMEND, "orderId", -2013, -1130, -1100),
    ("GET", ORDER, ONE, "orderId", -2013, -1130, -1100),
    ("DELETE", ORDER, ONE, "orderId", -2011, -1130, -1100),
    ("POST", "/fapi/v1/leverage", LEVERAGE, "leverage", -4028, -1130, -1100),
    ("POST", "/fapi/v1/positionMargin", MARGIN, "amount", -1130, -1130, -4055),
]
SIZES: Final = (2**62, 2**63, 2**64, -1, -(2**62), -(2**64))
METHODS: Final = {
    ("POST", ORDER): "order.place",
    ("PUT", ORDER): "order.modify",
    ("GET", ORDER): "order.status",
    ("DELETE", ORDER): "order.cancel",
    ("POST", ALGO): "algoOrder.place",
}


@pytest.fixture(scope="module", params=list(DIALECTS))
def venue(request: pytest.FixtureRequest) -> OfflineVenue:
    return open_venue(request.param)


def open_venue(dialect: str) -> OfflineVenue:
    """Alice has an order that rests, and a position on margin of its own."""
    venue = OfflineVenue(dialect, limits_on=False)
    alice, bob = Trader(venue), Trader(venue, "bob")
    alice.limit()
    alice.post("/fapi/v1/marginType", symbol="ETHUSDT", marginType="ISOLATED")
    trade(alice, bob, symbol="ETHUSDT", price="3000", quantity="0.1")
    return venue


@pytest.mark.parametrize(
    ("method", "path", "form", "name", "large", "vast", "negative"),
    ROWS,
    ids=[f"{row[0]}-{row[1].rsplit('/', 1)[-1]}-{row[3]}" for row in ROWS],
)
def test_a_number_of_any_size_is_refused_with_its_code(
    venue: OfflineVenue,
    method: str,
    path: str,
    form: dict[str, Any],
    name: str,
    large: int,
    vast: int,
    negative: int,
) -> None:
    before = digest(venue.state)
    for number in SIZES:
        code = negative if number < 0 else large if number < 2**63 else vast
        fields = {**form, name: number}
        refusal = Trader(venue).refused(method, path, **fields)
        assert (refusal.status, refusal.code) == (400, code), number
        word = METHODS.get((method, path))
        if word is not None:
            given = {key: value for key, value in fields.items() if value is not None}
            answer = Caller(venue).call(word, **{**given, name: str(number)})
            assert fault_of(answer)[:2] == (400, code), number
            # JSON knows no whole numbers of this size; some are refused before they are read.
            answer = Caller(venue).call(word, **given)
            assert fault_of(answer)[1] in {code, -1100, -1130}
    assert digest(venue.state) == before


@pytest.mark.parametrize(
    ("method", "path", "form", "name"), [row[:4] for row in ROWS], ids=[str(n) for n in range(15)]
)
def test_without_it_there_is_nothing_to_refuse(
    method: str, path: str, form: dict[str, Any], name: str
) -> None:
    assert name in form
    alice = Trader(open_venue("binance"))
    assert alice.send(method, path, **form).status == 200
