"""Streams of trades and klines, message by message."""

from typing import Any

import pytest
from tests.api.offline import START_MS
from tests.api.streams.listening import Listening

from openperp.engine.commands import PlaceOrder, Pulse, Reset, SetPrice
from openperp.engine.terms import OrderType, Side

BUY, SELL = Side.BUY, Side.SELL
MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.fixture
def desk() -> Listening:
    return Listening()


def place(desk: Listening, side: Side, ticks: int, lots: int) -> None:
    account = desk.state.account_ids["alice" if side is BUY else "bob"]
    desk.apply(PlaceOrder(account, "BTCUSDT", side, OrderType.LIMIT, lots, ticks))


def trade(desk: Listening, ticks: int, lots: int) -> None:
    """A purchase by a taker."""
    place(desk, SELL, ticks, lots)
    place(desk, BUY, ticks, lots)
    desk.collect()


def advance(desk: Listening, by_ms: int) -> None:
    """A virtual clock is moved, which is a record of its own."""
    desk.now_ms += by_ms
    desk.apply(Pulse())
    desk.collect()


def sweep(desk: Listening) -> None:
    """One taker meets two orders at one price and one at another, then another taker."""
    for ticks, lots in ((600_000, 1), (600_000, 2), (600_010, 3), (600_010, 4)):
        place(desk, SELL, ticks, lots)
    place(desk, BUY, 600_010, 6)
    place(desk, BUY, 600_010, 4)
    desk.collect()


def test_trades_come_one_by_one(desk: Listening) -> None:
    heard = desk.hear("btcusdt@trade")
    desk.now_ms += 3
    sweep(desk)
    assert [(row["t"], row["p"], row["q"]) for row in heard] == [
        (1, "60000", "0.001"),
        (2, "60000", "0.002"),
        (3, "60001", "0.003"),
        (4, "60001", "0.004"),
    ]
    assert heard[0] == {
        "e": "trade",
        "E": START_MS + 3,
        "T": START_MS + 3,
        "s": "BTCUSDT",
        "t": 1,
        "p": "60000",
        "q": "0.001",
        "X": "MARKET",
        "m": False,
    }


def test_aggregate_trades_join_what_one_taker_did_at_one_price(desk: Listening) -> None:
    heard = desk.hear("btcusdt@aggTrade")
    sweep(desk)
    rows = [(row["a"], row["p"], row["q"], row["f"], row["l"]) for row in heard]
    assert rows == [
        (1, "60000", "0.003", 1, 2),
        (2, "60001", "0.003", 3, 3),
        (3, "60001", "0.004", 4, 4),
    ]
    assert heard[0]["nq"] == heard[0]["q"]
    assert heard[0]["st"] == 1


