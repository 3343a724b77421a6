"""The history in SQLite: what is read is what was absorbed, whatever is written by then."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openperp.engine.events import (
    AccountCreated,
    Applied,
    Event,
    OrderCanceled,
    OrderFilled,
    TradeExecuted,
    VenueReset,
)
from openperp.engine.terms import OrderStatus, Side
from openperp.history import store
from openperp.history.base import Amendment, HistoryUnusable
from openperp.history.store import SqliteHistory

Open = Callable[[], SqliteHistory]


@pytest.fixture(params=["file", "memory"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteHistory]:
    path = tmp_path / "history.sqlite" if request.param == "file" else None
    with closing(SqliteHistory(path)) as history:
        yield history


@pytest.fixture(params=[False, True], ids=["unwritten", "written"])
def settle(request: pytest.FixtureRequest, history: SqliteHistory) -> Callable[[], None]:
    """Writes everything, or leaves it to the overlay."""
    return history.flush if request.param else lambda: None


def absorb(history: SqliteHistory, *events: Event) -> None:
    history.absorb(Applied(history.position + 1, 0, PULSE, None, events))


PULSE: Any = None


class TestOrders:
    def test_an_order_is_found_by_its_id(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        order = make.order(7)
        absorb(history, OrderCanceled(order))
        settle()
        assert history.find_order(1, "BTCUSDT", 7) == order
        assert history.find_order(1, "", 7) == order

    @pytest.mark.parametrize(
        ("account", "symbol", "order_id"),
        [(2, "BTCUSDT", 7), (1, "ETHUSDT", 7), (1, "BTCUSDT", 8), (2, "", 7), (1, "", 8)],
    )
    def test_another_order_is_not(
        self,
        history: SqliteHistory,
        settle: Callable[[], None],
        make: Any,
        account: int,
        symbol: str,
        order_id: int,
    ) -> None:
        absorb(history, OrderCanceled(make.order(7)))
        absorb(history, OrderCanceled(make.order(9, account=2, symbol="ETHUSDT")))
        settle()
        assert history.find_order(account, symbol, order_id) is None

    @pytest.mark.parametrize("order_id", [0, -1, 2**40 + 7, 2**63, 10**30, -(2**40) + 7])
    def test_an_id_that_cannot_be_finds_nothing(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any, order_id: int
    ) -> None:
        absorb(history, OrderCanceled(make.order(7)), OrderCanceled(make.order(8, account=2)))
        settle()
        assert history.find_order(1, "BTCUSDT", order_id) is None
        assert history.list_orders(1, "BTCUSDT", from_id=max(1, order_id)) == (
            [make.order(7)] if order_id < 7 else []
        )

    def test_a_client_id_finds_the_order_that_used_it_last(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        for order_id in (3, 4, 5):
            absorb(history, OrderCanceled(make.order(order_id, client_id="again")))
        settle()
        absorb(history, OrderCanceled(make.order(6, client_id="other")))
        found = history.find_order_by_client_id(1, "BTCUSDT", "again", None)
        assert found == make.order(5, client_id="again")
        assert history.find_order_by_client_id(2, "BTCUSDT", "again", None) is None
        assert history.find_order_by_client_id(1, "ETHUSDT", "again", None) is None
        assert history.find_order_by_client_id(1, "", "again", None) == found

    def test_the_last_order_on_the_symbol_is_found_among_those_of_others(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        symbols = ["BTCUSDT", "BTCUSDT", "ETHUSDT"]
        for order_id, symbol in enumerate(symbols, 1):
            absorb(history, OrderCanceled(make.order(order_id, symbol=symbol, client_id="again")))
        settle()
        for symbol, expected in (("BTCUSDT", 2), ("ETHUSDT", 3), ("", 3)):
            found = history.find_order_by_client_id(1, symbol, "again", None)
            assert found is not None
            assert found.order_id == expected

    def test_algo_orders_may_have_client_ids_of_their_own(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        plain = make.order(3, client_id="same")
        algo = make.order(4, client_id="same", algo=True)
        absorb(history, OrderCanceled(algo))
        settle()
        absorb(history, OrderCanceled(plain))
        settle()
        assert history.find_order_by_client_id(1, "", "same", algo=False) == plain
        assert history.find_order_by_client_id(1, "", "same", algo=True) == algo
        assert history.find_order_by_client_id(1, "", "same", algo=None) == algo
        assert history.find_order_by_client_id(1, "", "same", algo=False, fired=True) == plain

    def test_an_algo_order_that_has_fired_is_found_among_those_of_the_book(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        named = {"client_id": "same", "algo": True}
        fired = make.order(4, triggered_ms=9, **named)
        for order in (make.order(3, **named), fired, make.order(5, **named)):
            absorb(history, OrderCanceled(order))
        generated = make.order(6, client_id="auto_6", algo=True, triggered_ms=9)
        absorb(history, OrderCanceled(generated))
        settle()
        assert history.find_order_by_client_id(1, "", "same", algo=False) is None
        assert history.find_order_by_client_id(1, "", "same", algo=False, fired=True) == fired
        assert history.find_order_by_client_id(1, "", "auto_6", algo=False) is None
        assert history.find_order_by_client_id(1, "", "auto_6", algo=False, fired=True) == generated
        absorb(history, OrderCanceled(make.order(7, client_id="same")))
        settle()
        found = history.find_order_by_client_id(1, "BTCUSDT", "same", algo=False, fired=True)
        assert found == make.order(7, client_id="same")

    def test_a_generated_client_id_is_found_and_so_is_one_that_looks_like_it(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        generated = make.order(5, client_id="auto_5")
        given_by_hand = make.order(9, client_id="auto_5")
        absorb(history, OrderCanceled(generated))
        settle()
        assert history.find_order_by_client_id(1, "BTCUSDT", "auto_5", None) == generated
        assert history.find_order_by_client_id(2, "BTCUSDT", "auto_5", None) is None
        assert history.find_order_by_client_id(1, "BTCUSDT", "auto_5", algo=True) is None
        absorb(history, OrderCanceled(given_by_hand))
        settle()
        assert history.find_order_by_client_id(1, "BTCUSDT", "auto_5", None) == given_by_hand

    @pytest.mark.parametrize(
        "client_id", ["", "auto_", "auto_x", "auto_²", "auto_007", "auto_" + "9" * 40, "\U0001f600"]
    )
    def test_an_odd_client_id_finds_nothing(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any, client_id: str
    ) -> None:
        absorb(history, OrderCanceled(make.order(7)))
        settle()
        assert history.find_order_by_client_id(1, "", client_id, None) is None


class TestLists:
    @pytest.mark.parametrize(
        ("span", "ids"),
        [
            ({}, [1, 2, 3, 4, 5, 6]),
            ({"limit": 2}, [5, 6]),
            ({"limit": 2, "newest": False}, [1, 2]),
            ({"from_id": 2, "limit": 2}, [2, 3]),
            ({"from_id": 2, "limit": 2, "newest": True}, [5, 6]),
            ({"start": 3, "limit": 2}, [3, 4]),
            ({"start": 3, "limit": 2, "newest": True}, [5, 6]),
            ({"end": 4, "limit": 2}, [3, 4]),
            ({"start": 2, "end": 4}, [2, 3, 4]),
            ({"start": 4, "end": 2}, []),
            ({"start": 7}, []),
            ({"end": 0}, []),
            ({"from_id": 3, "end": 4}, [3, 4]),
            ({"from_id": 9}, []),
            ({"until_id": 5, "limit": 2}, [4, 5]),
            ({"from_id": 2, "until_id": 4}, [2, 3, 4]),
            ({"from_id": 2, "until_id": 4, "limit": 2}, [2, 3]),
            ({"start": 2, "until_id": 4, "limit": 2, "newest": True}, [3, 4]),
            ({"end": 3, "until_id": 5}, [1, 2, 3]),
            ({"from_id": 4, "until_id": 3}, []),
            ({"until_id": 0}, []),
            ({"until_id": -1}, []),
            ({"until_id": 2**63}, [1, 2, 3, 4, 5, 6]),
        ],
    )
    def test_a_span_of_ids_and_times(
        self, history: SqliteHistory, make: Any, span: dict[str, Any], ids: list[int]
    ) -> None:
        """Written and unwritten rows alternate."""
        for order_id in (1, 4, 6):
            absorb(history, OrderCanceled(make.order(order_id)))
        history.flush()
        for order_id in (2, 3, 5):
            absorb(history, OrderCanceled(make.order(order_id)))
        absorb(history, OrderCanceled(make.order(7, account=2)))
        absorb(history, OrderCanceled(make.order(8, symbol="ETHUSDT")))
        for name, key in (("start", "start_ms"), ("end", "end_ms")):
            if name in span:
                span = {**span, key: make.start_ms + span[name]}
                del span[name]
        listed = history.list_orders(1, "BTCUSDT", **span)
        assert [order.order_id for order in listed] == ids

    def test_all_symbols_are_listed_together(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        symbols = ["BTCUSDT", "ETHUSDT", "BTCUSDT", "SOLUSDT"]
        for order_id, symbol in enumerate(symbols, 1):
            absorb(history, OrderCanceled(make.order(order_id, symbol=symbol)))
        settle()
        assert [order.order_id for order in history.list_orders(1, "")] == [1, 2, 3, 4]
        assert [order.order_id for order in history.list_orders(1, "", limit=2)] == [3, 4]
        assert [order.order_id for order in history.list_orders(1, "", from_id=2, limit=2)] == [
            2,
            3,
        ]

    def test_fills_are_listed_by_trade_and_by_order(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        partial = make.order(1, status=OrderStatus.PARTIALLY_FILLED)
        for trade_id in (1, 2, 3):
            order_id = 2 if trade_id == 2 else 1
            absorb(history, OrderFilled(partial, make.fill(trade_id, order_id=order_id)))
        settle()
        assert [fill.trade_id for fill in history.list_fills(1, "BTCUSDT")] == [1, 2, 3]
        assert [fill.trade_id for fill in history.list_fills(1, "BTCUSDT", order_id=1)] == [1, 3]
        assert [fill.trade_id for fill in history.list_fills(1, "BTCUSDT", from_id=2, limit=1)] == [
            2
        ]
        assert history.list_fills(1, "BTCUSDT", order_id=1, from_id=2, limit=9) == [
            make.fill(3, order_id=1)
        ]
        assert history.list_fills(1, "BTCUSDT", order_id=3) == []
        assert history.list_fills(2, "BTCUSDT") == []
        assert history.list_orders(1, "BTCUSDT") == []

    def test_both_sides_of_a_trade_with_oneself_are_there(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        partial = make.order(1, status=OrderStatus.PARTIALLY_FILLED)
        sell, buy = make.fill(5, side=Side.SELL), make.fill(5, order_id=2)
        absorb(history, OrderFilled(partial, sell), OrderFilled(partial, buy))
        settle()
        assert history.list_fills(1, "BTCUSDT") == [buy, sell]


class TestAmendments:
    def test_they_are_told_by_order_and_time(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        events = [make.amended(number, 1 + number % 2) for number in range(1, 7)]
        events.append(make.amended(7, 9, symbol="ETHUSDT"))
        events.append(make.amended(8, 9, account=2))
        absorb(history, *events)
        settle()

        def ids(symbol: str = "BTCUSDT", **span: int) -> list[int]:
            return [row.amendment_id for row in history.list_amendments(1, symbol, **span)]

        assert ids() == [1, 2, 3, 4, 5, 6]
        assert ids("") == [1, 2, 3, 4, 5, 6, 7]
        assert ids(order_id=2) == [1, 3, 5]
        assert ids(limit=2) == [5, 6], "the newest"
        start_ms = make.start_ms + 2
        assert ids(start_ms=start_ms, limit=2) == [2, 3], "the oldest from there on"
        assert ids(start_ms=start_ms, end_ms=make.start_ms + 4) == [2, 3, 4]
        first = history.list_amendments(1, "BTCUSDT", order_id=2)[0]
        assert first == Amendment(
            1, 1, "BTCUSDT", 2, "client-2", make.start_ms + 1, 590_000, 600_000, 5, 10, 1, 71
        )

    def test_a_reset_forgets_them_and_the_house_has_none(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        history.add_house_accounts([8])
        absorb(history, make.amended(1, 1), make.amended(2, 1, account=8))
        settle()
        assert len(history.list_amendments(1, "")) == 1
        assert history.list_amendments(8, "") == []
        absorb(history, VenueReset())
        settle()
        assert history.list_amendments(1, "") == []

    def test_a_restart_finds_them_again(self, tmp_path: Path, make: Any) -> None:
        path = tmp_path / "history.sqlite"
        with closing(SqliteHistory(path)) as history:
            absorb(history, make.amended(1, 1))
            expected = history.list_amendments(1, "BTCUSDT")
        with closing(SqliteHistory(path)) as history:
            assert history.list_amendments(1, "BTCUSDT") == expected


class TestReset:
    def test_a_reset_of_the_venue_empties_it_at_once_and_for_good(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        absorb(history, OrderFilled(make.order(1, status=OrderStatus.FILLED), make.fill(1)))
        settle()
        absorb(history, VenueReset())
        settle()
        assert history.find_order(1, "BTCUSDT", 1) is None
        assert history.find_order_by_client_id(1, "BTCUSDT", "client-1", None) is None
        assert history.list_orders(1, "") == []
        assert history.list_fills(1, "") == []
        absorb(history, OrderCanceled(make.order(1, client_id="fresh")))
        settle()
        assert history.list_orders(1, "") == [make.order(1, client_id="fresh")]
        assert history.find_order_by_client_id(1, "", "client-1", None) is None


class TestHouse:
    def test_house_accounts_stay_out_however_they_are_known(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        history.add_house_accounts([8])
        absorb(history, AccountCreated(9, "maker", house=True))
        absorb(history, *(OrderCanceled(make.order(n, account=n)) for n in (7, 8, 9)))
        absorb(history, VenueReset())
        absorb(history, *(OrderCanceled(make.order(n, account=n)) for n in (7, 8, 9)))
        settle()
        assert [history.find_order(n, "", n) is None for n in (7, 8, 9)] == [False, True, True]

    def test_an_account_is_learned_from_a_record_that_was_absorbed_before(
        self, tmp_path: Path, make: Any
    ) -> None:
        created = make.applied(1, AccountCreated(9, "maker", house=True))
        with closing(SqliteHistory(tmp_path / "history.sqlite")) as history:
            history.absorb(created)
        with closing(SqliteHistory(tmp_path / "history.sqlite")) as history:
            history.absorb(created)
            history.absorb(make.applied(2, OrderCanceled(make.order(1, account=9))))
            assert history.find_order(9, "", 1) is None


class TestRestart:
    def test_rows_and_position_are_found_again(self, tmp_path: Path, make: Any) -> None:
        path = tmp_path / "history.sqlite"
        with closing(SqliteHistory(path, "journal")) as history:
            absorb(history, OrderCanceled(make.order(1)))
            absorb(history)
        with closing(SqliteHistory(path, "journal")) as history:
            assert history.discarded == ""
            assert history.position == 2
            assert history.list_orders(1, "") == [make.order(1)]
            assert history.find_order_by_client_id(1, "", "client-1", None) == make.order(1)

    def test_records_up_to_the_position_are_not_absorbed_again(
        self, history: SqliteHistory, settle: Callable[[], None], make: Any
    ) -> None:
        absorb(history, VenueReset(), OrderCanceled(make.order(1)))
        settle()
        history.absorb(make.applied(1, VenueReset(), OrderCanceled(make.order(2))))
        assert history.list_orders(1, "") == [make.order(1)]
        assert history.position == 1

    def test_what_was_not_written_is_not_in_the_position(self, tmp_path: Path, make: Any) -> None:
        """A copy of the files is what a crash leaves."""
        path = tmp_path / "history.sqlite"
        with closing(SqliteHistory(path)) as history:
            absorb(history, OrderCanceled(make.order(1)))
            history.flush()
            history._connection.lock.acquire()  # the writer cannot go on
            absorb(history, OrderCanceled(make.order(2)))
            for suffix in ("", "-wal"):
                data = (tmp_path / f"history.sqlite{suffix}").read_bytes()
                (tmp_path / f"copy.sqlite{suffix}").write_bytes(data)
            history._connection.lock.release()
        with closing(SqliteHistory(tmp_path / "copy.sqlite")) as history:
            assert history.position == 1
            absorb(history, OrderCanceled(make.order(2)))
            assert [order.order_id for order in history.list_orders(1, "")] == [1, 2]

    def test_closing_twice_is_harmless_and_a_closed_one_takes_nothing(
        self, tmp_path: Path, make: Any
    ) -> None:
        history = SqliteHistory(tmp_path / "history.sqlite")
        history.close()
        history.close()
        with pytest.raises(HistoryUnusable, match="it is closed"):
            history.absorb(make.applied(1))
        with pytest.raises(HistoryUnusable, match="it is closed"):
            history.flush()


class TestWriter:
    def test_rows_under_way_to_the_file_are_still_read(
        self, history: SqliteHistory, make: Any
    ) -> None:
        absorb(history, OrderCanceled(make.order(1)))
        history.flush()
        held = WriterHeld(history)
        absorb(history, OrderCanceled(make.order(2)), VenueReset(), OrderCanceled(make.order(3)))
        flusher = held.flush()
        absorb(history, OrderCanceled(make.order(4)))
        assert len(history._sources.layers) == 2
        assert [order.order_id for order in history.list_orders(1, "")] == [3, 4]
        assert history.find_order(1, "", 1) is None
        assert history.find_order(1, "", 3) == make.order(3)
        assert history.find_order_by_client_id(1, "", "client-3", None) == make.order(3)
        held.release()
        flusher.join()
        assert [order.order_id for order in history.list_orders(1, "")] == [3, 4]

    def test_a_flush_may_begin_while_another_one_is_under_way(
        self, history: SqliteHistory, make: Any
    ) -> None:
        absorb(history, OrderCanceled(make.order(1)))
        held = WriterHeld(history)
        first = held.flush()
        second = threading.Thread(target=history.flush)
        second.start()
        with history._changed:
            history._changed.wait_for(lambda: history._flush_wanted == 2)
        held.release()
        first.join()
        second.join()
        assert history._flush_done == 2

    def test_absorbing_waits_for_a_writer_that_is_far_behind(
        self, tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store, "UNWRITTEN_ROWS", 10)
        with closing(SqliteHistory(tmp_path / "history.sqlite")) as history:
            held = WriterHeld(history)
            absorb(history, OrderCanceled(make.order(1)))
            flusher = held.flush()

            def absorb_many() -> None:
                for order_id in range(2, 102):
                    absorb(history, OrderCanceled(make.order(order_id)))

            absorber = threading.Thread(target=absorb_many)
            absorber.start()
            with history._changed:
                history._changed.wait_for(lambda: len(history._sources.layers[0].rows) == 11)
            assert absorber.is_alive()
            assert history.position == 12
            held.release()
            absorber.join()
            flusher.join()
            assert len(history.list_orders(1, "")) == 101

    def test_the_market_waits_for_a_writer_that_is_far_behind_no_longer_than_it_writes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store, "UNWRITTEN_ROWS", 10)
        monkeypatch.setattr(store, "IDLE_SECONDS", 3_600.0)
        with closing(SqliteHistory(tmp_path / "history.sqlite")) as history:
            absorb(history, *[TradeExecuted("BTCUSDT", 1, 10, 1, True)])
            held = WriterHeld(history)
            flusher = held.flush()

            def absorb_many() -> None:
                for trade_id in range(2, 30):
                    absorb(history, TradeExecuted("BTCUSDT", trade_id, 10, 1, True))

            absorber = threading.Thread(target=absorb_many, daemon=True)
            absorber.start()
            with history._changed:
                history._changed.wait_for(lambda: len(history._sources.layers[0].rows) > 10)
            held.release()
            absorber.join(20)
            assert not absorber.is_alive()
            flusher.join()

    def test_a_full_disk_is_one_sentence_and_nothing_goes_missing(
        self, tmp_path: Path, make: Any
    ) -> None:
        history = SqliteHistory(tmp_path / "history.sqlite")
        absorb(history, OrderCanceled(make.order(1)))
        history.flush()
        assert history.failing == ""
        history._connection.execute("PRAGMA max_page_count = 1")
        orders = [make.order(order_id) for order_id in range(2, 2_000)]
        absorb(history, *map(OrderCanceled, orders))
        for _ in range(2):
            with pytest.raises(HistoryUnusable, match=r"^The history cannot be written: .* full"):
                history.flush()
        assert history.failing.endswith("full.")
        late = [make.order(order_id) for order_id in range(2_000, 2_010)]
        absorb(history, *map(OrderCanceled, late))
        expected = [make.order(1), *orders, *late]
        assert history.list_orders(1, "", limit=5_000) == expected
        history._connection.execute("PRAGMA max_page_count = 100000")
        history.flush()
        assert history.failing == ""
        assert history.list_orders(1, "", limit=5_000) == expected
        position = history.position
        history.close()
        reopened = SqliteHistory(tmp_path / "history.sqlite")
        assert (reopened.position, reopened.discarded) == (position, "")
        assert reopened.list_orders(1, "", limit=5_000) == expected
        client_id = orders[7].client_id
        assert reopened.find_order_by_client_id(1, "", client_id, None) is not None
        reopened.close()

    def test_room_that_comes_back_is_found_without_being_asked(
        self, tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store, "RETRY_SECONDS", 0.001)
        history = SqliteHistory(tmp_path / "history.sqlite")
        history._connection.execute("PRAGMA max_page_count = 1")
        absorb(history, *[OrderCanceled(make.order(order_id)) for order_id in range(1, 2_000)])
        with pytest.raises(HistoryUnusable):
            history.flush()
        history._connection.execute("PRAGMA max_page_count = 100000")
        with history._changed:
            assert history._changed.wait_for(lambda: not history.failing, 10)
        history.close()

    def test_a_disk_that_stays_full_stops_the_venue_in_the_end(
        self, tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store, "UNWRITTEN_ROWS", 500)
        history = SqliteHistory(tmp_path / "history.sqlite")
        history._connection.execute("PRAGMA max_page_count = 1")
        absorb(history, *[OrderCanceled(make.order(order_id)) for order_id in range(1, 500)])
        with pytest.raises(HistoryUnusable):
            history.flush()
        absorb(history, *[OrderCanceled(make.order(order_id)) for order_id in range(500, 1_000)])
        with pytest.raises(HistoryUnusable):
            absorb(history, OrderCanceled(make.order(1_000)))
        assert len(history.list_orders(1, "", limit=5_000)) == 1_000
        history._connection.execute("PRAGMA max_page_count = 100000")
        history.close()


class WriterHeld:
    """Keeps the writer at its first statement until it is released."""

    def __init__(self, history: SqliteHistory) -> None:
        self._history = history
        self._go = threading.Event()
        self._write = history._sources.writer.write
        history._sources.writer.write = self._wait  # type: ignore[method-assign, assignment]

    def _wait(self, *arguments: Any) -> None:
        self._go.wait()
        self._write(*arguments)

    def flush(self) -> threading.Thread:
        """Starts a flush; returns once the writer has taken its rows."""
        thread = threading.Thread(target=self._history.flush)
        thread.start()
        with self._history._changed:
            self._history._changed.wait_for(lambda: len(self._history._sources.layers) == 2)
        return thread

    def release(self) -> None:
        self._go.set()
