"""The operator API."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.api.caller import public_pem
from tests.api.offline import START_MS, TOKEN, OfflineVenue, fault

from openperp.api.dispatch import Answer, Pending, finish, prepare
from openperp.api.endpoint import Request
from openperp.engine.commands import AddKey
from openperp.engine.snapshot import digest

ORDER = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000"


@pytest.fixture
def offline() -> OfflineVenue:
    return OfflineVenue(clock_mode="virtual")


def told(answer: Answer) -> Any:
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def test_status(offline: OfflineVenue) -> None:
    status = told(offline.operator("GET", "status"))
    expected = {
        "seq": offline.state.seq,
        "digest": digest(offline.state),
        "time": START_MS,
        "clock": "virtual",
        "mode": "normal",
        "invariants": "ok",
        "dialect": "ztdx",
        "accounts": 2,
        "open_orders": 0,
    }
    assert {name: status[name] for name in expected} == expected
    assert status["symbols"]["BTCUSDT"] == {
        "mode": "normal",
        "index": "60000",
        "mark": "60000",
        "last": "60000",
    }


def test_the_digest_follows_the_state(offline: OfflineVenue) -> None:
    digests = []
    for _ in range(3):
        digests.append(told(offline.operator("GET", "status"))["digest"])
        told(offline.operator("GET", "status"))
        offline.operator("POST", "accounts/alice/deposit", amount="1")
    assert len(set(digests)) == 3


# Accounts.


def test_an_account_is_opened_with_a_key_of_its_own(offline: OfflineVenue) -> None:
    reply = told(offline.operator("POST", "accounts", name="carol", deposit="12.5"))
    assert reply["name"] == "carol"
    assert len(reply["api_key"]) == len(reply["api_secret"]) == 64
    key = offline.state.keys[reply["api_key"]]
    assert (key.account, key.kind, key.sealed_secret) == (3, "hmac", b"sealed")
    rows = told(offline.operator("GET", "accounts"))
    assert rows[2] == {
        "name": "carol",
        "asset": "USDT",
        "balance": "12.50000000",
        "multi_assets": False,
        "balances": {},
        "available": "12.50000000",
        "first_deposit": "12.50000000",
        "fee_tier": 0,
    }


def test_a_taken_name_gets_no_second_key(offline: OfflineVenue) -> None:
    before = digest(offline.state)
    answer = offline.operator("POST", "accounts", name="alice", deposit="1")
    assert fault(answer) == (400, -1109, "there is an account named alice already")
    assert digest(offline.state) == before


def test_an_account_and_its_key_come_together_or_not_at_all(offline: OfflineVenue) -> None:
    body = b'{"name":"carol","deposit":"5"}'
    headers = {b"authorization": f"Bearer {TOKEN}".encode()}
    request = Request("POST", "/operator/v1/accounts", b"", body, headers, "::1")
    first, second = prepare(request, offline.view), prepare(request, offline.view)
    assert isinstance(first, Pending)
    assert isinstance(second, Pending)
    reply = told(finish(first, offline.apply(first.submission.command)))
    refused = finish(second, offline.apply(second.submission.command))
    assert fault(refused)[:2] == (400, -1109)
    assert list(offline.state.keys) == [reply["api_key"]]


def test_transfers(offline: OfflineVenue) -> None:
    for action, amount, balance, moved in (
        ("deposit", "0.00000001", "10000.00000001", "0.00000001"),
        ("withdraw", "500", "9500.00000001", "-500.00000000"),
        ("deposit", 2.5, "9502.50000001", "2.50000000"),
        ("deposit", 3, "9505.50000001", "3.00000000"),
    ):
        assert told(offline.operator("POST", f"accounts/alice/{action}", amount=amount)) == {
            "name": "alice",
            "asset": "USDT",
            "amount": moved,
            "balance": balance,
        }


def test_a_further_key(offline: OfflineVenue) -> None:
    reply = told(
        offline.operator(
            "POST",
            "accounts/bob/keys",
            type="hmac",
            permissions=["read", "read"],
            ips=["10.0.0.1", "2001:DB8:0::1", "::ffff:10.0.0.2"],
        )
    )
    key = offline.state.keys[reply["api_key"]]
    ips = ["10.0.0.1", "2001:db8::1", "10.0.0.2"]
    assert (key.account, key.permissions, key.ips) == (2, ("read",), tuple(ips))
    assert (reply["permissions"], reply["ips"]) == (["read"], ips)


def test_a_key_for_the_private_key_of_a_pair(offline: OfflineVenue) -> None:
    pem = public_pem(Ed25519PrivateKey.generate())
    reply = told(
        offline.operator("POST", "accounts/bob/keys", type="ed25519", public_key=pem, ips=["::1"])
    )
    key = offline.state.keys[reply["api_key"]]
    assert (key.account, key.kind, key.ips) == (2, "ed25519", ("::1",))
    assert key.sealed_secret == pem.encode()
    assert reply == {
        "name": "bob",
        "type": "ed25519",
        "api_key": key.api_key,
        "permissions": ["read", "trade"],
        "ips": ["::1"],
    }


@pytest.mark.parametrize("body", ["name=carol", "[1]", '"x"', "{", '{"name":"carol",}'])
def test_a_body_that_is_no_json_object(offline: OfflineVenue, body: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = offline.ask("POST", "/operator/v1/accounts", "", body, headers)
    assert fault(answer)[:2] == (400, -1130)
    assert "JSON" in fault(answer)[2]
    assert offline.ask("POST", "/operator/v1/accounts", "", body).status == 401


# Prices, instruments, modes.


@pytest.mark.parametrize(
    ("market", "fields", "last"),
    [("quiet", {}, "61000.5"), ("quiet", {"last": False}, "60000"), ("demo", {}, "61000.5")],
)
def test_a_price_before_the_first_trade(market: str, fields: dict[str, Any], last: str) -> None:
    offline = OfflineVenue(market=market)
    reply = told(offline.operator("POST", "price", symbol="btcusdt", price="61000.5", **fields))
    assert (reply["symbol"], reply["index"], reply["mark"]) == ("BTCUSDT", "61000.5", "61000.5")
    assert reply["last"] == last


@pytest.mark.parametrize(
    ("market", "fields", "last"),
    [("quiet", {}, "61000.5"), ("quiet", {"last": False}, "60500"), ("demo", {}, "60500")],
)
def test_a_price_after_a_trade(market: str, fields: dict[str, Any], last: str) -> None:
    offline = OfflineVenue(market=market)
    for name, side in (("alice", "BUY"), ("bob", "SELL")):
        order = ORDER.replace("BUY", side).replace("50000", "60500")
        assert offline.signed("POST", "/fapi/v1/order", order, name=name).status == 200
    reply = told(offline.operator("POST", "price", symbol="BTCUSDT", price=61000.5, **fields))
    assert (reply["index"], reply["mark"], reply["last"]) == ("61000.5", "61000.5", last)


def test_an_instrument_is_added(offline: OfflineVenue) -> None:
    reply = told(
        offline.operator(
            "POST", "instruments", symbol="DOGEUSDT", tick="0.0001", lot=1, price="0.25"
        )
    )
    assert reply == {
        "symbol": "DOGEUSDT",
        "price": "0.25",
        "first_price": "0.25",
        "tick": "0.0001",
        "lot": "1",
    }
    assert offline.get("/fapi/v1/ticker/price", "symbol=DOGEUSDT")["price"] == "0.25"


def test_an_instrument_changes_its_terms_but_not_its_grid(offline: OfflineVenue) -> None:
    told(offline.operator("POST", "instruments", symbol="BTCUSDT", min_notional="5"))
    assert offline.state.markets["BTCUSDT"].spec.min_notional == 5 * 10**8
    answer = offline.operator("POST", "instruments", symbol="BTCUSDT", tick="0.5")
    status, code, msg = fault(answer)
    assert (status, code) == (400, -1130)
    assert "of an existing instrument cannot change" in msg


def test_the_price_of_a_traded_instrument_is_told_as_it_stands(offline: OfflineVenue) -> None:
    reply = told(offline.operator("POST", "instruments", symbol="BTCUSDT", price="70000"))
    assert (reply["price"], reply["first_price"]) == ("60000", "70000")
    assert offline.get("/fapi/v1/premiumIndex", "symbol=BTCUSDT")["indexPrice"] == "60000"
    told(offline.operator("POST", "reset"))
    assert offline.get("/fapi/v1/premiumIndex", "symbol=BTCUSDT")["indexPrice"] == "70000"


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"max_orders": 10**30}, "max_orders: beyond 64 bits"),
        ({"base": "x" * 100_000}, "base: not a text"),
        ({"base": "DO\x00GE"}, "base: not a text"),
        ({"tick": "\u0661"}, "tick: not a text"),
        ({"brackets": [[1, 10**30, "0.1"]]}, "brackets: beyond 64 bits"),
        ({"brackets": [[[[[1]]]]]}, "brackets: too many"),
        ({"brackets": [[1, 1, 1]] * 101}, "brackets: too many"),
        ({"quote": "USDC"}, "quote asset"),
        ({"max_orders": 2**62}, "order limit"),
        ({"maker_fee": "-0.1"}, "fees"),
        ({"taker_fee": 1}, "fees"),
        ({"brackets": [{"leverage": 200_000_000, "cap": 1000, "rate": "0.1"}]}, "leverage"),
        ({"brackets": [{"leverage": 20, "cap": 10**12, "rate": "0.1"}]}, "out of bounds"),
        ({"min_notional": 10**12}, "out of bounds"),
    ],
)
def test_absurd_terms_are_refused_in_a_sentence(
    offline: OfflineVenue, terms: dict[str, Any], sentence: str
) -> None:
    new = {"symbol": "DOGEUSDT", "tick": "0.0001", "lot": 1, "price": "0.25"}
    status, code, msg = fault(offline.operator("POST", "instruments", **{**new, **terms}))
    assert (status, code) == (400, -1130)
    assert sentence in msg
    assert "DOGEUSDT" not in offline.state.markets


@pytest.mark.parametrize(
    ("price", "index"),
    [
        ("60000.04", "60000"),
        ("60000.05", "60000.1"),
        ("60000.1499999999", "60000.1"),
        ("60001", "60001"),
        (".96", "1"),
    ],
)
def test_a_price_is_rounded_to_the_nearest_tick(
    offline: OfflineVenue, price: str, index: str
) -> None:
    reply = told(offline.operator("POST", "price", symbol="BTCUSDT", price=price))
    assert (reply["index"], reply["mark"], reply["last"]) == (index, index, index)


def test_status_tells_of_a_fault(offline: OfflineVenue) -> None:
    assert told(offline.operator("GET", "status"))["invariants"] == "ok"
    offline.fault = "money is not conserved"
    assert told(offline.operator("GET", "status"))["invariants"] == "money is not conserved"


@pytest.mark.parametrize("scope", [{}, {"symbol": "BTCUSDT"}])
def test_cancel_only(offline: OfflineVenue, scope: dict[str, str]) -> None:
    assert (
        told(offline.operator("POST", "mode", mode="cancel_only", **scope))["mode"] == "cancel_only"
    )
    refused = offline.signed("POST", "/fapi/v1/order", ORDER)
    assert fault(refused) == (400, -1122, "Invalid symbol status.")
    offline.operator("POST", "mode", mode="normal", **scope)
    assert offline.signed("POST", "/fapi/v1/order", ORDER).status == 200


# The clock and reset.


@pytest.mark.parametrize(
    ("fields", "time_ms"),
    [
        ({"advance_ms": 8 * 3_600_000}, START_MS + 8 * 3_600_000),
        ({"advance_ms": 0}, START_MS),
        ({"set_ms": START_MS + 5}, START_MS + 5),
        ({"mode": "virtual"}, START_MS),
    ],
)
def test_the_clock_moves(offline: OfflineVenue, fields: dict[str, Any], time_ms: int) -> None:
    assert told(offline.operator("POST", "clock", **fields)) == {
        "time": time_ms,
        "clock": "virtual",
    }
    assert offline.get("/fapi/v1/time")["serverTime"] == time_ms


@pytest.mark.parametrize(
    ("mode", "fields", "sentence"),
    [
        ("virtual", {"set_ms": START_MS - 1}, "cannot be set back"),
        ("virtual", {"set_ms": START_MS - 1}, "from then up to 253402300799000"),
        ("virtual", {"advance_ms": 10**18}, f"{10**18} is outside 0 to 253402300799000"),
        ("virtual", {"advance_ms": -1}, "advance_ms: -1 is outside 0 to 253402300799000"),
        ("virtual", {"advance_ms": 253402300799000}, "beyond the year 9999"),
        ("virtual", {"advance_ms": 253402300799000}, "advanced by 0 to 251635075199000 ms"),
        ("virtual", {"set_ms": 253402300799001}, "beyond the year 9999, to 253402300799001"),
        ("virtual", {}, "exactly one of"),
        ("virtual", {"set_ms": START_MS, "advance_ms": 1}, "exactly one of"),
        ("real", {"advance_ms": 1}, "the clock is real"),
        ("real", {"set_ms": START_MS + 1}, "the clock is real"),
    ],
)
def test_what_the_clock_refuses(mode: str, fields: dict[str, Any], sentence: str) -> None:
    offline = OfflineVenue(clock_mode=mode)
    answer = offline.operator("POST", "clock", **fields)
    assert answer.status == 400
    assert sentence in fault(answer)[2]
    assert offline.now_ms == START_MS


def test_reset_keeps_accounts_and_forgets_the_rest(offline: OfflineVenue) -> None:
    offline.apply(AddKey("alice", "k" * 64, "hmac", b"sealed"))
    for _ in range(300):
        offline.signed("POST", "/fapi/v1/order", ORDER)
    assert fault(offline.signed("POST", "/fapi/v1/order", ORDER))[:2] == (429, -1015)
    offline.operator("POST", "accounts/alice/deposit", amount="1")
    told(offline.operator("POST", "reset"))
    rows = told(offline.operator("GET", "accounts"))
    assert [(row["name"], row["balance"]) for row in rows] == [
        ("alice", "10000.00000000"),
        ("bob", "10000.00000000"),
    ]
    assert offline.state.keys
    assert offline.signed("POST", "/fapi/v1/order", ORDER).status == 200
    assert told(offline.operator("GET", "status"))["open_orders"] == 1


# What is refused.


@pytest.mark.parametrize(
    ("path", "fields", "status", "sentence"),
    [
        ("accounts", {}, 400, "'name'"),
        ("accounts", {"name": ""}, 400, "'name'"),
        ("accounts", {"name": "a/b", "deposit": "1"}, 400, "account name invalid"),
        ("accounts", {"name": "x" * 65}, 400, "name"),
        ("accounts", {"name": "x", "deposit": "minus one"}, 400, "deposit"),
        ("accounts", {"name": "x", "deposit": -1}, 400, "deposit -1 is negative"),
        ("accounts", {"name": "x", "deposit": "0.000000001"}, 400, "more than 8 decimals"),
        ("accounts", {"name": "x", "deposit": 2**62 // 10**8 + 1}, 400, "can count"),
        ("accounts/nobody/deposit", {"amount": "1"}, 404, "no account named nobody"),
        ("accounts/alice/deposit", {"asset": "NOPE", "amount": "1"}, 400, "asset NOPE"),
        ("accounts/alice/deposit", {"amount": "0"}, 400, "amount not positive"),
        ("accounts/alice/withdraw", {"amount": "10000.00000001"}, 400, "available 10000 USDT"),
        ("accounts/alice/keys", {"type": "dsa"}, 400, "these are: hmac, ed25519, rsa"),
        ("accounts/alice/keys", {"type": "rsa"}, 400, "rsa needs public_key"),
        ("accounts/alice/keys", {"type": "ed25519", "public_key": "x"}, 400, "not in PEM form"),
        ("accounts/alice/keys", {"type": "rsa", "public_key": "x" * 2001}, 400, "public_key"),
        ("accounts/alice/keys", {"public_key": "x"}, 400, "has a secret, and no public_key"),
        ("accounts/alice/keys", {"permissions": ["fly"]}, 400, "permissions"),
        ("accounts/alice/keys", {"permissions": []}, 400, "permissions: name at least one"),
        ("accounts/alice/keys", {"permissions": [["read"]]}, 400, "permissions"),
        ("accounts/alice/keys", {"ips": ["10.0.0.256"]}, 400, "'10.0.0.256' is no IP address"),
        ("accounts/alice/keys", {"ips": ["10.0.0.0/8"]}, 400, "is no IP address"),
        ("accounts/alice/keys", {"ips": [1]}, 400, "'1' is no IP address"),
        ("accounts/alice/keys", {"ips": ["::1"] * 31}, 400, "at most 30"),
        ("accounts/{name}/deposit", {"amount": "1"}, 404, "no account named {name}"),
        ("accounts/{name}/fee_tier", {"tier": 1}, 404, "no account named {name}"),
        ("accounts/alice/fee_tier", {"tier": 10}, 400, "tier"),
        ("accounts/alice/fee_tier", {}, 400, "tier"),
        ("accounts/{name}", {}, 404, "no endpoint"),
        ("accounts/alice/nope", {}, 404, "no endpoint"),
        ("price", {"symbol": "NOPE", "price": "1"}, 400, "NOPE is not listed"),
        (
            "price",
            {"symbol": "BTCUSDT", "price": "0"},
            400,
            "BTCUSDT can cost from 0.1 to 4529764, not 0",
        ),
        (
            "price",
            {"symbol": "BTCUSDT", "price": "-1"},
            400,
            "BTCUSDT can cost from 0.1 to 4529764, not -1",
        ),
        ("price", {"symbol": "BTCUSDT", "price": "0.04"}, 400, "0.1 to 4529764, not 0.04"),
        ("price", {"symbol": "BTCUSDT", "price": "9e9"}, 400, "not a decimal number of at most 20"),
        ("price", {"symbol": "BTCUSDT", "price": "4529764.1"}, 400, "4529764, not 4529764.1"),
        ("price", {"symbol": "BTCUSDT"}, 400, "'price'"),
        ("mode", {"mode": "sleepy"}, 400, "normal, cancel_only, halted"),
        ("mode", {"mode": "halted", "symbol": "NOPE"}, 400, "NOPE is not listed"),
        ("instruments", {"symbol": "NEWUSDT"}, 400, "tick"),
        ("instruments", {"symbol": "NEWUSDT", "tick": 0, "lot": 1, "price": 1}, 400, "tick"),
        ("instruments", {"symbol": "BTCUSDT", "wat": 1}, 400, "wat"),
    ],
)
def test_refusals_are_sentences_and_change_nothing(
    offline: OfflineVenue, path: str, fields: dict[str, Any], status: int, sentence: str
) -> None:
    seq, before = offline.state.seq, digest(offline.state)
    answer = offline.operator("POST", path, **fields)
    assert fault(answer)[0] == status, answer.body
    assert sentence in fault(answer)[2]
    offline.state.seq = seq  # a refusal of the engine takes a number, and nothing else
    assert digest(offline.state) == before