@pytest.mark.parametrize("count", [15, 16, 17, 40])
def test_however_many_aggregate_trades_wait_each_is_told_once(count: int) -> None:
    desk = Listening(immediate=False)
    trade(desk, 600_000, 1)
    heard = desk.hear("btcusdt@aggTrade")
    for number in range(count):
        place(desk, SELL, 600_000 + number, 1)
    for _ in range(2):
        place(desk, BUY, 610_000, count // 2)
    desk.elapse(1_000)
    assert [row["a"] for row in heard] == list(range(2, 2 + count // 2 * 2))


@pytest.mark.parametrize("name", ["btcusdt@trade", "btcusdt@aggTrade"])
def test_the_side_of_the_maker(desk: Listening, name: str) -> None:
    heard = desk.hear(name)
    trade(desk, 600_000, 5)
    place(desk, BUY, 600_000, 5)
    place(desk, SELL, 600_000, 5)
    desk.collect()
    assert [row["m"] for row in heard] == [False, True]


@pytest.mark.parametrize("name", ["btcusdt@trade", "btcusdt@aggTrade"])
def test_trades_from_before_are_not_told(desk: Listening, name: str) -> None:
    trade(desk, 600_000, 1)
    heard = desk.hear(name)
    assert desk.collect() == 0
    trade(desk, 600_000, 2)
    assert [row["q"] for row in heard] == ["0.002"]


def test_trades_wait_for_no_pace_and_aggregate_trades_do() -> None:
    desk = Listening(immediate=False)
    trades, together = desk.hear("btcusdt@trade"), desk.hear("btcusdt@aggTrade")
    for _ in range(3):
        trade(desk, 600_000, 1)
    assert (len(trades), len(together)) == (3, 1)
    desk.elapse(100)
    assert [row["a"] for row in together] == [1, 2, 3]


@pytest.mark.parametrize("name", ["btcusdt@trade", "btcusdt@aggTrade"])
def test_trades_go_on_after_a_reset(desk: Listening, name: str) -> None:
    heard = desk.hear(name)
    trade(desk, 600_000, 1)
    trade(desk, 600_000, 2)
    desk.apply(Reset())
    trade(desk, 600_000, 3)
    assert [row["q"] for row in heard] == ["0.001", "0.002", "0.003"]


# Klines.


def bars(heard: list[dict[str, Any]]) -> list[tuple[int, str, int, bool]]:
    """Open time from the start of the venue, close, trades, closed."""
    klines = [message["k"] for message in heard]
    return [(k["t"] - START_MS, k["c"], k["n"], k["x"]) for k in klines]


def test_a_kline(desk: Listening) -> None:
    heard = desk.hear("btcusdt@kline_1m")
    desk.now_ms += 5_000
    sweep(desk)
    place(desk, BUY, 599_990, 10)
    place(desk, SELL, 599_990, 10)
    desk.collect()
    assert heard[-1] == {
        "e": "kline",
        "E": START_MS + 5_000,
        "s": "BTCUSDT",
        "k": {
            "t": START_MS,
            "T": START_MS + MINUTE - 1,
            "s": "BTCUSDT",
            "i": "1m",
            "f": 1,
            "L": 5,
            "o": "60000",
            "c": "59999",
            "h": "60001",
            "l": "59999",
            "v": "0.02",
            "n": 5,
            "x": False,
            "q": "1199.997",
            "V": "0.01",
            "Q": "600.007",
            "B": "0",
        },
    }


def test_a_continuous_kline_names_pair_and_contract(desk: Listening) -> None:
    heard = desk.hear("btcusdt_perpetual@continuousKline_1s")
    trade(desk, 600_000, 1)
    message = heard[-1]
    assert (message["e"], message["ps"], message["ct"]) == (
        "continuous_kline",
        "BTCUSDT",
        "PERPETUAL",
    )
    assert "s" not in message["k"]
    assert message["k"]["T"] - message["k"]["t"] == 999


def test_the_first_listener_sees_the_open_bar_of_a_quiet_market(desk: Listening) -> None:
    heard = desk.hear("btcusdt@kline_1m")
    desk.collect()
    assert bars(heard) == [(0, "60000", 0, False)]
    assert (heard[0]["k"]["f"], heard[0]["k"]["L"]) == (-1, -1)
    assert desk.collect() == 0


def test_a_bar_closes_once_trades_or_not(desk: Listening) -> None:
    heard = desk.hear("btcusdt@kline_1m")
    trade(desk, 600_010, 1)
    advance(desk, MINUTE - 1)
    assert bars(heard) == [(0, "60001", 1, False)]
    advance(desk, 1)
    advance(desk, 1)
    advance(desk, MINUTE)
    assert bars(heard[1:]) == [(0, "60001", 1, True), (MINUTE, "60001", 0, True)]
    trade(desk, 600_020, 1)
    assert bars(heard[3:]) == [(2 * MINUTE, "60002", 1, False)]


def test_a_trade_that_begins_a_bar_closes_the_one_before(desk: Listening) -> None:
    heard = desk.hear("btcusdt@kline_1m")
    trade(desk, 600_010, 1)
    desk.now_ms += MINUTE
    trade(desk, 600_020, 1)
    assert bars(heard[1:]) == [(0, "60001", 1, True), (MINUTE, "60002", 1, False)]


def test_a_jump_of_the_clock_closes_every_bar_on_the_way(desk: Listening) -> None:
    minutes, hours = desk.hear("btcusdt@kline_1m"), desk.hear("btcusdt@kline_1h")
    trade(desk, 600_010, 1)
    advance(desk, 2 * HOUR)
    assert bars(minutes[1:]) == [
        (number * MINUTE, "60001", int(number == 0), True) for number in range(120)
    ]
    assert bars(hours[1:]) == [(0, "60001", 1, True), (HOUR, "60001", 0, True)]


def test_of_very_many_bars_the_newest_close(desk: Listening) -> None:
    heard = desk.hear("btcusdt@kline_1m")
    desk.collect()
    advance(desk, 2_000 * MINUTE)
    assert len(heard) == 1_001
    assert bars(heard[1:])[0] == (1_000 * MINUTE, "60000", 0, True)
    assert bars(heard)[-1] == (1_999 * MINUTE, "60000", 0, True)


def test_a_month_closes_at_its_end(desk: Listening) -> None:
    heard = desk.hear("btcusdt@kline_1M")
    desk.collect()
    day = 24 * HOUR
    assert heard[0]["k"]["T"] == START_MS + 31 * day - 1
    advance(desk, 31 * day)
    assert bars(heard[1:]) == [(0, "60000", 0, True)]
    trade(desk, 600_010, 1)
    assert heard[-1]["k"]["T"] - heard[-1]["k"]["t"] == 28 * day - 1


def test_a_last_price_that_moves_without_a_trade_is_told(desk: Listening) -> None:
    heard, continuous, trades = (
        desk.hear("btcusdt@kline_1m"),
        desk.hear("btcusdt_perpetual@continuousKline_1m"),
        desk.hear("btcusdt@aggTrade"),
    )
    desk.collect()
    desk.price("BTCUSDT", 600_100)
    desk.collect()
    desk.apply(SetPrice("BTCUSDT", 600_200, keeps_last=True))
    desk.collect()
    advance(desk, MINUTE)
    desk.price("BTCUSDT", 600_000)
    desk.collect()
    assert bars(heard[1:]) == [
        (0, "60010", 0, False),
        (0, "60010", 0, True),
        (MINUTE, "60000", 0, False),
    ]
    assert (len(continuous), trades) == (1, [])


def test_continuous_klines_leave_out_periods_without_trades(desk: Listening) -> None:
    heard = desk.hear("btcusdt_perpetual@continuousKline_1s")
    desk.collect()
    trade(desk, 600_010, 1)
    advance(desk, 10_000)
    trade(desk, 600_020, 1)
    assert bars(heard) == [
        (0, "60000", 0, False),
        (0, "60001", 1, False),
        (0, "60001", 1, True),
        (10_000, "60002", 1, False),
    ]


def test_a_real_clock_closes_bars_in_time() -> None:
    desk = Listening(immediate=False)
    heard = desk.hear("btcusdt@kline_1m")
    trade(desk, 600_010, 1)
    desk.elapse(3 * MINUTE)
    closed = [message for message in heard if message["k"]["x"]]
    assert [message["E"] - START_MS for message in closed] == [MINUTE, 2 * MINUTE, 3 * MINUTE]
    assert len(heard) == 4


def test_a_busy_bar_is_told_at_the_pace_of_klines() -> None:
    desk = Listening(immediate=False)
    heard = desk.hear("btcusdt@kline_1m")
    for _ in range(10):
        trade(desk, 600_010, 1)
        desk.elapse(50)
    desk.elapse(1_000)
    assert [message["E"] - START_MS for message in heard] == [0, 250, 500]
    assert heard[-1]["k"]["n"] == 10


def test_the_open_bar_begins_anew_with_a_reset(desk: Listening) -> None:
    heard = desk.hear("btcusdt@kline_1m")
    trade(desk, 610_000, 1)
    desk.apply(Reset())
    desk.collect()
    trade(desk, 600_010, 1)
    assert bars(heard[-2:]) == [(0, "60000", 0, False), (0, "60001", 1, False)]


def test_a_history_that_cannot_be_read_silences_nobody_else() -> None:
    desk = Listening(immediate=False)
    klines, prices = desk.hear("btcusdt@kline_1m"), desk.hear("btcusdt@markPrice@1s")
    desk.collect()
    desk.history.close()
    desk.elapse(MINUTE)
    assert (len(klines), len(prices)) == (1, 61)
