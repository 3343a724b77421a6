"""pytest fixtures: `venue`, fresh in each test, and `venue_session`, shared by many.

    def test_my_bot(venue):
        alice = venue.account("alice", deposit="10000")
        ...

    @pytest.mark.venue(market="demo", seed=7)
    def test_my_bot_in_motion(venue): ...

The marker takes the arguments of `openperp.testing.Venue`. When a test with a
venue fails, its report names the seed and a command that replays what happened.
"""

from collections.abc import Generator, Iterator
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from openperp.testing.venue import Venue

FIXTURES = ("venue", "venue_session")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "venue(market=..., dialect=..., seed=..., clock=..., ...): "
        "options of the venue that the fixtures `venue` and `venue_session` start",
    )


@pytest.fixture
def venue(request: pytest.FixtureRequest) -> Iterator["Venue"]:
    """A venue of this test's own: its own port, a quiet market, a virtual clock."""
    from openperp.testing.venue import Venue  # noqa: PLC0415  pytest starts faster without it

    with Venue(**_options(request)) as started:
        yield started


@pytest.fixture
def venue_session(request: pytest.FixtureRequest, _session_venues: dict[str, "Venue"]) -> "Venue":
    """A venue shared by all tests of this worker that ask for the same options.

    It is not reset in between: use accounts of your own, or `reset()`.
    """
    from openperp.testing.venue import Venue  # noqa: PLC0415  as above

    options = _options(request)
    key = repr(sorted(options.items()))
    if key not in _session_venues:
        _session_venues[key] = Venue(**options)
    return _session_venues[key]


@pytest.fixture(scope="session")
def _session_venues() -> Iterator[dict[str, "Venue"]]:
    started: dict[str, Venue] = {}
    yield started
    for each in started.values():
        each.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" and report.failed:
        arguments: dict[str, Any] = getattr(item, "funcargs", {})
        from openperp.testing.venue import Venue  # noqa: PLC0415  as above

        for name in FIXTURES:
            # A test may have a fixture of that name which is something else.
            if isinstance(arguments.get(name), Venue):
                report.sections.append((f"openperp {name}", _evidence(item, arguments[name])))
    return report


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Options of every `venue` marker around the test; the nearest one wins."""
    options: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("venue"))):
        options |= marker.kwargs
    _check_names(options)
    return options


def _check_names(options: dict[str, Any]) -> None:
    from openperp.testing.venue import Venue  # noqa: PLC0415  as above

    known = list(signature(Venue).parameters)
    unknown = [name for name in options if name not in known]
    if unknown:
        raise pytest.UsageError(
            f"@pytest.mark.venue has no option {', '.join(unknown)}; it has {', '.join(known)}"
        )


def _evidence(item: pytest.Item, venue: "Venue") -> str:
    factory: pytest.TempPathFactory = item.config._tmp_path_factory  # type: ignore[attr-defined] # noqa: SLF001
    directory: Path = factory.mktemp("openperp-journal")
    return f"seed: {venue.seed}\nreplay: {venue.save_journal(directory)} --show"
