"""DELETE /fapi/v1/batchOrders, case by case, through a real socket (`ztdx` dialect)."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from openperp.testing import Account, Answer, Venue

PATH = "/fapi/v1/batchOrders"
UNKNOWN = {"code": -2011, "msg": "Unknown order sent."}
FULL_WIDTH_12 = "\uff11\uff12"
BOTH_EMPTY = (
    "Param 'orderIdList' or 'origClientOrderIdList' must be sent, but both were empty/null!"
)
FIELDS = {
    "clientOrderId": str,
    "cumQty": str,
    "cumQuote": str,
    "executedQty": str,
    "orderId": int,
    "origQty": str,
    "origType": str,
    "price": str,
    "reduceOnly": bool,
    "side": str,
    "positionSide": str,
    "status": str,
    "stopPrice": str,
    "closePosition": bool,
    "symbol": str,
    "timeInForce": str,
    "type": str,
    "updateTime": int,
    "workingType": str,
    "priceProtect": bool,
}
TRAILING_FIELDS = FIELDS | {"activatePrice": str, "priceRate": str}

Place = Callable[..., dict[str, Any]]
Trade = Callable[..., tuple[int, int]]
Available = Callable[[Account], Decimal]


def cancel(account: Account, *ids: Any, symbol: str = "BTCUSDT") -> Any:
    return account.delete(PATH, symbol=symbol, orderIdList=list(ids))


def statuses(entries: list[dict[str, Any]]) -> list[Any]:
    return [entry.get("status", entry.get("code")) for entry in entries]


def fault(answer: Answer) -> tuple[int, int, str]:
    body = answer.json()
    return answer.status, body["code"], body["msg"]


# Lists and where they may stand.


def test_ten_ids_of_every_kind_are_answered_in_the_order_of_the_list(
    alice: Account, place: Place
) -> None:
    kinds = ["limit", "trailing", "stop", "limit", "take profit", "stop market", "limit"]
    kinds += ["take profit market", "trailing", "limit"]
    placed = [place(alice, kind) for kind in kinds]
    ids = [order["orderId"] for order in placed][::-1]
    entries = cancel(alice, *ids)
    assert [entry["orderId"] for entry in entries] == ids
    assert statuses(entries) == ["CANCELED"] * 10
    assert alice.get("/fapi/v1/openOrders", symbol="BTCUSDT") == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[{0},{1},{2}]", id="numbers"),
        pytest.param('["{0}","{1}","{2}"]', id="numeric strings"),
        pytest.param('[{0},"{1}",{2}]', id="both"),
        pytest.param("[{0}, {1},  {2}]", id="spaces after commas"),
        pytest.param(" [ {0} , {1} , {2} ] ", id="spaces anywhere"),
    ],
)
@pytest.mark.parametrize("name", ["orderIdList", "orderidlist", "ORDERIDLIST"])
@pytest.mark.parametrize("form", ["encoded", "raw", "body", "raw body"])
def test_a_list_is_read_in_every_form(
    venue_session: Venue, place: Place, text: str, name: str, form: str
) -> None:
    trader = venue_session.account("shared")
    ids = [place(trader)["orderId"] for _ in range(3)]
    listed = text.format(*ids)
    value = quote(listed) if form in {"encoded", "body"} else listed.replace(" ", "%20")
    params = f"symbol=BTCUSDT&{name}={value}&timestamp={venue_session.now_ms()}"
    in_body = form.endswith("body")
    answer = trader.send_raw("DELETE", PATH, *(("", params) if in_body else (params, "")))
    assert answer.status == 200, answer.body
    assert [entry["orderId"] for entry in answer.json()] == ids
    assert statuses(answer.json()) == ["CANCELED"] * 3


def test_symbol_and_list_in_the_body_beside_timestamp_and_signature_in_the_query(
    venue: Venue, alice: Account, place: Place
) -> None:
    order_id = place(alice)["orderId"]
    body = f"symbol=BTCUSDT&orderIdList={quote(f'[{order_id}]')}"
    answer = alice.send_raw("DELETE", PATH, f"timestamp={venue.now_ms()}", body)
    assert statuses(answer.json()) == ["CANCELED"]


def test_a_signature_over_the_decoded_text_is_accepted(
    venue: Venue, alice: Account, place: Place
) -> None:
    order_id = place(alice)["orderId"]
    stamp = venue.now_ms()
    signature = alice.sign(f"symbol=BTCUSDT&orderIdList=[{order_id}]&timestamp={stamp}")
    query = f"symbol=BTCUSDT&orderIdList=%5B{order_id}%5D&timestamp={stamp}&signature={signature}"
    answer = venue.request("DELETE", f"{PATH}?{query}", {"X-MBX-APIKEY": alice.api_key})
    assert statuses(answer.json()) == ["CANCELED"]


def test_client_ids_name_orders_too(alice: Account, place: Place) -> None:
    place(alice, newClientOrderId="first")
    place(alice, "stop", newClientOrderId="second")
    listed = ["second", "first", "third", "any thing at all"]
    entries = alice.delete(PATH, symbol="BTCUSDT", origClientOrderIdList=listed)
    assert [entry.get("clientOrderId") for entry in entries[:2]] == ["second", "first"]
    assert statuses(entries) == ["CANCELED", "CANCELED", -2011, -2011]


# What an entry looks like.


def test_a_cancelled_limit_order_has_the_fields_and_types_of_the_page(
    venue: Venue, alice: Account, place: Place
) -> None:
    order = place(alice, quantity="0.020", newClientOrderId="one")
    venue.advance("1s")
    (entry,) = cancel(alice, order["orderId"])
    assert {name: type(value) for name, value in entry.items()} == FIELDS
    assert entry == {
        "clientOrderId": "one",
        "cumQty": "0",
        "cumQuote": "0",
        "executedQty": "0",
        "orderId": order["orderId"],
        "origQty": "0.02",
        "origType": "LIMIT",
        "price": "50000",
        "reduceOnly": False,
        "side": "BUY",
        "positionSide": "BOTH",
        "status": "CANCELED",
        "stopPrice": "0",
        "closePosition": False,
        "symbol": "BTCUSDT",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "updateTime": order["updateTime"] + 1_000,
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
    }


def test_a_cancelled_trailing_order_has_its_two_fields_more(alice: Account, place: Place) -> None:
    order = place(alice, "trailing", side="SELL", activationPrice="61000.5", quantity="1")
    (entry,) = cancel(alice, order["orderId"])
    assert {name: type(value) for name, value in entry.items()} == TRAILING_FIELDS
    assert entry["activatePrice"] == "61000.5"
    assert entry["priceRate"] == "0.3"
    assert (entry["type"], entry["origType"]) == ("TRAILING_STOP_MARKET", "TRAILING_STOP_MARKET")
    assert (entry["price"], entry["origQty"]) == ("0", "1")


def test_a_partly_filled_order_keeps_what_it_filled(
    alice: Account, bob: Account, place: Place
) -> None:
    order = place(alice, price="60000", quantity="0.03")
    place(bob, side="SELL", price="60000", quantity="0.01")
    (entry,) = cancel(alice, order["orderId"])
    assert statuses([entry]) == ["CANCELED"]
    assert (entry["cumQty"], entry["executedQty"], entry["cumQuote"]) == ("0.01", "0.01", "600")


# Orders that have ended.


def test_ended_orders_are_answered_with_the_status_they_ended_in(
    venue: Venue, alice: Account, bob: Account, place: Place, trade: Trade
) -> None:
    filled, _ = trade(alice, bob)
    cancelled = place(alice)["orderId"]
    cancel(alice, cancelled)
    expired = place(alice, timeInForce="IOC")["orderId"]
    live = place(alice)["orderId"]
    before = alice.get("/fapi/v1/allOrders", symbol="BTCUSDT")
    venue.advance("200d")
    entries = cancel(alice, filled, cancelled, expired, live)
    assert statuses(entries) == ["FILLED", "CANCELED", "EXPIRED", "CANCELED"]
    for entry in entries:
        assert {name: type(value) for name, value in entry.items()} == FIELDS
    after = {row["orderId"]: row for row in alice.get("/fapi/v1/allOrders", symbol="BTCUSDT")}
    for row in before:
        if row["orderId"] in {filled, cancelled, expired} and row["orderId"] in after:
            assert after[row["orderId"]] == row


def test_ended_orders_are_found_by_client_id(alice: Account, bob: Account, place: Place) -> None:
    place(bob, side="SELL", price="60000")
    place(alice, price="60000", newClientOrderId="done")
    entries = alice.delete(PATH, symbol="BTCUSDT", origClientOrderIdList=["done"])
    assert statuses(entries) == ["FILLED"]


def test_ended_orders_are_found_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory, place: Place, trade: Trade
) -> None:
    data = tmp_path_factory.mktemp("data")
    with Venue(data=data) as venue:
        alice, bob = venue.account("alice"), venue.account("bob")
        filled, _ = trade(alice, bob)
        cancelled = place(alice, "trailing")["orderId"]
        first = cancel(alice, cancelled)
        expired = place(alice, timeInForce="IOC")["orderId"]
        live = place(alice, "stop")["orderId"]
        keys = (alice.api_key, alice.api_secret)
    with Venue(data=data) as venue:
        alice = venue.attach("alice", *keys)
        entries = cancel(alice, filled, cancelled, expired, live)
        assert statuses(entries) == ["FILLED", "CANCELED", "EXPIRED", "CANCELED"]
        assert entries[1] == first[0]


# Ids that name nothing.


@pytest.mark.parametrize(
    "order_id",
    [999_999, "999999", "abc", "", FULL_WIDTH_12, 0, -1, 2**63, 2**64, 10**30, "1e3", "1.0"],
)
def test_an_id_that_names_nothing_is_refused_in_its_place(
    alice: Account, place: Place, order_id: Any
) -> None:
    live = place(alice)["orderId"]
    assert cancel(alice, order_id, live)[0] == UNKNOWN
    assert statuses(cancel(alice, live, order_id)) == ["CANCELED", -2011]


def test_orders_of_another_account_or_symbol_are_unknown(
    alice: Account, bob: Account, place: Place, trade: Trade
) -> None:
    other_symbol = place(alice, symbol="ETHUSDT", price="2500", quantity="0.1")["orderId"]
    theirs = place(bob)["orderId"]
    their_stop = place(bob, "stop")["orderId"]
    _, their_filled = trade(alice, bob)
    assert cancel(alice, other_symbol, theirs, their_stop, their_filled) == [UNKNOWN] * 4
    assert len(bob.get("/fapi/v1/openOrders")) == 2


def test_the_same_id_twice_is_cancelled_once_and_shown_twice(alice: Account, place: Place) -> None:
    order_id = place(alice)["orderId"]
    first, second = cancel(alice, order_id, order_id)
    assert first == second
    assert first["status"] == "CANCELED"


# Attached orders.


def test_cancelling_a_parent_cancels_its_children(alice: Account, place: Place) -> None:
    parent = place(alice, takeProfitPrice="65000", stopLossPrice="45000")["orderId"]
    open_orders = alice.get("/fapi/v1/openOrders", symbol="BTCUSDT")
    children = [row["orderId"] for row in open_orders if row["orderId"] != parent]
    assert len(children) == 2
    entries = cancel(alice, parent)
    assert [entry["orderId"] for entry in entries] == [parent]
    assert alice.get("/fapi/v1/openOrders", symbol="BTCUSDT") == []
    for child in children:
        assert alice.get("/fapi/v1/order", symbol="BTCUSDT", orderId=child)["status"] == "CANCELED"


def test_a_child_listed_after_its_parent_is_shown_cancelled(alice: Account, place: Place) -> None:
    parent = place(alice, takeProfitPrice="65000")["orderId"]
    rows = alice.get("/fapi/v1/openOrders", symbol="BTCUSDT")
    child = next(row["orderId"] for row in rows if row["orderId"] != parent)
    entries = cancel(alice, parent, child)
    assert [entry["orderId"] for entry in entries] == [parent, child]
    assert statuses(entries) == ["CANCELED", "CANCELED"]


# Requests that are refused as a whole.

IDS = "orderIdList"
CLIENT_IDS = "origClientOrderIdList"
ELEVEN = json.dumps(list(range(1, 12)))
NOT_VALID = "Data sent for parameter '{}' is not valid."

WHOLE = [
    pytest.param({}, -1102, BOTH_EMPTY, id="neither list"),
    pytest.param({IDS: "[]"}, -1102, BOTH_EMPTY, id="an empty list"),
    pytest.param({IDS: ""}, -1102, BOTH_EMPTY, id="an empty value"),
    pytest.param({IDS: "[]", CLIENT_IDS: "[]"}, -1102, BOTH_EMPTY, id="two empty lists"),
    pytest.param({IDS: "[1]", CLIENT_IDS: '["a"]'}, -1128, None, id="both lists"),
    pytest.param({IDS: ELEVEN}, -4032, None, id="eleven ids"),
    pytest.param({CLIENT_IDS: json.dumps(["a"] * 11)}, -4032, None, id="eleven client ids"),
    *[
        pytest.param({IDS: text}, -1130, NOT_VALID.format(IDS), id=f"not ids: {text}")
        for text in ["1,2", "{}", "nope", "[1", "[1.5]", "[true]", "[null]", "[[1]]", "[{}]", "5"]
    ],
    *[
        pytest.param({CLIENT_IDS: text}, -1130, NOT_VALID.format(CLIENT_IDS), id=f"not: {text}")
        for text in ["a,b", '{"a":1}', "[a]", "[1.5]", "[true]", "[null]", '[["a"]]']
    ],
    pytest.param({"symbol": "NOSUCH", IDS: "[1]"}, -1121, "Invalid symbol.", id="unknown symbol"),
    pytest.param({"timestamp": 1_000, IDS: "[1]"}, -1021, None, id="old timestamp"),
]


@pytest.mark.parametrize(("changes", "code", "message"), WHOLE)
def test_a_request_that_is_refused_as_a_whole_changes_nothing(
    venue_session: Venue, place: Place, changes: dict[str, Any], code: int, message: str | None
) -> None:
    trader = venue_session.account("shared")
    live = place(trader)["orderId"]
    before = venue_session.status()["digest"]
    answer = trader.send("DELETE", PATH, **{"symbol": "BTCUSDT", **changes})
    assert fault(answer)[:2] == (400, code), answer.body
    if message is not None:
        assert fault(answer)[2] == message
    assert answer.headers["x-explain"]
    assert venue_session.status()["digest"] == before
    assert statuses(cancel(trader, live)) == ["CANCELED"]


def test_the_other_list_may_be_empty(alice: Account, place: Place) -> None:
    order = place(alice, newClientOrderId="mine")
    both: dict[str, Any] = {IDS: "[]", CLIENT_IDS: '["mine"]'}
    assert statuses(alice.delete(PATH, symbol="BTCUSDT", **both)) == ["CANCELED"]
    both = {IDS: [order["orderId"]], CLIENT_IDS: "[]"}
    assert statuses(alice.delete(PATH, symbol="BTCUSDT", **both)) == ["CANCELED"]


# Who may ask.


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        pytest.param("A" * 64, 401, -2015, id="unknown key"),
        pytest.param("short", 401, -2014, id="not 64 characters"),
        pytest.param("!" * 64, 401, -2014, id="other characters"),
        pytest.param("", 401, -2014, id="empty key"),
    ],
)
def test_a_key_that_is_not_known_is_refused(
    venue_session: Venue, key: str, status: int, code: int
) -> None:
    trader = venue_session.account("shared")
    stranger = Account(venue_session.wire, "stranger", key, trader.api_secret, venue_session.now_ms)
    answer = stranger.send("DELETE", PATH, symbol="BTCUSDT", orderIdList=[1])
    assert fault(answer)[:2] == (status, code)


@pytest.mark.usefixtures("alice")
def test_a_key_without_permission_to_trade_is_refused(venue: Venue) -> None:
    keys = venue.operator.post("accounts/alice/keys", type="hmac", permissions=["read"])
    reader = venue.attach("alice", keys["api_key"], keys["api_secret"])
    assert reader.get("/fapi/v2/balance")
    answer = reader.send("DELETE", PATH, symbol="BTCUSDT", orderIdList=[1])
    assert fault(answer)[:2] == (401, -2015)


@pytest.mark.parametrize("signature", ["&signature=" + "0" * 64, "&signature=", "", "&signature=x"])
def test_a_bad_or_missing_signature_is_refused(venue_session: Venue, signature: str) -> None:
    trader = venue_session.account("shared")
    query = f"symbol=BTCUSDT&orderIdList=[1]&timestamp={venue_session.now_ms()}{signature}"
    headers = {"X-MBX-APIKEY": trader.api_key}
    answer = venue_session.request("DELETE", f"{PATH}?{query}", headers)
    assert fault(answer) == (400, -1022, "Signature for this request is not valid.")


def test_the_explanation_of_a_bad_signature_shows_the_text_but_no_signature(
    venue_session: Venue,
) -> None:
    trader = venue_session.account("shared")
    text = f"symbol=BTCUSDT&orderIdList=[1]&timestamp={venue_session.now_ms()}"
    target = f"{PATH}?{text}&signature={'0' * 64}"
    answer = venue_session.request("DELETE", target, {"X-MBX-APIKEY": trader.api_key})
    assert text in answer.headers["x-explain"]
    assert trader.sign(text) not in answer.headers["x-explain"]


@pytest.mark.venue(explain=False)
def test_no_explain_leaves_the_header_out(alice: Account) -> None:
    assert "x-explain" not in alice.send("DELETE", PATH, symbol="BTCUSDT").headers


# What it costs and what it gives back.


def test_it_weighs_one_and_counts_no_order(alice: Account, place: Place) -> None:
    order_id = place(alice)["orderId"]
    first = alice.send("DELETE", PATH, symbol="BTCUSDT", orderIdList=[order_id])
    second = alice.send("DELETE", PATH, symbol="BTCUSDT", orderIdList=list(range(1, 11)))
    used = [int(answer.headers["x-mbx-used-weight-1m"]) for answer in (first, second)]
    assert used[1] - used[0] == 1
    fields = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    placed = alice.send("POST", "/fapi/v1/order", **fields, price="50000", quantity="0.01")
    assert placed.headers["x-mbx-order-count-1m"] == "2"
    assert "x-mbx-order-count-1m" not in first.headers


@pytest.mark.parametrize("leverage", [20, 7, 3])
def test_margin_is_given_back_to_the_last_digit(
    alice: Account, place: Place, available: Available, leverage: int
) -> None:
    alice.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage=leverage)
    before = available(alice)
    prices = ["50000.1", "49999.9", "33333.3", "12345.7"]
    ids = [place(alice, price=price, quantity="0.007")["orderId"] for price in prices]
    ids.append(place(alice, "stop")["orderId"])
    ids.append(place(alice, side="SELL", price="70000.7", quantity="0.013")["orderId"])
    assert available(alice) < before
    cancel(alice, *ids)
    assert available(alice) == before


def test_the_frozen_margin_is_value_over_leverage_rounded_up(
    alice: Account, place: Place, available: Available
) -> None:
    alice.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage=7)
    before = available(alice)
    place(alice, price="50000.1", quantity="0.001")
    assert before - available(alice) == Decimal("7.14287143")  # 50.0001 / 7 = 7.142871428...
