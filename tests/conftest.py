"""Fixtures for tests through a real socket; `venue` itself comes with the package."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import settings

from openperp.testing import Account, Venue

# A machine that is busy with something else must not turn a property red.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names bytes by their length: workers must agree on names, and frames are masked by chance."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) else None


@pytest.fixture
def alice(venue: Venue) -> Account:
    """A trader with 10000 USDT."""
    return venue.account("alice", deposit="10000")


@pytest.fixture
def bob(venue: Venue) -> Account:
    """A second trader with 10000 USDT, for the other side of a trade."""
    return venue.account("bob", deposit="10000")


@pytest.fixture
def available() -> Callable[[Account], Decimal]:
    """Reads an account's available USDT."""

    def read(account: Account) -> Decimal:
        rows = account.get("/fapi/v2/balance")
        return next(Decimal(row["availableBalance"]) for row in rows if row["asset"] == "USDT")

    return read
