"""What a listener says, what it is answered, and what it hears from then on."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openperp.api.errors import ApiError
from openperp.api.streams.control import METHODS, NAME_MAX, STREAMS_MAX, Heard, StreamSession
from openperp.api.streams.targets import StreamPlan
from openperp.api.streams.user_events import parse_events

KEY = "k" * 64
KNOWN = {"a@trade": "a@trade", "A@trade": "a@trade", "b@trade": "b@trade", KEY: KEY}


def open_session(*names: str, combined: bool = False, strict: bool = False) -> StreamSession:
    return StreamSession(StreamPlan(combined, names), KNOWN.get, strict=strict)


def say(session: StreamSession, method: str, *params: Any) -> Any:
    """What a request is answered, without its id."""
    message: dict[str, Any] = {"method": method, "id": 1}
    if params or method != "LIST_SUBSCRIPTIONS":
        message["params"] = list(params)
    answer = json.loads(session.hear(json.dumps(message).encode()).answer)
    assert answer.pop("id") == 1
    return answer.get("result", answer.get("error"))


def error(heard: Heard) -> tuple[int, str]:
    fault = json.loads(heard.answer)["error"]
    return fault["code"], fault["msg"]


def test_streams_come_and_go() -> None:
    session = open_session("a@trade")
    assert say(session, "LIST_SUBSCRIPTIONS") == ["a@trade"]
    heard = session.hear(b'{"method":"SUBSCRIBE","params":["b@trade","a@trade"],"id":7}')
    assert heard == Heard(b'{"result":null,"id":7}', joined=("b@trade", "a@trade"))
    assert say(session, "LIST_SUBSCRIPTIONS") == ["a@trade", "b@trade"]
    heard = session.hear(b'{"method":"UNSUBSCRIBE","params":["a@trade","c@trade"],"id":8}')
    assert heard == Heard(b'{"result":null,"id":8}', left=("a@trade",))
    assert say(session, "LIST_SUBSCRIPTIONS") == ["b@trade"]


def test_two_names_of_one_stream_are_one_stream() -> None:
    session = open_session("A@trade")
    session.hear(b'{"method":"SUBSCRIBE","params":["a@trade"]}')
    assert list(session.streams) == ["a@trade"]
    assert session.hear(b'{"method":"UNSUBSCRIBE","params":["A@trade"]}').left == ("a@trade",)
    assert session.streams == {}


@pytest.mark.parametrize(
    "message",
    ['"SUBSCRIBE","params":["A@trade"]', '"SET_PROPERTY","params":["combined",true]'],
)
def test_a_stream_that_has_come_since_is_held_by_its_own_name(message: str) -> None:
    known: dict[str, str] = {}
    session = StreamSession(StreamPlan(False, ("A@trade", "a@trade")), known.get)
    assert list(session.streams) == ["A@trade", "a@trade"]
    known.update(KNOWN)
    session.hear(b'{"method":%b}' % message.encode())
    assert list(session.streams) == ["a@trade"], "no other name may reach those who publish it"
    assert session.hear(b'{"method":"UNSUBSCRIBE","params":["A@trade"]}').left == ("a@trade",)


@pytest.mark.parametrize("method", METHODS)
def test_no_depth_of_nesting_is_too_deep_to_be_answered(method: str) -> None:
    session = open_session()
    for depth in range(900, 1_000):  # around what Python recurses into
        nested = b"[" * depth + b"]" * depth
        heard = session.hear(b'{"method":"%b","params":%b}' % (method.encode(), nested))
        assert b'"error"' in heard.answer


def test_names_that_do_not_exist_are_listed_and_can_be_left() -> None:
    session = open_session("nobody@trade")
    assert say(session, "SUBSCRIBE", "x", "btcusdt@nothing") is None
    assert say(session, "LIST_SUBSCRIPTIONS") == ["nobody@trade", "x", "btcusdt@nothing"]
    assert say(session, "UNSUBSCRIBE", "x") is None
    assert list(session.streams) == ["nobody@trade", "btcusdt@nothing"]


def test_strict_names_are_taken_all_or_none() -> None:
    session = open_session("a@trade", strict=True)
    assert say(session, "SUBSCRIBE", "b@trade", "nobody@trade") == {
        "code": 2,
        "msg": "Invalid request: invalid stream",
    }
    assert list(session.streams) == ["a@trade"]
    with pytest.raises(ApiError) as caught:
        open_session("nobody@trade", strict=True)
    assert (caught.value.code, caught.value.status) == (-1130, 400)


def test_a_filter_of_the_address_belongs_to_its_key() -> None:
    wanted = parse_events("TRADE_LITE")
    session = StreamSession(StreamPlan(True, ("a@trade", KEY), {KEY: wanted}), KNOWN.get)
    assert session.streams == {"a@trade": None, KEY: wanted}
    assert say(session, "SUBSCRIBE", KEY, "b@trade") is None
    assert session.streams == {"a@trade": None, KEY: wanted, "b@trade": None}


@pytest.mark.parametrize(
    "written", ["1", "0", "-3", "1.50", "18446744073709551999", '"x"', '"\\u00e9"', "null", '""']
)
def test_an_id_comes_back_as_it_was_written(written: str) -> None:
    text = f'{{"id": {written}, "method":"LIST_SUBSCRIPTIONS"}}'.encode()
    assert open_session().hear(text).answer == f'{{"result":[],"id":{written}}}'.encode()
    text = f'{{"id": {written}, "method":"NO"}}'.encode()
    assert open_session().hear(text).answer.endswith(f'"id":{written}}}'.encode())


def test_no_id_is_null() -> None:
    answer = open_session().hear(b'{"method":"LIST_SUBSCRIPTIONS"}').answer
    assert answer == b'{"result":[],"id":null}'


@pytest.mark.parametrize("written", ["[1]", '{"a":1}', "true", "false"])
def test_other_ids_are_refused(written: str) -> None:
    heard = open_session().hear(f'{{"id":{written},"method":"LIST_SUBSCRIPTIONS"}}'.encode())
    assert error(heard) == (2, "Invalid request: request ID must be an unsigned integer")
    assert heard.answer.endswith(b'"id":null}')


@pytest.mark.parametrize("combined", [False, True])
def test_the_property(combined: bool) -> None:
    session = open_session(combined=combined)
    assert say(session, "GET_PROPERTY", "combined") is combined
    assert say(session, "SET_PROPERTY", "combined", not combined) is None
    assert say(session, "GET_PROPERTY", "combined") is session.combined is not combined


@pytest.mark.parametrize(
    ("method", "params", "code", "msg"),
    [
        ("GET_PROPERTY", ["speed"], 0, "Unknown property"),
        ("SET_PROPERTY", ["speed", True], 0, "Unknown property"),
        ("SET_PROPERTY", ["combined", 1], 1, "Invalid value type: expected Boolean"),
        ("SET_PROPERTY", ["combined", "true"], 1, "Invalid value type: expected Boolean"),
        ("SET_PROPERTY", ["combined"], 1, "Invalid value type: expected Boolean"),
        ("GET_PROPERTY", [1], 2, "Invalid request: property name must be a string"),
        ("GET_PROPERTY", [], 2, "Invalid request: property name must be a string"),
        ("GET_PROPERTY", ["combined", 1], 2, "Invalid request: too many parameters"),
        ("SET_PROPERTY", ["combined", True, 1], 2, "Invalid request: too many parameters"),
        ("LIST_SUBSCRIPTIONS", [1], 2, "Invalid request: too many parameters"),
        ("SUBSCRIBE", [1], 2, "Invalid request: invalid stream"),
        ("SUBSCRIBE", [None], 2, "Invalid request: invalid stream"),
        ("SUBSCRIBE", ["a@trade", ""], 2, "Invalid request: invalid stream"),
        ("SUBSCRIBE", ["a" * (NAME_MAX + 1)], 2, "Invalid request: invalid stream"),
    ],
)
def test_what_is_refused(method: str, params: list[Any], code: int, msg: str) -> None:
    session = open_session("b@trade")
    assert say(session, method, *params) == {"code": code, "msg": msg}
    assert (list(session.streams), session.combined) == (["b@trade"], False)


def test_an_unknown_method_says_where_it_stands() -> None:
    heard = open_session().hear(b'{"id": 1, "method": "PING"}')
    assert error(heard) == (
        2,
        (
            "Invalid request: unknown variant `PING`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, "
            "`LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 column 26"
        ),
    )


@pytest.mark.parametrize("text", [b"{}", b'{"id":4}', b"[]", b"1", b'"SUBSCRIBE"', b"null"])
def test_json_without_a_method_lacks_one(text: bytes) -> None:
    heard = open_session().hear(text)
    assert error(heard) == (
        2,
        f"Invalid request: missing field `method` at line 1 column {len(text)}",
    )
    assert not heard.ends


def test_subscribe_without_streams_lacks_them() -> None:
    heard = open_session().hear(b'{"method":"SUBSCRIBE","id":1}')
    assert error(heard) == (2, "Invalid request: missing field `params` at line 1 column 29")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"", "line 1 column 0"),
        (b"hello", "line 1 column 1"),
        (b'{"method":\n tru}', "line 2 column 3"),
        (b'{"method"', "line 1 column 9"),
        (b'["a"', "line 1 column 4"),
        (b'{"id":1}x', "line 1 column 9"),
        (b"[" * 60_000, "line 1 column 60000"),
        (b'{"id":' * 10_000, "line 1 column 60000"),
    ],
)
def test_what_is_not_json_ends_the_connection(text: bytes, place: str) -> None:
    heard = open_session().hear(text)
    assert heard.ends
    assert json.loads(heard.answer) == {
        "error": {"code": 3, "msg": f"Invalid JSON: expected value at {place}"}
    }


def test_no_more_streams_than_a_connection_may_have() -> None:
    session = open_session("a@trade")
    many = [f"s{number}@trade" for number in range(STREAMS_MAX)]
    assert say(session, "SUBSCRIBE", *many)["msg"] == "Invalid request: too many parameters"
    assert list(session.streams) == ["a@trade"]
    assert say(session, "SUBSCRIBE", *many[1:]) is None
    assert say(session, "SUBSCRIBE", "s5@trade") is None, "this one is there already"
    assert say(session, "SUBSCRIBE", "b@trade")["code"] == 2
    assert len(session.streams) == STREAMS_MAX
    with pytest.raises(ApiError):
        open_session(*many, "b@trade")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(METHODS) | JSON,
        "params": JSON | st.lists(JSON),
        "id": JSON,
    },
)


@given(
    st.lists(MESSAGES.map(lambda message: json.dumps(message).encode()) | st.text().map(str.encode))
)
def test_everything_is_answered(texts: list[bytes]) -> None:
    session = open_session()
    for text in texts:
        answer = json.loads(session.hear(text).answer)
        assert ("result" in answer) != ("error" in answer)
        assert len(session.streams) <= STREAMS_MAX
