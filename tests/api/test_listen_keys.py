"""Listen keys: one per account, for an hour of venue time, by the API key alone."""

import json
from typing import Any

import pytest
from tests.api.caller import Caller, fault_of
from tests.api.offline import START_MS, OfflineVenue, api_key, fault
from tests.api.trader import Trader

from openperp.api.dispatch import Answer
from openperp.api.errors import ApiError
from openperp.api.listen_keys import CHANGE_MS, LISTEN_KEY_MS, ListenKeys, SavedKey

PATH = "/fapi/v1/listenKey"
ALICE, BOB = 1, 2


class Mint:
    def __init__(self) -> None:
        self.minted = 0

    def __call__(self) -> str:
        self.minted += 1
        return f"{self.minted:064}"


def call(
    venue: OfflineVenue, method: str, query: str = "", body: str = "", name: str = "alice"
) -> Answer:
    """As most clients do: nothing but the API key."""
    return venue.ask(method, PATH, query, body, {"X-MBX-APIKEY": api_key(name)})


def listen_key(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    body: dict[str, Any] = json.loads(answer.body)
    assert list(body) == ["listenKey"]
    text: str = body["listenKey"]
    assert len(text) == 64
    assert text.isalnum()
    return text


def test_opening_again_returns_the_same_key_and_extends_it() -> None:
    venue = OfflineVenue()
    first = listen_key(call(venue, "POST"))
    venue.now_ms += LISTEN_KEY_MS - 1
    assert listen_key(call(venue, "POST")) == first
    venue.now_ms += LISTEN_KEY_MS - 1
    assert venue.view.listen_keys.find(first, venue.now_ms) == ALICE
    venue.now_ms += 1
    assert venue.view.listen_keys.find(first, venue.now_ms) is None
    assert listen_key(call(venue, "POST")) != first


@pytest.mark.parametrize("shape", ["bare", "query", "body", "signed", "signed body"])
def test_keeping_comes_in_every_shape(shape: str) -> None:
    venue = OfflineVenue()
    key = listen_key(call(venue, "POST"))
    venue.now_ms += LISTEN_KEY_MS - 1
    answers = {
        "bare": lambda: call(venue, "PUT"),
        "query": lambda: call(venue, "PUT", f"listenKey={key}"),
        "body": lambda: call(venue, "PUT", "", f"listenKey={key}"),
        "signed": lambda: venue.signed("PUT", PATH),
        "signed body": lambda: venue.signed("PUT", PATH, body=f"listenKey={key}"),
    }
    assert listen_key(answers[shape]()) == key
    venue.now_ms += LISTEN_KEY_MS - 1
    assert venue.view.listen_keys.find(key, venue.now_ms) == ALICE


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_key_of_another_account_is_not_there(method: str) -> None:
    venue = OfflineVenue()
    mine = listen_key(call(venue, "POST"))
    other = listen_key(call(venue, "POST", name="bob"))
    assert mine != other
    for wrong in (other, "x" * 64, "0"):
        answer = call(venue, method, f"listenKey={wrong}")
        assert fault(answer)[:2] == (400, -1125)
        assert "POST /fapi/v1/listenKey" in fault(answer)[2]
    assert venue.view.listen_keys.find(mine, venue.now_ms) == ALICE
    assert venue.view.listen_keys.find(other, venue.now_ms) == BOB


def test_keeping_what_is_not_there() -> None:
    venue = OfflineVenue()
    assert fault(call(venue, "PUT"))[:2] == (400, -1125)
    key = listen_key(call(venue, "POST"))
    venue.now_ms += LISTEN_KEY_MS
    assert fault(call(venue, "PUT"))[:2] == (400, -1125)
    assert fault(call(venue, "PUT", f"listenKey={key}"))[:2] == (400, -1125)


def test_closing() -> None:
    venue = OfflineVenue()
    key = listen_key(call(venue, "POST"))
    answer = call(venue, "DELETE", "", f"listenKey={key}")
    assert (answer.status, answer.body) == (200, b"{}")
    assert venue.view.listen_keys.find(key, venue.now_ms) is None
    assert fault(call(venue, "PUT"))[:2] == (400, -1125)
    assert call(venue, "DELETE").body == b"{}"
    assert venue.view.listen_keys.expire(venue.now_ms + LISTEN_KEY_MS) == []
    assert listen_key(call(venue, "POST")) != key


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_api_key_must_be_known(method: str) -> None:
    venue = OfflineVenue()
    assert fault(venue.ask(method, PATH))[:2] == (401, -2014)
    stranger = {"X-MBX-APIKEY": "x" * 64}
    assert fault(venue.ask(method, PATH, headers=stranger))[:2] == (401, -2015)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("body", ['{"listenKey":1}', "listenKey=" + "x" * 1000])
def test_what_is_no_listen_key(alice: Trader, method: str, body: str) -> None:
    call(alice.venue, "POST")
    assert fault(call(alice.venue, method, "", body))[:2] == (400, -1130)


def test_each_expired_key_is_told_once_in_order() -> None:
    keys, mint = ListenKeys(), Mint()
    first, second = keys.open(ALICE, START_MS, mint), keys.open(BOB, START_MS + 1, mint)
    assert keys.next_expiry_ms() == START_MS + LISTEN_KEY_MS
    assert keys.keep(ALICE, START_MS + 2) == first
    assert keys.next_expiry_ms() == START_MS + 1 + LISTEN_KEY_MS
    assert keys.expire(START_MS + LISTEN_KEY_MS) == []
    assert keys.expire(START_MS + 2 + LISTEN_KEY_MS) == [(second, BOB), (first, ALICE)]
    assert keys.expire(START_MS + 3 * LISTEN_KEY_MS) == []
    assert keys.next_expiry_ms() is None


def test_a_key_that_was_replaced_after_its_end_is_still_told() -> None:
    keys, mint = ListenKeys(), Mint()
    old = keys.open(ALICE, START_MS, mint)
    new = keys.open(ALICE, START_MS + LISTEN_KEY_MS, mint)
    assert old != new
    assert keys.expire(START_MS + LISTEN_KEY_MS) == [(old, ALICE)]
    assert keys.find(new, START_MS + LISTEN_KEY_MS) == ALICE


def test_keeping_after_the_end_does_not_bring_it_back() -> None:
    keys = ListenKeys()
    key = keys.open(ALICE, START_MS, Mint())
    with pytest.raises(ApiError) as refused:
        keys.keep(ALICE, START_MS + LISTEN_KEY_MS, key)
    assert refused.value.code == -1125
    assert keys.find(key, START_MS) is None


def test_the_websocket_api_opens_keeps_and_closes_the_same_key() -> None:
    """With the API key alone, as over REST."""
    venue = OfflineVenue()
    caller = Caller(venue)
    key = listen_key(call(venue, "POST"))
    for method in ("userDataStream.start", "userDataStream.ping"):
        answer = caller.ask(method, apiKey=caller.key)
        assert (answer["status"], answer["result"]) == (200, {"listenKey": key})
    assert caller.ask("userDataStream.stop", apiKey=caller.key)["result"] == {}
    assert venue.view.listen_keys.find(key, venue.now_ms) is None
    refused = caller.ask("userDataStream.ping", apiKey=caller.key)
    assert fault_of(refused)[:2] == (400, -1125)


def test_what_was_dumped_goes_on_where_it_is_loaded() -> None:
    keys, again, mint = ListenKeys(), ListenKeys(), Mint()
    first, second = keys.open(ALICE, START_MS, mint), keys.open(BOB, START_MS + 1, mint)
    keys.keep(ALICE, START_MS + 2)
    again.load(reversed(keys.dump()), START_MS + 3)
    assert again.dump() == keys.dump()
    assert again.find(first, START_MS + 3) == ALICE
    assert again.open(ALICE, START_MS + 3, mint) == first
    assert again.expire(START_MS + 1 + LISTEN_KEY_MS) == [(second, BOB)]
    again.close(ALICE, first)
    assert again.dump() == []


def test_what_has_expired_is_not_loaded_and_not_told() -> None:
    keys, again, mint = ListenKeys(), ListenKeys(), Mint()
    old, new = keys.open(ALICE, START_MS, mint), keys.open(BOB, START_MS + 1, mint)
    again.load(keys.dump(), START_MS + LISTEN_KEY_MS)
    assert again.find(old, START_MS + LISTEN_KEY_MS) is None
    assert again.find(new, START_MS + LISTEN_KEY_MS) == BOB
    assert again.expire(START_MS + LISTEN_KEY_MS) == []


def test_a_loaded_key_lives_no_longer_than_a_new_one() -> None:
    keys = ListenKeys()
    keys.load([SavedKey(ALICE, "a" * 64, START_MS + 9 * LISTEN_KEY_MS)], START_MS)
    assert keys.next_expiry_ms() == START_MS + LISTEN_KEY_MS


@pytest.mark.parametrize(
    "saved",
    [
        [SavedKey(ALICE, "a" * 64, START_MS), SavedKey(ALICE, "b" * 64, START_MS)],
        [SavedKey(ALICE, "a" * 64, START_MS), SavedKey(BOB, "a" * 64, START_MS)],
    ],
)
def test_what_was_never_dumped_is_not_loaded(saved: list[SavedKey]) -> None:
    keys = ListenKeys()
    with pytest.raises(ValueError, match="two"):
        keys.load(saved, START_MS - 1)
    assert keys.dump() == []


def test_each_change_is_told_when_it_has_happened() -> None:
    keys, mint = ListenKeys(), Mint()
    told: list[list[SavedKey]] = []
    keys.on_change = lambda: told.append(keys.dump())
    key = keys.open(ALICE, START_MS, mint)
    assert told == [[SavedKey(ALICE, key, START_MS + LISTEN_KEY_MS)]]
    keys.keep(ALICE, START_MS + CHANGE_MS - 1)
    assert len(told) == 1, "a minute more or less is not worth it"
    keys.keep(ALICE, START_MS + CHANGE_MS)
    assert told[1:] == [[SavedKey(ALICE, key, START_MS + CHANGE_MS + LISTEN_KEY_MS)]]
    keys.close(ALICE)
    keys.close(ALICE)
    assert told[2:] == [[]]
