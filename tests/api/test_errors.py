"""Codes, messages and explanations."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.desk import BTC

import openperp
from openperp.api.dialect import DIALECTS, Dialect
from openperp.api.errors import MESSAGES, REFUSALS, STATUSES, ApiError, from_reject
from openperp.api.explain import (
    HEADER_LIMIT,
    MONEY_NAMES,
    PLAIN_NAMES,
    header_value,
    quote_text,
)
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.rejects import Reason, Reject

SOURCE = Path(openperp.__file__).parent
DETAIL: dict[str, int | str] = {"min_notional": 5 * MONEY_ONE, "leverage": 500}


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.name)
def test_every_reason_has_an_answer_in_every_dialect(reason: Reason, dialect: Dialect) -> None:
    error = from_reject(Reject(reason, DETAIL), dialect, BTC)
    assert error.code in MESSAGES
    assert error.msg
    assert "%s" not in error.msg
    assert error.status == 400
    assert reason.name.replace("_", " ").lower() in error.explain


def test_the_tables_name_nothing_that_does_not_exist() -> None:
    assert set(REFUSALS) == set(Reason)
    assert set(STATUSES) <= set(MESSAGES)


def test_every_message_is_said_somewhere_and_every_code_has_one() -> None:
    written = set().union(*map(codes_in, SOURCE.rglob("*.py")))
    assert written == set(MESSAGES)


def codes_in(path: Path) -> set[int]:
    """Codes in a module's expressions, those of the table of messages left out."""
    tree = ast.parse(path.read_text())
    tables = {"MESSAGES", "STATUSES"}
    left_out = {
        id(node)
        for table in tree.body
        if isinstance(table, ast.AnnAssign) and ast.unparse(table.target) in tables
        for node in ast.walk(table)
    }
    return {
        -node.operand.value
        for node in ast.walk(tree)
        if id(node) not in left_out
        and isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
        and isinstance(node.operand.value, int)
        and node.operand.value >= 1_000
    }


def test_every_detail_of_a_refusal_has_a_known_unit() -> None:
    names = {
        keyword.arg or "**"
        for path in (SOURCE / "engine").glob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "refuse"
        for keyword in call.keywords
    }
    with_unit = {name for name in names if name.endswith(("ticks", "lots", "_ppm", "_amount"))}
    assert names - with_unit == MONEY_NAMES | PLAIN_NAMES
    assert not MONEY_NAMES & PLAIN_NAMES


@pytest.mark.parametrize(
    ("error", "code", "msg", "status"),
    [
        (ApiError(-1121), -1121, "Invalid symbol.", 400),
        (
            ApiError(-1102, "symbol"),
            -1102,
            "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
            400,
        ),
        (
            ApiError(-1102, "a", "b"),
            -1102,
            "Param 'a' or 'b' must be sent, but both were empty/null!",
            400,
        ),
        (ApiError(-1013, "LOT_SIZE"), -1013, "Filter failure: LOT_SIZE", 400),
        (
            ApiError(-1021, form=1),
            -1021,
            "Timestamp for this request was 1000ms ahead of the server's time.",
            400,
        ),
        (ApiError(-2014), -2014, "API-key format invalid.", 401),
        (ApiError(-2015), -2015, "Invalid API-key, IP, or permissions for action.", 401),
        (ApiError(-1015), -1015, "Too many new orders.", 429),
        (ApiError(-5000, "/x", "GET", status=404), -5000, "Path /x, Method GET is invalid", 404),
        (ApiError(-1130, "100%s"), -1130, "Data sent for parameter '100%s' is not valid.", 400),
        (ApiError.saying(-1109, "Nobody.", 404), -1109, "Nobody.", 404),
    ],
)
def test_messages_and_statuses(error: ApiError, code: int, msg: str, status: int) -> None:
    assert (error.code, error.msg, error.status) == (code, msg, status)


def test_every_message_takes_its_arguments() -> None:
    for code, forms in MESSAGES.items():
        for form, text in enumerate(forms):
            arguments = ["x"] * text.count("%s")
            assert ApiError(code, *arguments, form=form).msg == text.replace("%s", "x")


@pytest.mark.parametrize(
    ("dialect", "code", "msg"),
    [
        ("ztdx", -1013, "Filter failure: MIN_NOTIONAL"),
        (
            "binance",
            -4164,
            "Order's notional must be no smaller than 5 (unless you choose reduce only)",
        ),
    ],
)
def test_a_small_notional_in_each_dialect(dialect: str, code: int, msg: str) -> None:
    error = from_reject(Reject(Reason.NOTIONAL_BELOW_MINIMUM, DETAIL), DIALECTS[dialect])
    assert (error.code, error.msg) == (code, msg)


@pytest.mark.parametrize(
    ("reject", "text"),
    [
        (
            Reject(Reason.MARGIN_INSUFFICIENT, {"needed": 30 * MONEY_ONE + 1, "available": 0}),
            "margin insufficient: needed 30.00000001 USDT, available 0 USDT",
        ),
        (
            Reject(Reason.PRICE_ABOVE_MAXIMUM, {"ticks": 600_005, "max_ticks": 600_000}),
            "price above maximum: price 60000.5, max price 60000",
        ),
        (
            Reject(Reason.NOT_FILLABLE, {"lots": 1_500, "fillable_lots": 1}),
            "not fillable: quantity 1.5, fillable quantity 0.001",
        ),
        (
            Reject(Reason.WOULD_TRIGGER_IMMEDIATELY, {"trigger_ticks": 10, "price_ticks": 20}),
            "would trigger immediately: trigger price 1, price 2",
        ),
        (
            Reject(Reason.CALLBACK_RATE_INVALID, {"callback_ppm": 500}),
            "callback rate invalid: callback 0.05 %",
        ),
        (Reject(Reason.MODE_REFUSES, {"mode": "halted"}), "mode refuses: mode halted"),
        (Reject(Reason.REDUCE_ONLY_REJECTED, {}), "reduce only rejected"),
    ],
)
def test_refusals_are_explained_in_words_and_numbers(reject: Reject, text: str) -> None:
    assert from_reject(reject, DIALECTS["ztdx"], BTC).explain == text


@given(text=st.text())
def test_any_text_becomes_a_safe_header(text: str) -> None:
    value = header_value(text)
    assert all(32 <= byte < 127 for byte in value)
    assert len(value) <= HEADER_LIMIT


def test_long_texts_are_shortened() -> None:
    assert len(header_value("x" * 10_000)) == HEADER_LIMIT
    assert quote_text(b"a" * 10_000) == f"{'a' * 350} ...9300 characters... {'a' * 350}"
