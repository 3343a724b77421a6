"""What clients send, and what becomes of it."""

import json
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.desk import BTC

from openperp.api.dialect import DIALECTS
from openperp.api.errors import ApiError
from openperp.api.kinds import (
    Bool,
    ClientId,
    ClientIds,
    Decimal,
    Long,
    NoId,
    Objects,
    OrderIds,
    Symbol,
    Text,
    Word,
    Words,
)
from openperp.api.params import (
    Params,
    Reader,
    read_fields,
    to_lots,
    to_money,
    to_ppm,
    to_ticks,
    unescape,
)
from openperp.engine.state import Market
from openperp.engine.terms import PositionSide, Side


class Everything(Params, frozen=True):
    """One parameter of each kind."""

    symbol: Annotated[str, Symbol()]
    order_id: Annotated[int | None, Long()] = None
    side: Annotated[Side | None, Word(Side, -1117)] = None
    position_side: Annotated[PositionSide, Word(PositionSide, -4060)] = PositionSide.BOTH
    working: Annotated[str | None, Word({"MARK": "m"}, -4031, names_value=True)] = None
    reduce_only: Annotated[bool, Bool()] = False
    price: Annotated[str, Decimal()] = ""
    new_client_order_id: Annotated[str, ClientId()] = ""
    activate_price: Annotated[str, Decimal()] = ""
    order_id_list: Annotated[tuple[int | NoId, ...], OrderIds()] = ()
    orig_client_order_id_list: Annotated[tuple[str, ...], ClientIds()] = ()
    batch_orders: Annotated[tuple[dict[str, Any], ...], Objects()] = ()
    note: Annotated[str, Text(5)] = ""
    permissions: Annotated[tuple[str, ...], Words("read", "trade")] = ()


READER = Reader(Everything)


def read(query: str | bytes = b"", body: str | bytes = b"") -> Everything:
    query = query.encode() if isinstance(query, str) else query
    body = body.encode() if isinstance(body, str) else body
    return READER.read(read_fields(query, body))


def refusal(query: str | bytes = b"", body: str | bytes = b"") -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        read(query, body)
    return caught.value.code, caught.value.msg


# Where parameters stand.


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("symbol=BTCUSDT&orderId=7&reduceOnly=true", ""),
        ("", "symbol=BTCUSDT&orderId=7&reduceOnly=true"),
        ("symbol=BTCUSDT", "orderId=7&reduceOnly=true"),
        ("SYMBOL=btcusdt&orderid=7&REDUCEONLY=True", ""),
        ("", '{"symbol":"BTCUSDT","orderId":7,"reduceOnly":true}'),
        ("", ' {"SYMBOL":"BTCUSDT","orderID":"7","reduceOnly":"true"}\n'),
        ("symbol=BTCUSDT", '{"symbol":"ETHUSDT","orderId":7,"reduceOnly":true}'),
        ("symbol=BTCUSDT", "symbol=ETHUSDT&orderId=7&reduceOnly=true"),
        ("&symbol=BTCUSDT&&orderId=7&reduceOnly=true&", " \r\n"),
        ("s%79mbol=%42TCUSDT&orderId=%37&reduceOnly=true", ""),
        ("symbol=BTCUSDT&orderId=7&reduceOnly=true&unknown=1&another", ""),
    ],
)
def test_parameters_are_read_from_query_form_and_json(query: str, body: str) -> None:
    assert read(query, body) == Everything("BTCUSDT", order_id=7, reduce_only=True)


@pytest.mark.parametrize(
    ("query", "body", "code", "message"),
    [
        ("symbol=A&symbol=B", "", -1101, "Duplicate values for a parameter detected."),
        ("symbol=A&Symbol=A", "", -1101, "Duplicate values for a parameter detected."),
        ("", "symbol=A&symbol=A", -1101, "Duplicate values for a parameter detected."),
        ("", '{"symbol":"A","SYMBOL":"A"}', -1101, "Duplicate values for a parameter detected."),
        ("&".join(f"a{i}=" for i in range(101)), "", -1101, None),
        ("", json.dumps({f"a{i}": 1 for i in range(101)}), -1101, None),
        ("symbol=%", "", -1100, "Illegal characters found in a parameter."),
        ("symbol=%4", "", -1100, "Illegal characters found in a parameter."),
        ("symbol=%zz", "", -1100, "Illegal characters found in a parameter."),
        ("symbol=%2%43", "", -1100, "Illegal characters found in a parameter."),
        ("symbol=%ff", "", -1100, "Illegal characters found in a parameter."),
        (b"symbol=\xff", "", -1100, "Illegal characters found in a parameter."),
        ("symbol=A%00", "", -1100, "Illegal characters found in a parameter."),
        (b"symbol=A\0", "", -1100, "Illegal characters found in a parameter."),
        ("", '{"symbol":', -1130, "Invalid data sent for a parameter."),
        ("", '{"symbol":"A"} x', -1130, "Invalid data sent for a parameter."),
        ("", '{"a":' + "[" * 100_000, -1130, "Invalid data sent for a parameter."),
        ("", '{"a":' + "[" * 32 + "]" * 32 + "}", -1130, "Invalid data sent for a parameter."),
        ("", '{"a":NaN}', -1130, "Invalid data sent for a parameter."),
        ("", b'{"a":"\xff"}', -1130, "Invalid data sent for a parameter."),
    ],
)
def test_what_cannot_be_read_is_refused(
    query: str | bytes, body: str | bytes, code: int, message: str | None
) -> None:
    found = refusal(query, body)
    assert found[0] == code
    assert message is None or found[1] == message


