"""A venue inside a test: `with Venue(market="quiet", clock="virtual", seed=1) as venue: ...`.

The names load on first use, because pytest imports this package at every start
to find the fixtures (`openperp.testing.plugin`).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openperp.testing.account import Account
    from openperp.testing.http import Answer, VenueError
    from openperp.testing.venue import Venue

__all__ = ["Account", "Answer", "Venue", "VenueError"]

_HOMES = {"Account": "account", "Answer": "http", "Venue": "venue", "VenueError": "http"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
