"""Keys, signatures and clocks."""

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.api.offline import (
    START_MS,
    TOKEN,
    WALL_MS,
    OfflineVenue,
    api_key,
    fault,
    header,
    sign,
)

from openperp.api.dispatch import Answer
from openperp.api.security import hmac_verifier, without_signature

PATH = "/fapi/v2/balance"
SECRET = b"2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
KEY = {"X-MBX-APIKEY": api_key("alice")}
STAMP = f"timestamp={START_MS}"

BAD_SIGNATURE = (400, -1022, "Signature for this request is not valid.")
LATE = (400, -1021, "Timestamp for this request is outside of the recvWindow.")
EARLY = (400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.")
BAD_KEY = (401, -2015, "Invalid API-key, IP, or permissions for action.")


def outcome(answer: Answer) -> object:
    return 200 if answer.status == 200 else fault(answer)


ORDER = "symbol=BTCUSDT&side=BUY&type=LIMIT"
REST = "recvWindow=5000&timestamp=1591702613943"


@pytest.mark.parametrize(
    ("query", "body", "signature"),
    [
        (
            f"{ORDER}&quantity=1&price=9000&timeInForce=GTC&{REST}",
            "",
            "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9",
        ),
        (
            f"{ORDER}&timeInForce=GTC",
            f"quantity=1&price=9000&{REST}",
            "30baaf0fab549bbeda7f5ef201898b34122da25fd23c646cac2c529aebe670a4",
        ),
    ],
)
def test_published_signatures(query: str, body: str, signature: str) -> None:
    verify = hmac_verifier(SECRET)
    text = (query + body).encode()
    assert verify(text, signature)
    assert verify(text, signature.upper())
    assert not verify(text + b" ", signature)
    assert not verify(text, signature[:-1])
    assert not verify(text, "\u00e9" * 64)


# Where a signature may stand, and over what it may be made.


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("{stamp}&signature={signature}", ""),
        ("signature={signature}&{stamp}", ""),
        ("{stamp}&SIGNATURE={signature}&x=1", ""),
        ("", "{stamp}&signature={signature}"),
        ("", "signature={signature}&{stamp}"),
        ("{stamp}", "x=1&signature={signature}"),
        ("{stamp}&signature={signature}", "x=1"),
        ("{stamp}&signature={signature}", '{{"x":1}}'),
        ("x=1", "{stamp}&signature={signature}"),
        ("x=%5B1%2C%202%5D&{stamp}&signature={signature}", ""),
        ("x=[1,2]&{stamp}&signature={signature}", ""),
    ],
)
def test_a_signature_covers_query_and_body_as_sent(query: str, body: str) -> None:
    venue = OfflineVenue()
    signed = "".join(
        "&".join(
            pair
            for pair in part.format(stamp=STAMP, signature="").split("&")
            if not pair.lower().startswith("signature=")
        )
        for part in (query, body)
    )
    for signature in (sign(signed), sign(signed).upper()):
        assert outcome(send(venue, query, body, signature)) == 200
    assert outcome(send(venue, query, body, sign(signed + "&"))) == BAD_SIGNATURE


def send(venue: OfflineVenue, query: str, body: str, signature: str) -> Answer:
    sent = [part.format(stamp=STAMP, signature=signature) for part in (query, body)]
    return venue.ask("GET", PATH, sent[0], sent[1], KEY)


@pytest.mark.parametrize(("strict", "expected"), [((), 200), (("signature",), BAD_SIGNATURE)])
def test_a_signature_over_the_decoded_text(strict: tuple[str, ...], expected: object) -> None:
    venue = OfflineVenue(strict=frozenset(strict))
    text = '["a b","\u00e9"]'
    signature = sign(f"list={text}&{STAMP}")
    for encode in (quote, quote_plus):
        sent = f"list={encode(text)}&{STAMP}&signature={signature}"
        assert outcome(venue.ask("GET", PATH, sent, headers=KEY)) == expected
        assert outcome(venue.ask("GET", PATH, "", sent, headers=KEY)) == expected


@pytest.mark.parametrize("signature", ["", "&signature=", "&signature=x", "&signature=" + "0" * 64])
def test_a_missing_or_wrong_signature(signature: str) -> None:
    answer = OfflineVenue().ask("GET", PATH, STAMP + signature, headers=KEY)
    assert fault(answer) == BAD_SIGNATURE


