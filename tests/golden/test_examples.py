"""The examples of the API reference are what the venue answers."""

from tests.golden import examples

from openperp.api.endpoints import ENDPOINTS
from openperp.gateway.pages import EXAMPLES


def test_the_examples_are_current() -> None:
    assert EXAMPLES.read_text(encoding="utf-8") == examples.text(), "out of date: make docs"


def test_every_endpoint_but_those_that_refuse_has_one() -> None:
    without = [name for name, answers in examples.record().items() if not answers]
    stances = {f"{each.method} {each.path}": each.stance for each in ENDPOINTS}
    assert all(stances[name].startswith("Refused with -") for name in without), without