def test_a_mandatory_parameter_is_named_when_missing_or_empty() -> None:
    message = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
    for query, body in (("", ""), ("symbol=", ""), ("symbol", ""), ("", '{"symbol":null}')):
        assert refusal(query, body) == (-1102, message)


def test_an_empty_optional_parameter_counts_as_not_sent() -> None:
    assert read("symbol=A&orderId=&price=&side=&orderIdList=") == Everything("A")


# Kinds.


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("7", 7), ("007", 7), (str(2**63 - 1), 2**63 - 1)],
)
def test_whole_numbers(text: str, value: int) -> None:
    assert read(f"symbol=A&orderId={text}").order_id == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *[(text, -1100) for text in ("x", "-1", "1.0", "1e3", "\uff11", "+1", "9" * 9_000)],
        *[(str(number), -1130) for number in (2**63, 2**64, 10**300)],
    ],
)
def test_what_is_no_whole_number_of_64_bits(text: str, code: int) -> None:
    assert refusal(f"symbol=A&orderId={text}")[0] == code


@pytest.mark.parametrize("value", [1.5, True, [1], {"a": 1}, -1, 2**64])
def test_what_json_cannot_pass_off_as_a_whole_number(value: Any) -> None:
    assert refusal(body=json.dumps({"symbol": "A", "orderId": value}))[0] in {-1100, -1130}


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("side=UP", -1117, "Invalid side."),
        ("side=buy", -1117, "Invalid side."),
        ("positionSide=UP", -4060, "Invalid position side."),
        ("working=LAST", -4031, "Invalid parameter working type: `LAST`"),
        ("reduceOnly=yes", -1130, "Data sent for parameter 'reduceOnly' is not valid."),
        ("reduceOnly=1", -1130, "Data sent for parameter 'reduceOnly' is not valid."),
        ("newClientOrderId=a%20b", -4015, "Client order id is not valid."),
        ("newClientOrderId=" + quote("é"), -4015, "Client order id is not valid."),
        (
            "newClientOrderId=" + "a" * 37,
            -4015,
            "Client order id length should not be more than 36 chars",
        ),
        ("note=123456", -1130, "Data sent for parameter 'note' is not valid."),
        ('permissions=["fly"]', -1130, "Data sent for parameter 'permissions' is not valid."),
        ("batchOrders=[1]", -1130, "Data sent for parameter 'batchOrders' is not valid."),
        ("batchOrders=[]", -4082, "Invalid number of batch place orders: 0"),
        ("batchOrders=[{},{},{},{},{},{}]", -4082, "Invalid number of batch place orders: 6"),
        ("batchOrders={'a':1}", -1130, "Data sent for parameter 'batchOrders' is not valid."),
    ],
)
def test_each_kind_refuses_with_its_own_code(query: str, code: int, message: str) -> None:
    assert refusal(f"symbol=A&{query}") == (code, message)


def test_each_kind_takes_what_it_should() -> None:
    query = (
        "symbol=A&side=SELL&positionSide=SHORT&working=MARK&reduceOnly=FALSE&price=0.10"
        "&newClientOrderId=x-A:b/c._9&note=12345&permissions=[%22read%22]"
        "&batchOrders=[{%22a%22:1.50,%22b%22:%22c%22}]"
    )
    assert read(query) == Everything(
        "A",
        side=Side.SELL,
        position_side=PositionSide.SHORT,
        working="m",
        price="0.10",
        new_client_order_id="x-A:b/c._9",
        note="12345",
        permissions=("read",),
        batch_orders=({"a": "1.50", "b": "c"},),
    )


@pytest.mark.parametrize("text", ["1", "0", "0.5", "5.", ".5", "-1", "9" * 20, "0." + "1" * 20])
def test_decimals_are_kept_as_text(text: str) -> None:
    assert read(f"symbol=A&price={text}").price == text


