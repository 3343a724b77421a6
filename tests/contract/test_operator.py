"""The operator API, through a real socket."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.standing import standing

from openperp.testing import Account, Venue, VenueError

Place = Callable[..., dict[str, Any]]


def balance(account: Account) -> str:
    rows = account.get("/fapi/v2/balance")
    return next(str(row["balance"]) for row in rows if row["asset"] == "USDT")


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic x", "Bearer ", ""])
def test_every_call_needs_the_token(venue_session: Venue, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for method, path in (("GET", "status"), ("GET", "accounts"), ("POST", "reset")):
        answer = venue_session.request(method, f"/operator/v1/{path}", headers)
        assert answer.status == 401, (method, path, answer.body)


def test_status(venue: Venue) -> None:
    status = venue.status()
    assert status["seq"] >= 1
    assert status["digest"]
    assert status["time"] == 1_767_225_600_000
    assert status["clock"] == "virtual"
    assert status["mode"] == "normal"
    assert status["invariants"] == "ok"


def test_accounts(venue: Venue) -> None:
    reply = venue.operator.post("accounts", name="dora", deposit="2500")
    assert reply["name"] == "dora"
    dora = venue.attach("dora", reply["api_key"], reply["api_secret"])
    assert balance(dora) == "2500.00000000"
    venue.operator.post("accounts/dora/deposit", asset="USDT", amount="0.00000001")
    venue.operator.post("accounts/dora/withdraw", asset="USDT", amount="500")
    assert balance(dora) == "2000.00000001"
    names = [row["name"] for row in venue.operator.get("accounts")]
    assert {"demo", "dora"} <= set(names)


def test_a_name_is_taken_once(venue: Venue) -> None:
    venue.account("alice")
    with pytest.raises(VenueError) as caught:
        venue.account("alice", deposit="1")
    assert caught.value.status in {400, 409}


def test_no_more_is_withdrawn_than_is_available(venue: Venue, alice: Account) -> None:
    before = standing(venue)
    with pytest.raises(VenueError):
        venue.operator.post("accounts/alice/withdraw", asset="USDT", amount="10000.00000001")
    assert balance(alice) == "10000.00000000"
    assert standing(venue) == before


def test_a_further_key(venue: Venue, alice: Account) -> None:
    keys = venue.operator.post("accounts/alice/keys", type="hmac", permissions=["read", "trade"])
    second = venue.attach("alice", keys["api_key"], keys["api_secret"])
    assert second.api_key != alice.api_key
    assert balance(second) == balance(alice)


def test_a_price_moves_index_mark_and_last_at_once(venue: Venue, alice: Account) -> None:
    venue.price("BTCUSDT", "61234.5")
    premium = venue.get("/fapi/v1/premiumIndex?symbol=BTCUSDT")
    assert premium["indexPrice"] == premium["markPrice"]
    assert float(premium["markPrice"]) == 61234.5
    assert float(venue.get("/fapi/v1/ticker/price?symbol=BTCUSDT")["price"]) == 61234.5
    assert alice.get("/fapi/v1/userTrades", symbol="BTCUSDT") == []


def test_a_price_may_leave_last_alone(
    venue: Venue, alice: Account, bob: Account, place: Place
) -> None:
    place(bob, side="SELL", price="60000")
    place(alice, price="60000")
    venue.price("BTCUSDT", "61000", last=False)
    assert float(venue.get("/fapi/v1/premiumIndex?symbol=BTCUSDT")["markPrice"]) == 61000
    assert float(venue.get("/fapi/v1/ticker/price?symbol=BTCUSDT")["price"]) == 60000


@pytest.mark.parametrize("working", ["MARK_PRICE", "CONTRACT_PRICE"])
def test_a_price_fires_stops_on_either_price(
    venue: Venue, alice: Account, bob: Account, place: Place, working: str
) -> None:
    place(bob, side="SELL", price="65100", quantity="0.01")
    order = place(alice, "stop market", workingType=working)["orderId"]
    venue.price("BTCUSDT", "65000")
    found = alice.get("/fapi/v1/order", symbol="BTCUSDT", orderId=order)
    assert (found["status"], found["type"], found["origType"]) == (
        "FILLED",
        "MARKET",
        "STOP_MARKET",
    )


def test_the_clock_moves_forward_only(venue: Venue) -> None:
    start = venue.get("/fapi/v1/time")["serverTime"]
    venue.advance("8h")
    assert venue.get("/fapi/v1/time")["serverTime"] == start + 8 * 3_600_000
    venue.operator.post("clock", set_ms=start + 9 * 3_600_000)
    assert venue.get("/fapi/v1/time")["serverTime"] == start + 9 * 3_600_000
    with pytest.raises(VenueError):
        venue.operator.post("clock", set_ms=start)
    assert venue.get("/fapi/v1/time")["serverTime"] == start + 9 * 3_600_000


@pytest.mark.venue(clock="real")
def test_a_real_clock_is_not_set(venue: Venue) -> None:
    with pytest.raises(VenueError):
        venue.operator.post("clock", advance_ms=1_000)
    venue.operator.post("clock", mode="virtual")
    before = venue.get("/fapi/v1/time")["serverTime"]
    venue.advance("1s")
    assert venue.get("/fapi/v1/time")["serverTime"] == before + 1_000


def test_reset_keeps_keys_and_first_deposits(venue: Venue, place: Place) -> None:
    alice = venue.account("alice", deposit="777")
    venue.operator.post("accounts/alice/deposit", asset="USDT", amount="1")
    live = place(alice)["orderId"]
    done = place(alice, timeInForce="IOC")["orderId"]
    venue.reset()
    assert balance(alice) == "777.00000000"
    assert alice.get("/fapi/v1/openOrders") == []
    assert alice.get("/fapi/v1/allOrders", symbol="BTCUSDT") == []
    entries = alice.delete("/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=[live, done])
    assert [entry["code"] for entry in entries] == [-2011, -2011]


@pytest.mark.parametrize("symbol", [None, "BTCUSDT"])
def test_cancel_only(venue: Venue, alice: Account, place: Place, symbol: str | None) -> None:
    order_id = place(alice)["orderId"]
    scope = {} if symbol is None else {"symbol": symbol}
    venue.operator.post("mode", mode="cancel_only", **scope)
    with pytest.raises(VenueError):
        place(alice)
    if symbol is not None:
        place(alice, symbol="ETHUSDT", price="2500", quantity="0.1")
    alice.delete("/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=[order_id])
    venue.operator.post("mode", mode="normal", **scope)
    assert place(alice)["status"] == "NEW"


def test_halted_refuses_cancels_too(venue: Venue, alice: Account, place: Place) -> None:
    order_id = place(alice)["orderId"]
    venue.operator.post("mode", mode="halted")
    with pytest.raises(VenueError):
        alice.delete("/fapi/v1/order", symbol="BTCUSDT", orderId=order_id)
    venue.operator.post("mode", mode="normal")
    assert (
        alice.delete("/fapi/v1/order", symbol="BTCUSDT", orderId=order_id)["status"] == "CANCELED"
    )


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("accounts", {}),
        ("accounts", {"name": "", "deposit": "1"}),
        ("accounts", {"name": "x", "deposit": "minus one"}),
        ("accounts", {"name": "x", "deposit": -1}),
        ("accounts/nobody/deposit", {"asset": "USDT", "amount": "1"}),
        ("accounts/alice/deposit", {"asset": "NOPE", "amount": "1"}),
        ("accounts/alice/keys", {"type": "unknown"}),
        ("price", {"symbol": "NOPE", "price": "1"}),
        ("price", {"symbol": "BTCUSDT", "price": "0"}),
        ("price", {"symbol": "BTCUSDT"}),
        ("clock", {"advance_ms": -1}),
        ("clock", {"mode": "sundial"}),
        ("mode", {"mode": "sleepy"}),
        ("mode", {"mode": "halted", "symbol": "NOPE"}),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(
    venue_session: Venue, path: str, fields: dict[str, Any]
) -> None:
    venue_session.account("alice")
    before = standing(venue_session)
    answer = venue_session.operator.send("POST", path, fields)
    assert 400 <= answer.status < 500, answer.body
    assert answer.json()["msg"]
    assert standing(venue_session) == before
