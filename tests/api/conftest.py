"""Closes what the venues of a test left open."""

from collections.abc import Iterator

import pytest
from tests.api import offline


@pytest.fixture(autouse=True, scope="module")
def _close_histories() -> Iterator[None]:
    yield
    while offline.OPEN:
        offline.OPEN.pop().close()
