"""Traders at offline venues, and the end of what their venues left open."""

from collections.abc import Iterator

import pytest
from tests.api import offline
from tests.api.offline import OfflineVenue
from tests.api.trader import Trader

from openperp.api.dialect import DIALECTS


@pytest.fixture(autouse=True, scope="module")
def _close_histories() -> Iterator[None]:
    yield
    while offline.OPEN:
        offline.OPEN.pop().close()


@pytest.fixture(params=list(DIALECTS))
def either(request: pytest.FixtureRequest) -> Trader:
    """Alice, in each dialect."""
    return Trader(OfflineVenue(request.param))


@pytest.fixture
def alice() -> Trader:
    """Alice, in the default dialect."""
    return Trader(OfflineVenue())


@pytest.fixture
def bob(alice: Trader) -> Trader:
    """Bob, at the same venue as alice."""
    return Trader(alice.venue, "bob")


@pytest.fixture
def modern() -> Trader:
    """Alice, in the binance dialect."""
    return Trader(OfflineVenue("binance"))