def test_the_explanation_repeats_the_text_but_never_the_signature() -> None:
    query, body = f"symbol=A&{STAMP}", "x=1%2C2"
    answer = OfflineVenue().ask("GET", PATH, f"{query}&signature=00", body, KEY)
    explanation = header(answer, "x-explain")
    assert explanation is not None
    assert query + body in explanation
    assert sign(query + body) not in explanation


@given(
    pairs=st.lists(st.sampled_from(["a=1", "signature=x", "SIGNATURE=y", "b", "", "c=signature"]))
)
def test_without_signature_drops_that_parameter_and_nothing_else(pairs: list[str]) -> None:
    """A second signature never gets here: names may be sent only once."""
    kept = [pair for pair in pairs if not pair.lower().startswith("signature=")]
    assume(len(kept) >= len(pairs) - 1)
    assert without_signature("&".join(pairs).encode()) == "&".join(kept).encode()


# Keys.


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (401, -2014, "API-key format invalid.")),
        ({"X-MBX-APIKEY": ""}, (401, -2014, "API-key format invalid.")),
        ({"X-MBX-APIKEY": "a" * 63}, (401, -2014, "API-key format invalid.")),
        ({"X-MBX-APIKEY": "!" * 64}, (401, -2014, "API-key format invalid.")),
        ({"X-MBX-APIKEY": "\u00e9" * 32}, (401, -2014, "API-key format invalid.")),
        ({"X-MBX-APIKEY": "a" * 64}, BAD_KEY),
    ],
)
def test_keys_that_are_none(headers: dict[str, str], expected: object) -> None:
    answer = OfflineVenue().ask("GET", PATH, f"{STAMP}&signature={sign(STAMP)}", headers=headers)
    assert fault(answer) == expected


@pytest.mark.parametrize(
    ("permissions", "reads", "trades"),
    [({"read", "trade"}, 200, 200), ({"read"}, 200, BAD_KEY), ({"trade"}, BAD_KEY, 200)],
)
def test_permissions(permissions: set[str], reads: object, trades: object) -> None:
    venue = OfflineVenue()
    venue.add_key(api_key("other"), "alice", permissions=frozenset(permissions))
    assert outcome(venue.signed("GET", PATH, name="other")) == reads
    cancel = venue.signed("DELETE", "/fapi/v1/allOpenOrders", "symbol=BTCUSDT", name="other")
    assert outcome(cancel) == trades


def test_addresses() -> None:
    venue = OfflineVenue()
    venue.add_key(api_key("home"), "alice", ips=frozenset({"10.0.0.1"}))
    assert outcome(venue.signed("GET", PATH, name="home", ip="10.0.0.1")) == 200
    assert outcome(venue.signed("GET", PATH, name="home", ip="10.0.0.2")) == BAD_KEY


def test_each_key_opens_its_own_account() -> None:
    venue = OfflineVenue()
    venue.signed("POST", "/fapi/v1/leverage", "symbol=BTCUSDT&leverage=7", name="bob")
    leverages = {
        name: venue.state.accounts[venue.state.account_ids[name]].positions
        for name in ("alice", "bob")
    }
    assert not leverages["alice"]
    assert leverages["bob"]["BTCUSDT"].leverage == 7


# Clocks.


def stamped(venue: OfflineVenue, timestamp: object, window: str = "") -> object:
    query = f"timestamp={timestamp}{window}"
    return outcome(venue.ask("GET", PATH, f"{query}&signature={sign(query)}", headers=KEY))