@pytest.mark.parametrize(
    "text", ["1e5", "NaN", "Infinity", ".", "-", "1,5", "9" * 21, "+1", "\uff11"]
)
def test_what_is_no_decimal(text: str) -> None:
    assert refusal(f"symbol=A&price={quote(text)}")[0] == -1100


@pytest.mark.parametrize(("number", "text"), [("1", "1"), ("0.10", "0.10"), ("60000.5", "60000.5")])
def test_json_numbers_are_kept_exactly(number: str, text: str) -> None:
    assert read(body=f'{{"symbol":"A","price":{number}}}').price == text


# Lists of ids.


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("[1,2,3]", (1, 2, 3)),
        ('["1","2",3]', (1, 2, 3)),
        ("[1, 2,\t3]", (1, 2, 3)),
        (" [ 1 , 2 ] ", (1, 2)),
        ("[]", ()),
        (f"[{2**63 - 1}]", (2**63 - 1,)),
        (f"[{2**63},1]", (str(2**63), 1)),
        (f"[{10**30}]", (str(10**30),)),
        (f'["{10**30}"]', (str(10**30),)),
        (f"[1,{'7' * 5_000}]", (1, "7" * 60)),
        (f'["{"7" * 5_000}"]', ("7" * 60,)),
        ('["order_id_1",5]', ("order_id_1", 5)),
        ('["","-1","1.0"," 1","\uff11"]', ("", "-1", "1.0", " 1", "\uff11")),
        ("[0]", ("0",)),
        ("[-1]", ("-1",)),
    ],
)
@pytest.mark.parametrize("encode", [str, quote, quote_plus], ids=["raw", "encoded", "plus"])
def test_lists_of_order_ids(text: str, ids: tuple[int | str, ...], encode: Any) -> None:
    """What can be no id is kept as text."""
    encoded = encode(text)
    found = read(f"symbol=A&orderIdList={encoded}").order_id_list
    assert found == ids
    assert [type(each) is NoId for each in found] == [type(each) is str for each in ids]
    assert read("symbol=A", f"ORDERIDLIST={encoded}").order_id_list == ids


@pytest.mark.parametrize(
    "text", ["1,2", "5", "{}", "[1", "[1.5]", "[true]", "[null]", "[[1]]", "[{}]", "[a b]", "null"]
)
def test_what_is_no_list_of_order_ids(text: str) -> None:
    message = "Data sent for parameter 'orderIdList' is not valid."
    assert refusal(f"symbol=A&orderIdList={text}") == (-1130, message)


def test_a_json_body_may_hold_the_list_itself() -> None:
    assert read(body='{"symbol":"A","orderIdList":[1,"2"]}').order_id_list == (1, 2)
    assert read(body='{"symbol":"A","orderIdList":"[1,2]"}').order_id_list == (1, 2)
    digits = "8" * 5_000
    body = f'{{"symbol":"A","orderIdList":[1,{digits}]}}'
    assert read(body=body).order_id_list == (1, "8" * 60)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('["a","b-1"]', ("a", "b-1")),
        ('["any thing","' + "x" * 37 + '",""]', ("any thing", "x" * 37, "")),
        (f'["a",{"7" * 5_000}]', ("a", "7" * 60)),
        ("[12]", ("12",)),
    ],
)
def test_lists_of_client_ids(text: str, ids: tuple[str, ...]) -> None:
    assert read(f"symbol=A&origClientOrderIdList={quote(text)}").orig_client_order_id_list == ids


@pytest.mark.parametrize("text", ["[a b]", "[a]", "a,b", "[1.5]", "[true]", "[null]", '[["a"]]'])
def test_what_is_no_list_of_client_ids(text: str) -> None:
    message = "Data sent for parameter 'origClientOrderIdList' is not valid."
    assert refusal(f"symbol=A&origClientOrderIdList={quote(text)}") == (-1130, message)


@pytest.mark.parametrize("name", ["orderIdList", "origClientOrderIdList"])
def test_more_than_ten_ids(name: str) -> None:
    assert refusal(f"symbol=A&{name}={quote(json.dumps(['a'] * 11))}") == (
        -4032,
        "Exceed maximum cancel order size.",
    )


# Unknown names, where they matter.


