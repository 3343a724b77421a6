"""The `Venue` handle: addresses, accounts, prices, time, reset, and what it leaves behind."""

import json
import socket
import sys
import threading
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import ccxt
import pytest
from click.testing import CliRunner

from openperp.cli.verify import verify
from openperp.node.errors import StartupError
from openperp.testing import Account, Venue, VenueError
from openperp.testing.duration import to_ms

START_MS = 1_767_225_600_000


def usdt(account: Account) -> str:
    rows = account.get("/fapi/v2/balance")
    return next(str(row["balance"]) for row in rows if row["asset"] == "USDT")


def test_the_example_of_the_contract() -> None:
    with Venue(market="quiet", clock="virtual", seed=1) as venue:
        alice = venue.account("alice", deposit="10000")
        assert len(alice.api_key) == len(alice.api_secret) == 64
        port = urlsplit(venue.rest).port
        assert venue.rest == f"http://127.0.0.1:{port}"
        assert venue.ws == f"ws://127.0.0.1:{port}"
        assert venue.ws_api == f"ws://127.0.0.1:{port}/ws-fapi/v1"
        venue.price("BTCUSDT", "60000")
        venue.advance("8h")
        assert venue.get("/fapi/v1/time")["serverTime"] == START_MS + 8 * 3_600_000
        venue.reset()
        assert usdt(alice) == "10000.00000000"


def test_venues_live_side_by_side() -> None:
    with Venue() as first, Venue() as second:
        assert first.rest != second.rest
        first.price("BTCUSDT", "61000")
        assert float(second.get("/fapi/v1/ticker/price?symbol=BTCUSDT")["price"]) == 60000
        stranger = second.attach("x", first.demo.api_key, first.demo.api_secret)
        with pytest.raises(VenueError, match="code -2015"):
            stranger.get("/fapi/v2/balance")


def test_closing_frees_port_and_thread() -> None:
    before = threading.active_count()
    venue = Venue()
    venue.get("/fapi/v1/ping")
    venue.close()
    venue.close()
    assert threading.active_count() == before
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", urlsplit(venue.rest).port or 0))


def test_the_same_name_is_the_same_account(venue: Venue) -> None:
    assert venue.account("alice") is venue.account("alice")
    assert usdt(venue.account("alice")) == "10000.00000000"
    assert usdt(venue.demo) == "100000.00000000"


@pytest.mark.parametrize("span", ["1m", 60_000, timedelta(minutes=1), "30s30s", "59s1000ms"])
def test_spans_of_time(span: str | int | timedelta) -> None:
    assert to_ms(span) == 60_000


@pytest.mark.parametrize("span", ["", "8", "h", "8 h", "8h!", "-1h", "1.5h"])
def test_what_is_no_span_of_time(span: str) -> None:
    with pytest.raises(ValueError, match="not a span of time"):
        to_ms(span)


def test_an_option_that_says_nothing_usable() -> None:
    with pytest.raises(StartupError, match="market"):
        Venue(market="loud")


@pytest.mark.venue(strict=("time",))
def test_requests_are_signed_with_venue_time_where_time_is_strict(venue: Venue) -> None:
    venue.advance("30d")
    assert usdt(venue.demo) == "100000.00000000"


def test_requests_are_signed_with_the_walls_time_otherwise(venue: Venue) -> None:
    venue.advance("30d")
    assert usdt(venue.demo) == "100000.00000000"


def test_an_error_says_what_and_why(venue: Venue) -> None:
    poor = venue.account("poor", deposit="1")
    fields = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    with pytest.raises(VenueError) as caught:
        poor.post("/fapi/v1/order", **fields, price="50000", quantity="1")
    assert (caught.value.status, caught.value.code) == (400, -2019)
    assert "2500" in caught.value.explain
    assert caught.value.explain in str(caught.value)


def test_an_error_says_nothing_twice(venue: Venue) -> None:
    venue.account("alice")
    with pytest.raises(VenueError) as caught:
        venue.account("alice", deposit="1")
    assert str(caught.value).count("there is an account named alice already") == 1


@pytest.mark.venue(clock="real")
def test_a_real_clock_cannot_be_advanced(venue: Venue) -> None:
    with pytest.raises(RuntimeError, match=r'Venue\(clock="virtual"\)'):
        venue.advance("1h")


def test_a_clock_start_needs_a_virtual_clock() -> None:
    with pytest.raises(StartupError, match="only a virtual clock"):
        Venue(clock="real", clock_start="2030-01-01")


def test_public_reads_take_parameters(venue: Venue) -> None:
    (row,) = [venue.get("/fapi/v1/ticker/price", symbol="BTCUSDT")]
    assert row == venue.get("/fapi/v1/ticker/price?symbol=BTCUSDT")
    assert venue.get("/fapi/v1/depth?symbol=BTCUSDT", limit=5)["bids"] == []


def test_a_ccxt_of_ones_own(venue: Venue) -> None:
    alice = venue.account("alice", deposit="5000")
    exchange = alice.ccxt(timeout=5000)
    assert exchange.timeout == 5000
    assert exchange.fetch_balance()["USDT"]["free"] == 5000.0
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order("999999", "BTC/USDT:USDT")
    hosts = {urlsplit(url).netloc for url in exchange.urls["api"].values() if isinstance(url, str)}
    assert hosts == {urlsplit(venue.rest).netloc}, "a key must not reach another host"


def test_ccxt_is_asked_for_where_it_is_missing(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(ModuleNotFoundError, match="pip install ccxt"):
        venue.demo.ccxt()


def test_many_threads_share_one_handle(venue: Venue) -> None:
    answers: list[str] = []

    def ask() -> None:
        answers.extend(usdt(venue.demo) for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["100000.00000000"] * 20


def test_the_same_seed_gives_the_same_market() -> None:
    def closing_prices(seed: int) -> list[str]:
        with Venue(market="demo", clock="virtual", seed=seed) as venue:
            venue.advance("1h")
            return [row["price"] for row in venue.get("/fapi/v1/ticker/price")]

    assert closing_prices(1) == closing_prices(1)
    assert closing_prices(1) != closing_prices(2)


def test_a_saved_journal_replays(venue: Venue, tmp_path: Path) -> None:
    venue.account("alice")
    assert venue.save_journal(tmp_path / "saved") == f"openperp verify {tmp_path / 'saved'}"
    result = CliRunner().invoke(verify, [str(tmp_path / "saved")])
    report = json.loads(result.output)
    assert (report["seq"], report["digest"]) == (venue.status()["seq"], venue.status()["digest"])