@pytest.mark.parametrize(
    ("late_ms", "window", "expected"),
    [
        (0, "", 200),
        (5_000, "", 200),
        (5_001, "", LATE),
        (-999, "", 200),
        (-1_000, "", EARLY),
        (5_001, "&recvWindow=5001", 200),
        (1, "&recvWindow=0", LATE),
        (60_000, "&recvWindow=9999999", 200),
        (60_001, "&recvWindow=9999999", LATE),
        (100, "&recvWindow=", 200),
    ],
)
def test_a_timestamp_is_good_for_its_window(late_ms: int, window: str, expected: object) -> None:
    assert stamped(OfflineVenue(), START_MS - late_ms, window) == expected


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("0", LATE),
        ('"0"', LATE),
        ("1", 200),
        ("null", 200),
        ('""', 200),
        ("false", -1100),
        ("[]", -1100),
        ("{}", -1100),
        ("0.5", -1100),
        ("-1", -1130),
    ],
)
def test_a_window_in_json_is_read_like_any_number(window: str, expected: object) -> None:
    offline = OfflineVenue()
    body = f'{{"timestamp":{START_MS - 1},"recvWindow":{window}}}'
    answer = offline.ask("GET", PATH, f"signature={sign(body)}", body, KEY)
    found = answer.status if answer.status == 200 else fault(answer)
    assert found == expected or (isinstance(found, tuple) and found[1] == expected)


@pytest.mark.parametrize(
    ("timestamp", "unit"),
    [(START_MS // 1000, "seconds"), (START_MS * 1000, "microseconds"), (START_MS - 9_999, "")],
)
def test_a_timestamp_in_another_unit_is_recognized(timestamp: int, unit: str) -> None:
    query = f"timestamp={timestamp}"
    answer = OfflineVenue().ask("GET", PATH, f"{query}&signature={sign(query)}", headers=KEY)
    assert fault(answer)[1] == -1021
    explanation = header(answer, "x-explain") or ""
    assert (f"looks like {unit} " in explanation) if unit else ("looks" not in explanation)


@pytest.mark.parametrize(
    ("timestamp", "code"),
    [("", -1102), ("abc", -1100), ("1.5", -1100), ("-1", -1100), (2**64, -1130), ("0x1", -1100)],
)
def test_a_timestamp_that_is_none(timestamp: object, code: int) -> None:
    found = stamped(OfflineVenue(), timestamp)
    assert isinstance(found, tuple)
    assert found[:2] == (400, code)


def test_a_missing_timestamp_is_named() -> None:
    answer = OfflineVenue().ask("GET", PATH, f"x=1&signature={sign('x=1')}", headers=KEY)
    message = "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed."
    assert fault(answer) == (400, -1102, message)


@pytest.mark.parametrize(
    ("clock", "strict", "timestamp", "expected"),
    [
        ("virtual", (), START_MS, 200),
        ("virtual", (), WALL_MS, 200),
        ("virtual", (), WALL_MS - 5_001, LATE),
        ("virtual", ("time",), START_MS, 200),
        ("virtual", ("time",), WALL_MS, LATE),
        ("real", (), WALL_MS, LATE),
    ],
)
def test_with_a_virtual_clock_either_time_will_do(
    clock: str, strict: tuple[str, ...], timestamp: int, expected: object
) -> None:
    venue = OfflineVenue(clock_mode=clock, strict=frozenset(strict))
    assert stamped(venue, timestamp) == expected


def test_the_explanation_shows_both_clocks_and_the_window() -> None:
    query = f"timestamp={START_MS - 7_000}&recvWindow=6000"
    answer = OfflineVenue().ask("GET", PATH, f"{query}&signature={sign(query)}", headers=KEY)
    assert header(answer, "x-explain") == (
        f"timestamp {START_MS - 7_000}, venue clock {START_MS} (real), wall clock {WALL_MS}:"
        " 7000 ms behind the venue, allowed 6000 ms behind and less than 1000 ms ahead"
    )


# The operator.


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (f"Bearer {TOKEN}x", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        ("Bearer ", 401),
        ("Bearer", 401),
        ("Bearer \u00e9", 401),
        (None, 401),
    ],
)
def test_the_operators_token(authorization: str | None, status: int) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = OfflineVenue().ask("GET", "/operator/v1/status", headers=headers)
    assert answer.status == status
    if status == 401:
        wrong = authorization in {f"Bearer {TOKEN}x", "Bearer \u00e9"}
        sentence = "this is not the operator token" if wrong else "this call needs the header"
        assert fault(answer)[1] == -2015
        assert fault(answer)[2].startswith(sentence)


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", "Bearer x", "", None])
def test_a_venue_without_a_token_has_no_operator(authorization: str | None) -> None:
    offline = OfflineVenue()
    offline.view.operator_token = ""
    headers = {} if authorization is None else {"Authorization": authorization}
    assert offline.ask("GET", "/operator/v1/status", headers=headers).status == 401
