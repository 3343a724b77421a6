"""A request's way in and an answer's way out."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.api.offline import START_MS, OfflineVenue, fault, header

from openperp.api.dispatch import ACCOUNT_ROUTES, METHODS, ROUTES, Answer, build_methods, prepare
from openperp.api.endpoint import Endpoint, Request
from openperp.api.endpoints import ENDPOINTS
from openperp.api.limits import REFUSALS_BEFORE_BAN
from openperp.engine.snapshot import digest


@pytest.mark.parametrize(
    "path", ["/", "", "/fapi/v1/nope", "/fapi/v1/ping/", "/FAPI/v1/ping", "/\u00e9"]
)
def test_an_unknown_path(path: str) -> None:
    answer = OfflineVenue().ask("GET", path)
    assert fault(answer) == (404, -5000, f"Path {path}, Method GET is invalid")
    assert header(answer, "content-type") == "application/json"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW" * 100])
def test_a_wrong_method(method: str) -> None:
    answer = OfflineVenue().ask(method, "/fapi/v1/time")
    assert fault(answer)[:2] == (405, -5000)
    assert header(answer, "allow") == "GET, HEAD, OPTIONS"


def test_answers_are_compact_json() -> None:
    answer = OfflineVenue().ask("GET", "/fapi/v1/time")
    assert answer.body == b'{"serverTime":1767225600000}'
    assert header(answer, "content-type") == "application/json"
    assert OfflineVenue().ask("GET", "/fapi/v1/ping").body == b"{}"


def test_every_answer_says_what_it_cost() -> None:
    offline = OfflineVenue()
    for path, query, used in (
        ("/fapi/v1/ping", "", "1"),
        ("/fapi/v1/depth", "symbol=BTCUSDT&limit=1000", "21"),
        ("/fapi/v1/depth", "symbol=BTCUSDT", "31"),
        ("/fapi/v1/premiumIndex", "", "41"),
        ("/fapi/v1/nope", "", "42"),
        ("/fapi/v1/depth", "symbol=BTCUSDT&limit=1", "43"),
    ):
        answer = offline.ask("GET", path, query)
        assert header(answer, "x-mbx-used-weight-1m") == used
        assert header(answer, "x-mbx-order-count-1m") is None
    assert header(offline.ask("GET", "/fapi/v1/ping", ip="10.0.0.9"), "x-mbx-used-weight-1m") == "1"


def test_the_spot_api_names_its_weight_without_an_interval_too() -> None:
    """Unicorn opens no stream of an account before it has read that header."""
    offline = OfflineVenue()
    for path, older in (
        ("/api/v3/ping", "1"),
        ("/api/v3/time", "2"),
        ("/fapi/v1/ping", None),
        ("/sapi/v1/margin/allPairs", None),
    ):
        assert header(offline.ask("GET", path), "x-mbx-used-weight") == older


def test_the_weight_limit_is_kept_for_everyone_but_the_operator() -> None:
    offline = OfflineVenue()
    for _ in range(120):
        offline.ask("GET", "/fapi/v1/depth", "symbol=BTCUSDT&limit=1000")
    answer = offline.ask("GET", "/fapi/v1/ping")
    assert fault(answer)[:2] == (429, -1003)
    assert header(answer, "retry-after") == "60"
    assert header(answer, "x-mbx-used-weight-1m") == "2401"
    assert offline.operator("GET", "status").status == 200
    offline.now_ms += 60_000
    assert offline.ask("GET", "/fapi/v1/ping").status == 200


def test_who_goes_on_after_429_is_banned_and_told_for_how_long() -> None:
    offline = OfflineVenue()
    offline.view.limits.charge_ip("127.0.0.1", 2_400, START_MS, enforced=True)
    for _ in range(REFUSALS_BEFORE_BAN):
        assert offline.ask("GET", "/fapi/v1/ping").status == 429
    for used in ("2455", "2460"):
        answer = offline.signed("GET", "/fapi/v3/balance")
        assert fault(answer)[:2] == (418, -1003)
        assert header(answer, "retry-after") == "120"
        assert header(answer, "x-mbx-used-weight-1m") == used
    offline.now_ms += 119_999
    assert header(offline.ask("GET", "/fapi/v1/ping"), "retry-after") == "1"
    offline.now_ms += 1
    assert offline.ask("GET", "/fapi/v1/ping").status == 200


def test_limits_can_be_switched_off() -> None:
    offline = OfflineVenue(limits_on=False)
    for _ in range(130):
        offline.ask("GET", "/fapi/v1/depth", "symbol=BTCUSDT&limit=1000")
    answer = offline.ask("GET", "/fapi/v1/ping")
    assert answer.status == 200
    assert header(answer, "x-mbx-used-weight-1m") == "2601"


ORDER = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000"


def test_orders_are_counted_and_a_refused_command_is_an_error_answer() -> None:
    offline = OfflineVenue()
    placed = offline.signed("POST", "/fapi/v1/order", ORDER)
    assert placed.status == 200
    assert header(placed, "x-mbx-order-count-10s") == "1"
    assert header(placed, "x-mbx-order-count-1m") == "1"
    refused = offline.signed("POST", "/fapi/v1/order", ORDER.replace("0.01", "100"))
    assert fault(refused) == (400, -2019, "Margin is insufficient.")
    assert header(refused, "x-mbx-order-count-1m") == "2"
    explanation = header(refused, "x-explain")
    assert explanation is not None
    assert "needed 250000 USDT" in explanation
    assert "available 9975 USDT" in explanation


def test_refused_elements_are_explained_together_by_index() -> None:
    offline = OfflineVenue()
    order_id = json.loads(offline.signed("POST", "/fapi/v1/order", ORDER).body)["orderId"]
    answer = offline.signed(
        "DELETE", "/fapi/v1/batchOrders", f"symbol=BTCUSDT&orderIdList=[7777,{order_id},8888]"
    )
    assert answer.status == 200
    entries = json.loads(answer.body)
    assert entries[0] == entries[2] == {"code": -2011, "msg": "Unknown order sent."}
    assert entries[1]["status"] == "CANCELED"
    assert (
        header(answer, "x-explain")
        == "[0] no order 7777 of this account on BTCUSDT; [2] no order 8888 of this account on BTCUSDT"
    )


@pytest.mark.parametrize("path", ["/fapi/v1/nope", "/fapi/v1/depth", "/fapi/v2/balance"])
def test_explanations_can_be_switched_off(path: str) -> None:
    assert header(OfflineVenue().ask("GET", path), "x-explain")
    assert header(OfflineVenue(explain=False).ask("GET", path), "x-explain") is None


MISSING = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed"


@pytest.mark.parametrize(
    ("query", "body", "places"),
    [
        ("limit=5", "", "the query (there is no body), found there: limit"),
        ("", "", "the query (there is no body), found there: nothing"),
        ("symbol=", "limit=5&a=", "the query and the form body, found there: limit, a, symbol"),
        ("", '{"limit":5}', "the query and the JSON body, found there: limit"),
    ],
)
def test_a_missing_parameter_is_told_where_it_was_looked_for(
    query: str, body: str, places: str
) -> None:
    answer = OfflineVenue().ask("GET", "/fapi/v1/depth", query, body)
    assert fault(answer) == (400, -1102, f"{MISSING}.")
    assert header(answer, "x-explain") == f"{MISSING}; looked for in {places}"


def test_a_missing_parameter_of_a_batch_is_told_by_its_element() -> None:
    order = '[{"symbol":"BTCUSDT","side":"BUY"}]'
    answer = OfflineVenue().signed("POST", "/fapi/v1/batchOrders", f"batchOrders={quote(order)}")
    assert header(answer, "x-explain") == (
        "[0] Mandatory parameter 'type' was not sent, was empty/null, or malformed;"
        " looked for in this order, found there: symbol, side"
    )


def test_strict_parameters() -> None:
    offline = OfflineVenue(strict=frozenset({"params"}))
    answer = offline.ask("GET", "/fapi/v1/depth", "symbol=BTCUSDT&limits=5")
    assert fault(answer)[:2] == (400, -1104)
    assert header(answer, "x-explain") == "unknown parameter limits, did you mean limit?"
    assert offline.ask("GET", "/fapi/v1/depth", "symbol=BTCUSDT&limit=5").status == 200
    assert offline.signed("GET", "/sapi/v1/margin/allPairs", "recvWindow=10000").status == 200


@pytest.mark.parametrize("symbol", ["btcusdt", "BtcUsdt"])
def test_a_symbol_in_any_letter_case(symbol: str) -> None:
    assert OfflineVenue().get("/fapi/v1/premiumIndex", f"symbol={symbol}")["symbol"] == "BTCUSDT"


@pytest.mark.parametrize("symbol", ["BTCU\u017fDT", "btcu\u017fdt", "\uff22TCUSDT", "BTCUSDT "])
def test_a_symbol_of_another_alphabet_is_unknown(symbol: str) -> None:
    answer = OfflineVenue().ask("GET", "/fapi/v1/premiumIndex", f"symbol={symbol}")
    assert fault(answer) == (400, -1121, "Invalid symbol.")


def test_no_two_endpoints_share_a_route() -> None:
    routes = [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS]
    assert len(set(routes)) == len(routes)
    tables = (*ROUTES.values(), *ACCOUNT_ROUTES.values())
    assert sum(map(len, tables)) == len(routes)
    assert all(endpoint.summary for endpoint in ENDPOINTS)


def test_no_two_endpoints_share_a_method_of_the_websocket_api() -> None:
    names = [name for endpoint in ENDPOINTS for name in endpoint.ws]
    assert sorted(names) == sorted(METHODS)
    with pytest.raises(ValueError, match=r"order\.place is declared twice"):
        build_methods((METHODS["order.place"], METHODS["order.place"]))


KEYS = [b"x-mbx-apikey", b"authorization", b"content-type"]
unhurried = settings(suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def offline() -> OfflineVenue:
    return OfflineVenue(limits_on=False)


@unhurried
@given(
    endpoint=st.sampled_from(ENDPOINTS),
    query=st.binary(max_size=60),
    body=st.binary(max_size=60),
    headers=st.dictionaries(st.sampled_from(KEYS), st.binary(max_size=70)),
)
def test_whatever_comes_unsigned_is_answered_and_changes_nothing(
    offline: OfflineVenue,
    endpoint: Endpoint[Any],
    query: bytes,
    body: bytes,
    headers: dict[bytes, bytes],
) -> None:
    before = digest(offline.state)
    request = Request(endpoint.method, endpoint.path, query, body, headers, "::1")
    answer = prepare(request, offline.view)
    assert isinstance(answer, Answer)
    assert 200 <= answer.status < 500
    assert digest(offline.state) == before


JUNK = (
    st.sampled_from(["", "x", "-1", "0", "1.5", "true", "[]", "{}", "[1]", '["a"]', "[{}]"])
    | st.sampled_from(
        ["BTCUSDT", "BUY", "LIMIT", "GTC", "STOP", "60000", "9" * 30, "NaN", "\uff11"]
    )
    | st.text(max_size=5)
)


@unhurried
@given(endpoint=st.sampled_from(ENDPOINTS), data=st.data())
def test_whatever_comes_signed_is_answered(
    offline: OfflineVenue, endpoint: Endpoint[Any], data: st.DataObject
) -> None:
    names = sorted(endpoint.reader.names) or ["symbol"]
    fields = data.draw(st.dictionaries(st.sampled_from(names), JUNK, max_size=4))
    answer = offline.send(offline.sign(endpoint.method, endpoint.path, fields))
    assert 200 <= answer.status < 500
    json.loads(answer.body)
