"""Every reason for which the engine refuses a command, as callers meet it in each dialect."""

from typing import Any, Final

import pytest
from tests.api.caller import Caller
from tests.api.caller import fault_of as fault_of_method
from tests.api.offline import fault, header
from tests.api.refusal_setups import AMEND, OPERATOR, PLACE, Row, Witness, open_venue
from tests.api.refusals import ROWS, UNMET, WORDS
from tests.api.trader import BATCH, Trader

from openperp.api.dialect import DIALECTS
from openperp.api.dispatch import Answer
from openperp.api.errors import from_reject
from openperp.engine.rejects import Reason, Reject
from openperp.engine.snapshot import digest

CASES: Final = [
    pytest.param(row, dialect.name, id=f"{row.reason.name}-{dialect.name}")
    for row in ROWS
    for dialect in DIALECTS.values()
    if not row.unmet_where or not getattr(dialect, row.unmet_where)
]


def test_every_reason_has_a_row_or_a_word_on_why_nobody_meets_it() -> None:
    met = {row.reason for row in ROWS}
    assert met | set(UNMET) == set(Reason)
    assert not met & set(UNMET)


@pytest.mark.parametrize(("row", "dialect"), CASES)
def test_a_refusal_has_its_code_and_message_and_changes_nothing(row: Row, dialect: str) -> None:
    venue = open_venue(dialect)
    row.setup(Trader(venue))
    before = digest(venue.state)
    expected = row.told(dialect)

    venue.last = None
    answer = send(venue, row)
    assert fault(answer) == expected
    assert header(answer, "x-explain")
    assert reason_of(venue) is (None if row.early else row.reason)
    assert digest(venue.state) == before

    given = {name: value for name, value in row.fields.items() if value is not None}
    if row.request in {PLACE, AMEND}:
        (element,) = Trader(venue).ask(row.request[0], BATCH, batchOrders=[given])
        assert (element["code"], element["msg"]) == expected[1:]
        assert digest(venue.state) == before

    word = WORDS.get(row.request)
    if word is not None:
        venue.last = None
        assert fault_of_method(Caller(venue).call(word, **given)) == expected
        assert reason_of(venue) is (None if row.early else row.reason)
        assert digest(venue.state) == before


@pytest.mark.parametrize("row", [row for row in ROWS if row.early], ids=lambda row: row.reason.name)
def test_what_is_refused_early_has_the_code_that_the_engine_would_give_it(row: Row) -> None:
    for dialect in DIALECTS.values():
        assert from_reject(Reject(row.reason, {}), dialect).code == row.told(dialect.name)[1]


def send(venue: Witness, row: Row) -> Answer:
    method, path = row.request
    if path.startswith(OPERATOR):
        return venue.operator(method, path.removeprefix(OPERATOR), **row.fields)
    return Trader(venue).send(method, path, **row.fields)


def reason_of(venue: Witness) -> Reason | None:
    """Why the engine refused the last command; None where none came since."""
    if venue.last is None:
        return None
    reply: Any = venue.last.reply
    assert isinstance(reply, Reject)
    return reply.reason