@pytest.mark.parametrize(
    ("query", "code", "hint"),
    [
        ("symbol=A&activationPrice=1", -1104, "did you mean activatePrice?"),
        ("symbol=A&wat=1", -1104, "unknown parameter wat"),
        ("symbol=A&price=", -1105, ""),
        ('symbol=A&orderIdList=["1"]', -1130, "an id in quotes"),
        ("symbol=A&orderIdList=[1,%202]", -1130, "a blank in the list"),
        ("symbol=A&orderIdList=+[1]", -1130, "a blank in the list"),
    ],
)
def test_strict_parameters(query: str, code: int, hint: str) -> None:
    with pytest.raises(ApiError) as caught:
        READER.check_known(read_fields(query.encode(), b""))
    assert caught.value.code == code
    assert hint in caught.value.explain


def test_strict_parameters_let_signing_names_pass() -> None:
    READER.check_known(read_fields(b"symbol=A&timestamp=1&recvWindow=1&signature=x", b""))


def test_strict_parameters_let_lists_of_numbers_pass() -> None:
    READER.check_known(read_fields(b"symbol=A&orderIdList=%5B1,2%5D", b""))
    READER.check_known(read_fields(b"", b'{"symbol": "A", "orderIdList": [1, 2]}'))


# Numbers of an instrument: tick 0.1, lot 0.001.

MARKET = Market(BTC, 1, 600_000)


@pytest.mark.parametrize(
    ("text", "ticks"),
    [("60000", 600_000), ("60000.1", 600_001), ("60000.10", 600_001), (".1", 1), ("-0", 0)],
)
def test_prices_become_ticks(text: str, ticks: int) -> None:
    assert to_ticks(MARKET, text, "price") == ticks


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        ("60000.12", "price", -1111),
        ("-1", "price", -4001),
        ("-1", "stopPrice", -4006),
        ("9" * 20, "price", -4002),
        ("9" * 20, "stopPrice", -4007),
    ],
)
def test_prices_that_are_none(text: str, name: str, code: int) -> None:
    with pytest.raises(ApiError) as caught:
        to_ticks(MARKET, text, name)
    assert caught.value.code == code
    assert text in caught.value.explain


def test_a_price_off_the_tick_says_by_how_much() -> None:
    spec = msgspec.structs.replace(BTC, tick_units=5)
    with pytest.raises(ApiError) as caught:
        to_ticks(Market(spec, 1, 1), "60000.7", "price")
    assert caught.value.code == -4014
    assert caught.value.explain == "PRICE_FILTER: price 60000.7 is 0.2 above a multiple of 0.5"


@pytest.mark.parametrize(
    ("text", "ztdx", "binance"),
    [
        ("0.010", 10, 10),
        ("1", 1_000, 1_000),
        ("0", 0, 0),
        ("0.0000", 0, 0),
        ("0.0109", 10, -1111),
        ("0.0009", -1013, -1111),
        ("-1", -4003, -4003),
        ("9" * 20, -4005, -4005),
    ],
)
def test_quantities_become_lots(text: str, ztdx: int, binance: int) -> None:
    for dialect, expected in (("ztdx", ztdx), ("binance", binance)):
        try:
            found = to_lots(MARKET, text, "quantity", DIALECTS[dialect])
        except ApiError as error:
            found = error.code
        assert found == expected, dialect


def test_a_quantity_below_one_lot_names_its_filter() -> None:
    with pytest.raises(ApiError) as caught:
        to_lots(MARKET, "0.0009", "quantity", DIALECTS["ztdx"])
    assert caught.value.msg == "Filter failure: LOT_SIZE"
    assert caught.value.explain == "LOT_SIZE: quantity 0.0009 is below one lot of 0.001"


def test_amounts_and_percentages() -> None:
    assert to_money("0.00000001", "amount") == 1
    assert to_ppm("0.3", "callbackRate") == 3_000
    for text, code in (("0.000000001", -1111), ("-1", -4055), ("9" * 20, -1130)):
        with pytest.raises(ApiError) as caught:
            to_money(text, "amount")
        assert caught.value.code == code


# Whatever comes. How fast examples are drawn depends on the machine alone.

unhurried = settings(suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(query=st.binary(max_size=200), body=st.binary(max_size=200))
def test_no_bytes_raise_anything_but_an_api_error(query: bytes, body: bytes) -> None:
    with suppress(ApiError):
        read(query, body)


NAMES = st.sampled_from([name for name, *_ in READER._plan])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@unhurried
@given(fields=st.dictionaries(NAMES, JSON, max_size=4))
def test_no_json_value_raises_anything_but_an_api_error(fields: dict[str, Any]) -> None:
    for text in (json.dumps(fields), json.dumps({n: json.dumps(v) for n, v in fields.items()})):
        with suppress(ApiError):
            read("symbol=A", text)


@unhurried
@given(text=st.text())
def test_unescape_undoes_percent_encoding(text: str) -> None:
    if "\0" not in text:
        assert unescape(quote(text)) == text
        assert unescape(quote_plus(text)) == text
