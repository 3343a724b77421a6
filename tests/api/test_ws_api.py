"""Methods of the WebSocket API: what is read, who is let in, what is answered."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.api.caller import Caller, fault_of, joined
from tests.api.offline import START_MS, OfflineVenue, api_key
from tests.api.trader import Trader

from openperp.api.dispatch import METHODS
from openperp.api.errors import ApiError
from openperp.api.ws_api import (
    SESSION_METHODS,
    MethodSession,
    PendingMethod,
    finish_method,
    open_session,
    prepare_method,
    refuse_method,
    refuse_text,
)
from openperp.engine.snapshot import digest

LIMIT: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "price": "50000",
    "quantity": "0.01",
}
BAD_SIGNATURE = (400, -1022, "Signature for this request is not valid.")
BAD_KEY = (401, -2015, "Invalid API-key, IP, or permissions for action.")


@pytest.fixture
def caller() -> Caller:
    return Caller(OfflineVenue())


def missing(name: str) -> tuple[int, int, str]:
    return 400, -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


def invalid(name: str) -> tuple[int, int, str]:
    return 400, -1130, f"Data sent for parameter '{name}' is not valid."


# Envelopes.


@pytest.mark.parametrize(
    "text", ["1", "-7", '"a"', '""', '"\\u00e9"', "null", "1.50", str(2**63 - 1)]
)
def test_an_id_comes_back_as_it_was_sent(caller: Caller, text: str) -> None:
    frame = f'{{"id":{text},"method":"ticker.price","params":{{"symbol":"BTCUSDT"}}}}'
    outcome = prepare_method(frame.encode(), caller.session, caller.venue.view, caller.ip)
    assert isinstance(outcome, bytes)
    sent, found = json.loads(text), json.loads(outcome)["id"]
    assert (found, type(found)) == (sent, type(sent))


@pytest.mark.parametrize("text", ["true", "[]", "{}", str(2**63), "[1]"])
def test_an_id_that_is_none(caller: Caller, text: str) -> None:
    answer = caller.send(f'{{"id":{text},"method":"ticker.price"}}')
    assert fault_of(answer) == invalid("id")
    assert answer["id"] is None


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ("", (400, -1130, "Invalid data sent for a parameter.")),
        ("nonsense", (400, -1130, "Invalid data sent for a parameter.")),
        ("[]", (400, -1130, "Invalid data sent for a parameter.")),
        ('"text"', (400, -1130, "Invalid data sent for a parameter.")),
        ("[" * 100_000, (400, -1130, "Invalid data sent for a parameter.")),
        ('{"id":1,"method":"depth"} x', (400, -1130, "Invalid data sent for a parameter.")),
        (b'{"id":1,"method":"\xff"}', (400, -1130, "Invalid data sent for a parameter.")),
        ('{"method":"depth"}', missing("id")),
        ('{"id":1}', missing("method")),
        ('{"id":1,"method":""}', missing("method")),
        ('{"id":1,"method":null}', missing("method")),
        ('{"id":1,"method":7}', invalid("method")),
        ('{"id":1,"method":["depth"]}', invalid("method")),
        ('{"id":1,"method":"depth","params":[]}', invalid("params")),
        ('{"id":1,"method":"depth","params":"symbol=BTCUSDT"}', invalid("params")),
        ('{"id":1,"method":"depth"}', missing("symbol")),
        ('{"id":1,"method":"depth","params":null}', missing("symbol")),
    ],
)
def test_what_is_no_request(caller: Caller, frame: str | bytes, expected: object) -> None:
    before = digest(caller.venue.state)
    answer = caller.send(frame)
    assert fault_of(answer) == expected
    assert answer["rateLimits"][0]["count"] >= 6
    assert digest(caller.venue.state) == before


@pytest.mark.parametrize(
    "frame",
    [
        '{"id":1,"id":2,"method":"depth","params":{"symbol":"BTCUSDT"}}',
        '{"id":1,"method":"depth","params":{"symbol":"ETHUSDT","symbol":"BTCUSDT"}}',
        '{"id":1,"method":"depth","params":{"symbol" :5, "symbol" :"BTCUSDT"}}',
        '{"id":1,"method":"depth","params":{"symbol":"BTCUSDT","Symbol":"ETHUSDT"}}',
        '{"id":1,"method":"depth","params":{"symbol":"BTCUSDT","s\\u0079mbol":"ETHUSDT"}}',
        '{"id":1,"method":"depth","params":{"symbol":"BTCUSDT","x":{"a":1,"a":2}}}',
    ],
)
def test_a_name_that_comes_twice(caller: Caller, frame: str) -> None:
    assert fault_of(caller.send(frame))[:2] == (400, -1101)


@pytest.mark.parametrize("note", ['a\\"b', "\\u0022", {"a": "b"}, ["x", {"y": "z"}]])
def test_marks_within_a_value_are_no_second_name(caller: Caller, note: object) -> None:
    assert caller.ask("depth", symbol="BTCUSDT", note=note)["status"] == 200


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
def test_how_deep_a_value_may_be(caller: Caller, opened: str, closed: str) -> None:
    """What is signed is written again where its signature is checked."""
    signed = f'"apiKey":"{caller.key}","timestamp":{caller.venue.now_ms},"signature":"00"'
    codes = {30: -1022} | dict.fromkeys([31, *range(800, 1_000), 5_000], -1130)
    for depth, code in codes.items():
        deep = opened * depth + "1" + closed * depth
        frame = f'{{"id":1,"method":"account.status","params":{{{signed},"x":{deep}}}}}'
        assert fault_of(caller.send(frame))[1] == code, depth


def test_too_many_parameters(caller: Caller) -> None:
    assert fault_of(caller.ask("depth", **{f"p{n}": n for n in range(101)}))[:2] == (400, -1101)


@pytest.mark.parametrize(
    "method", ["nope", "Depth", "v1/nope", "v/depth", "x1/depth", "v1/v1/depth"]
)
def test_an_unknown_method(caller: Caller, method: str) -> None:
    found = fault_of(caller.ask(method, symbol="BTCUSDT"))
    assert found == (400, -5000, f"Path /ws-fapi/v1, Method {method} is invalid")


@pytest.mark.parametrize(
    "method", ["v1/depth", "v3/depth", "v12/ticker.price", "v3/session.status"]
)
def test_a_version_in_front_of_a_method(caller: Caller, method: str) -> None:
    assert caller.ask(method, symbol="BTCUSDT")["status"] == 200


def test_a_version_that_belongs_to_a_name_counts(caller: Caller) -> None:
    short, full = caller.result("v2/account.status"), caller.result("account.status")
    assert "feeTier" in full
    assert "feeTier" not in short


# Signatures.


def test_an_order_signed_by_hmac(caller: Caller) -> None:
    order = caller.result("order.place", **LIMIT)
    assert order["status"] == "NEW"
    assert caller.result("order.status", symbol="BTCUSDT", orderId=order["orderId"])["price"]
    canceled = caller.result("order.cancel", symbol="BTCUSDT", orderId=order["orderId"])
    assert canceled["status"] == "CANCELED"


@pytest.mark.parametrize("price", ["50000.0", "5e4", "50000", "50000.10"])
def test_numbers_are_signed_as_they_were_sent(caller: Caller, price: str) -> None:
    stamp = f'"apiKey":"{caller.key}","timestamp":{START_MS}'
    text = (
        f"apiKey={caller.key}&price={price}&quantity=0.010&returnRateLimits=false&side=BUY"
        f"&symbol=BTCUSDT&timeInForce=GTC&timestamp={START_MS}&type=LIMIT"
    )
    answer = caller.send(
        f'{{"id":1,"method":"order.place","params":{{{stamp},"symbol":"BTCUSDT","side":"BUY",'
        f'"type":"LIMIT","timeInForce":"GTC","price":{price},"quantity":0.010,'
        f'"returnRateLimits":false,"signature":"{caller.sign(text)}"}}}}'
    )
    if price == "5e4":  # The signature was right: what is refused is the number.
        assert fault_of(answer)[:2] == (400, -1100)
    else:
        assert answer["status"] == 200, answer
    assert "rateLimits" not in answer


@pytest.mark.parametrize("quote", [joined, lambda params: urlencode(sorted(params.items()))])
def test_either_way_to_write_what_is_signed(caller: Caller, quote: Any) -> None:
    params = {**LIMIT, "newClientOrderId": "a/b:c", "apiKey": caller.key, "timestamp": START_MS}
    answer = caller.ask("order.place", **params, signature=caller.sign(quote(params)))
    assert answer["result"]["clientOrderId"] == "a/b:c"


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": "0.02"},
        {"signature": "0" * 64},
        {"signature": ""},
        {"signature": None},
        {"signature": 7},
        {"signature": ["a"]},
        {"x": 1},
    ],
)
def test_a_wrong_signature_does_nothing(caller: Caller, change: dict[str, Any]) -> None:
    before = digest(caller.venue.state)
    params = {**LIMIT, "apiKey": caller.key, "timestamp": START_MS}
    params = {**params, "signature": caller.sign(joined(params)), **change}
    answer = caller.ask("order.place", **params)
    assert fault_of(answer) == BAD_SIGNATURE
    assert digest(caller.venue.state) == before
    if isinstance(change.get("signature"), str) and change["signature"]:
        del params["signature"]
        assert joined(params) in answer["error"]["explain"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"apiKey": None}, missing("apiKey")),
        ({"apiKey": ""}, missing("apiKey")),
        ({"apiKey": 7}, (401, -2014, "API-key format invalid.")),
        ({"apiKey": "short"}, (401, -2014, "API-key format invalid.")),
        ({"apiKey": api_key("nobody")}, BAD_KEY),
        ({"timestamp": None}, missing("timestamp")),
        ({"timestamp": START_MS - 5001}, (400, -1021)),
        ({"timestamp": START_MS + 1000}, (400, -1021)),
        ({"timestamp": "soon"}, (400, -1100)),
        ({"recvWindow": "wide"}, (400, -1100)),
    ],
)
def test_keys_and_clocks_are_those_of_rest(
    caller: Caller, change: dict[str, Any], expected: tuple[object, ...]
) -> None:
    found = fault_of(caller.call("account.balance", **change))
    assert found[: len(expected)] == expected


def test_permissions_and_addresses_are_those_of_rest() -> None:
    venue = OfflineVenue()
    venue.add_key(api_key("reader"), "alice", permissions=frozenset({"read"}))
    venue.add_key(api_key("home"), "alice", ips=frozenset({"10.0.0.1"}))
    reader = Caller(venue, "reader")
    assert reader.call("account.balance")["status"] == 200
    assert fault_of(reader.call("order.place", **LIMIT)) == BAD_KEY
    assert fault_of(Caller(venue, "home").call("account.balance")) == BAD_KEY
    assert Caller(venue, "home", ip="10.0.0.1").call("account.balance")["status"] == 200


def test_a_request_sent_again_is_carried_out_again(caller: Caller) -> None:
    params = {**LIMIT, "apiKey": caller.key, "timestamp": START_MS}
    frame = {"id": 1, "method": "order.place", "params": params}
    params["signature"] = caller.sign(joined(params))
    first, second = (caller.send(json.dumps(frame))["result"] for _ in range(2))
    assert first["orderId"] < second["orderId"]
    caller.venue.now_ms += 5001
    assert fault_of(caller.send(json.dumps(frame)))[:2] == (400, -1021)


def test_a_client_id_guards_an_order_against_being_sent_again(caller: Caller) -> None:
    params = {**LIMIT, "newClientOrderId": "once", "apiKey": caller.key, "timestamp": START_MS}
    params["signature"] = caller.sign(joined(params))
    frame = json.dumps({"id": 1, "method": "order.place", "params": params})
    assert caller.send(frame)["status"] == 200
    assert fault_of(caller.send(frame))[:2] == (400, -4116)


# Sessions.


def open_orders(caller: Caller, name: str) -> int:
    return len(Trader(caller.venue, name).get("/fapi/v1/openOrders"))


def test_a_session_from_logon_to_logout(caller: Caller) -> None:
    caller.use_ed25519()
    nobody = {
        "apiKey": None,
        "authorizedSince": None,
        "connectedSince": START_MS,
        "returnRateLimits": True,
        "serverTime": START_MS,
    }
    assert caller.ask("session.status")["result"] == nobody
    caller.venue.now_ms += 1_000
    since = START_MS + 1_000
    known = {**nobody, "apiKey": caller.key, "authorizedSince": since, "serverTime": since}
    assert caller.result("session.logon") == known
    assert caller.ask("session.status")["result"] == known
    order = caller.ask("order.place", **LIMIT, timestamp=since)
    assert order["result"]["status"] == "NEW"
    assert caller.ask("session.logout")["result"] == {**nobody, "serverTime": since}
    assert fault_of(caller.ask("order.place", **LIMIT, timestamp=since)) == missing("apiKey")


def test_who_is_logged_on_still_says_when(caller: Caller) -> None:
    caller.use_ed25519()
    caller.result("session.logon")
    assert fault_of(caller.ask("account.balance")) == missing("timestamp")
    assert fault_of(caller.ask("account.balance", timestamp=START_MS - 9_999))[1] == -1021
    assert caller.ask("account.balance", timestamp=START_MS)["status"] == 200


def test_a_second_logon_replaces_the_key(caller: Caller) -> None:
    caller.use_ed25519("first", "alice")
    caller.result("session.logon")
    caller.use_ed25519("second", "bob")
    assert caller.result("session.logon")["apiKey"] == caller.key
    caller.ask("order.place", **LIMIT, timestamp=START_MS)
    assert (open_orders(caller, "alice"), open_orders(caller, "bob")) == (0, 1)


def test_a_failed_logon_leaves_the_session_as_it_was(caller: Caller) -> None:
    caller.use_ed25519("first")
    first = caller.key
    caller.result("session.logon")
    caller.use_ed25519("second")
    caller.sign = lambda _text: "bm9uc2Vuc2U="
    assert fault_of(caller.call("session.logon")) == BAD_SIGNATURE
    assert caller.ask("session.status")["result"]["apiKey"] == first


def test_only_ed25519_keys_log_on(caller: Caller) -> None:
    answer = caller.call("session.logon")
    assert fault_of(answer) == (400, -4056, "Invalid api key type.")
    assert "this one is hmac" in answer["error"]["explain"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"apiKey": None}, missing("apiKey")),
        ({"timestamp": None}, missing("timestamp")),
        ({"timestamp": START_MS - 9_999}, (400, -1021)),
        ({"apiKey": api_key("nobody")}, BAD_KEY),
    ],
)
def test_a_logon_that_lacks_something(
    caller: Caller, change: dict[str, Any], expected: tuple[object, ...]
) -> None:
    caller.use_ed25519()
    assert fault_of(caller.call("session.logon", **change))[: len(expected)] == expected
    assert caller.session.authorized_since is None


def test_a_request_may_bring_its_own_key_into_a_session(caller: Caller) -> None:
    caller.use_ed25519("first", "alice")
    caller.result("session.logon")
    bob = Caller(caller.venue, "bob")
    bob.session = caller.session
    bob.result("order.place", **LIMIT)
    assert (open_orders(caller, "alice"), open_orders(caller, "bob")) == (0, 1)
    unsigned = {"apiKey": bob.key, "timestamp": START_MS}
    assert fault_of(caller.ask("account.balance", **unsigned)) == BAD_SIGNATURE
    wrong = {"signature": "bm8=", "timestamp": START_MS}
    assert fault_of(caller.ask("account.balance", **wrong)) == BAD_SIGNATURE


def test_an_address_counts_in_a_session_too() -> None:
    venue = OfflineVenue()
    home = Caller(venue, ip="10.0.0.1")
    home.use_ed25519(ips=frozenset({"10.0.0.1"}))
    home.result("session.logon")
    assert home.ask("account.balance", timestamp=START_MS)["status"] == 200
    home.ip = "10.0.0.2"
    assert fault_of(home.ask("account.balance", timestamp=START_MS)) == BAD_KEY


# Limits.


def test_weights_and_orders_are_counted_with_those_of_rest(caller: Caller) -> None:
    Trader(caller.venue).limit()
    Trader(caller.venue).get("/fapi/v2/balance")
    limits = caller.call("order.place", **LIMIT)["rateLimits"]
    assert limits == [
        {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": 2400,
            "count": 10,  # 5 for the connection, 5 for the balance, 0 for an order
        },
        {
            "rateLimitType": "ORDERS",
            "interval": "SECOND",
            "intervalNum": 10,
            "limit": 300,
            "count": 2,
        },
        {
            "rateLimitType": "ORDERS",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": 1200,
            "count": 2,
        },
    ]
    assert [row["count"] for row in caller.ask("depth", symbol="BTCUSDT")["rateLimits"]] == [20]
    assert [row["count"] for row in caller.ask("session.status")["rateLimits"]] == [22]
    assert [row["count"] for row in caller.ask("nope")["rateLimits"]] == [23]


@pytest.mark.parametrize(
    ("query", "own", "shown"),
    [
        (b"", None, True),
        (b"returnRateLimits=false", None, False),
        (b"returnRateLimits=true", None, True),
        (b"returnRateLimits=false", True, True),
        (b"returnratelimits=FALSE", "true", True),
        (b"", False, False),
        (b"returnRateLimits=", None, True),
    ],
)
def test_whether_limits_are_shown(query: bytes, own: object, shown: bool) -> None:
    caller = Caller(OfflineVenue(), query=query)
    params = {} if own is None else {"returnRateLimits": own}
    assert ("rateLimits" in caller.ask("ticker.price", **params)) == shown
    assert ("rateLimits" in caller.ask("depth", **params)) == shown


def test_a_connection_is_refused_for_what_it_asks() -> None:
    with pytest.raises(ApiError) as refused:
        open_session(b"returnRateLimits=perhaps", OfflineVenue().view, "::1")
    assert refused.value.code == -1130


def ask_often(caller: Caller, times: int) -> dict[str, Any]:
    """The last answer."""
    answers = [caller.ask("depth", symbol="BTCUSDT", limit=1000) for _ in range(times)]
    return answers[-1]


def test_over_the_limit_and_banned() -> None:
    caller = Caller(OfflineVenue())
    answer = ask_often(caller, 120)
    assert answer["error"]["code"] == -1003
    assert answer["status"] == 429
    wait = {"serverTime": START_MS, "retryAfter": START_MS + 60_000}
    assert answer["error"]["data"] == wait
    assert answer["rateLimits"][0]["count"] == 2405
    answer = ask_often(caller, 50)
    assert answer["status"] == 418
    assert answer["error"]["data"]["retryAfter"] == START_MS + 120_000
    with pytest.raises(ApiError) as refused:
        open_session(b"", caller.venue.view, caller.ip)
    assert refused.value.status == 418


def test_too_many_orders(caller: Caller) -> None:
    answers = [caller.call("order.place", **{**LIMIT, "quantity": "0"}) for _ in range(301)]
    answer = answers[-1]
    assert answers[-2]["status"] == 400
    assert answer["status"] == 429
    assert answer["error"]["code"] == -1015
    assert answer["error"]["data"]["retryAfter"] == START_MS + 10_000


# Answers.


def test_a_refusal_of_the_engine_is_explained(caller: Caller) -> None:
    answer = caller.call("order.place", **{**LIMIT, "quantity": "100"})
    assert fault_of(answer) == (400, -2019, "Margin is insufficient.")
    assert "needed 250000 USDT" in answer["error"]["explain"]


def test_explanations_can_be_switched_off() -> None:
    caller = Caller(OfflineVenue(explain=False))
    answer = caller.call("order.place", **{**LIMIT, "quantity": "100"})
    assert answer["error"] == {"code": -2019, "msg": "Margin is insufficient."}


def test_a_missing_parameter_is_told_where_it_was_looked_for(caller: Caller) -> None:
    explain = caller.ask("depth", limit=5)["error"]["explain"]
    assert explain.endswith("looked for in params, found there: limit")


@pytest.mark.parametrize(
    ("frame", "name", "found"),
    [
        ('{"method":"depth","params":{"symbol":"BTCUSDT"}}', "id", "method, params"),
        ('{"id":7,"Method":"depth"}', "method", "id, Method"),
        ("{}", "id", "nothing"),
        (json.dumps(dict.fromkeys(map(str, range(500)))), "id", "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
    ],
)
def test_what_a_request_itself_lacks_is_not_looked_for_in_params(
    caller: Caller, frame: str, name: str, found: str
) -> None:
    answer = caller.send(frame)
    assert fault_of(answer) == missing(name)
    explain = answer["error"]["explain"]
    assert explain.endswith(f"; looked for in the request itself, found there: {found}")


def test_strict_parameters() -> None:
    caller = Caller(OfflineVenue(strict=frozenset({"params"})))
    assert caller.call("order.place", **LIMIT, returnRateLimits=True)["status"] == 200
    assert fault_of(caller.call("order.place", **LIMIT, pryce=1))[:2] == (400, -1104)
    assert fault_of(caller.ask("depth", symbol="BTCUSDT", limits=5))[:2] == (400, -1104)


def test_what_the_node_refuses_is_answered_with_the_id(caller: Caller) -> None:
    params = {**LIMIT, "apiKey": caller.key, "timestamp": START_MS}
    params["signature"] = caller.sign(joined(params))
    frame = json.dumps({"id": "x", "method": "order.place", "params": params}).encode()
    view = caller.venue.view
    pending = prepare_method(frame, caller.session, view, caller.ip)
    assert isinstance(pending, PendingMethod)
    busy = ApiError(-1008, form=1)
    for answer in (
        refuse_method(pending, busy),
        refuse_text(frame, busy, caller.session, view, caller.ip),
    ):
        assert json.loads(answer)["id"] == "x"
        assert json.loads(answer)["status"] == 503
        assert json.loads(answer)["error"]["code"] == -1008
    assert json.loads(refuse_text(b"?", busy, caller.session, view, caller.ip))["id"] is None


# Anything.

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda values: (
        st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(["id", "method", "params", "symbol", "apiKey", "timestamp", "signature"])
unhurried = settings(suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def offline() -> OfflineVenue:
    return OfflineVenue(limits_on=False)


def outcome_of(frame: bytes, session: MethodSession, offline: OfflineVenue) -> dict[str, Any]:
    outcome = prepare_method(frame, session, offline.view, "::1")
    if isinstance(outcome, PendingMethod):
        outcome = finish_method(outcome, offline.apply(outcome.submission.command))
    answer: dict[str, Any] = json.loads(outcome)
    return answer


@unhurried
@given(
    frame=st.binary(max_size=80)
    | st.dictionaries(NAMES, JUNK).map(lambda d: json.dumps(d).encode())
)
def test_whatever_comes_is_answered_and_changes_nothing(
    offline: OfflineVenue, frame: bytes
) -> None:
    before = digest(offline.state)
    answer = outcome_of(frame, MethodSession(START_MS), offline)
    assert 200 <= answer["status"] < 500
    assert digest(offline.state) == before


@unhurried
@given(method=st.sampled_from(sorted({*METHODS, *SESSION_METHODS})), data=st.data())
def test_whatever_comes_signed_is_answered(
    offline: OfflineVenue, method: str, data: st.DataObject
) -> None:
    endpoint = METHODS.get(method)
    names = sorted(endpoint.reader.names if endpoint else ()) or ["symbol"]
    params = data.draw(st.dictionaries(st.sampled_from(names), JUNK, max_size=4))
    answer = Caller(offline).call(method, **params)
    assert 200 <= answer["status"] < 500
