"""Refusals that need nothing beforehand, through a real socket, by REST and by the WebSocket API."""

from typing import Final

from tests.api.refusal_setups import OPERATOR, Row, nothing
from tests.api.refusals import ROWS, WORDS
from tests.contract.standing import standing
from tests.contract.test_ws_api import in_each_dialect, open_line

from openperp.testing import Account, Answer, Venue

AT_ONCE: Final = [row for row in ROWS if row.setup is nothing]


@in_each_dialect
def test_refusals(venue: Venue, dialect: str) -> None:
    alice = venue.account("alice")
    before = standing(venue)
    with open_line(venue, alice) as line:
        for row in AT_ONCE:
            answer = send(venue, alice, row)
            told = answer.json()
            assert (answer.status, told["code"], told["msg"]) == row.told(dialect)
            assert answer.headers["x-explain"]
            assert standing(venue) == before
            word = WORDS.get(row.request)
            if word is not None:
                given = {name: value for name, value in row.fields.items() if value is not None}
                refusal = line.call(word, **given)
                told = refusal["error"]
                assert (refusal["status"], told["code"], told["msg"]) == row.told(dialect)
                assert standing(venue) == before


def send(venue: Venue, account: Account, row: Row) -> Answer:
    method, path = row.request
    if path.startswith(OPERATOR):
        return venue.operator.send(method, path.removeprefix(OPERATOR), row.fields)
    return account.send(method, path, **row.fields)
