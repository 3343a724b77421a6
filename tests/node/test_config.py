"""What a configuration file may say, and how each mistake in it is named."""

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from openperp.engine.instruments import InstrumentSpec
from openperp.engine.numbers import MONEY_ONE, PPM
from openperp.node.clock import VIRTUAL_START_MS
from openperp.node.config import Config, load_config
from openperp.node.errors import ConfigError
from openperp.node.instruments import BUILT_IN, describe, specify


def write(directory: Path, text: str) -> Path:
    path = directory / "venue.toml"
    path.write_text(text)
    return path


def spec_of(config: Config, symbol: str) -> InstrumentSpec:
    return next(i.spec for i in config.instruments if i.spec.symbol == symbol)


def test_defaults() -> None:
    config = load_config()
    assert (config.host, config.port, config.dialect, config.market) == (
        "127.0.0.1",
        8686,
        None,
        "demo",
    )
    assert config.clock == "real"
    assert config.clock_start_ms == VIRTUAL_START_MS == 1_767_225_600_000
    assert config.limits
    assert config.explain
    assert not config.ephemeral
    assert [i.spec.symbol for i in config.instruments] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert not any(i.configured for i in config.instruments)


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    path = write(tmp_path, 'port = 9000\nmarket = "quiet"\nstrict = ["time"]\nlimits = false')
    config = load_config(path, port=9001, market=None)
    assert (config.port, config.market) == (9001, "quiet")
    assert config.strict == frozenset({"time"})
    assert not config.limits


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('port = "x"', "port: expected int, got str"),
        ("port = 70000", "port: expected int <= 65535"),
        ("colour = 1", "colour: no setting has this name"),
        ('makret = "demo"', "makret: no setting has this name; is it market?"),
        ('market = "loud"', "market: 'loud' is not one of demo, quiet"),
        ('strict = ["all"]', "strict[0]: 'all' is not one of signature, time, params, streams"),
        ('dialect = "x"', "dialect: 'x' is not one of ztdx, binance"),
        ('clock_start = "2030-01-01"', "clock_start: only a virtual clock starts where it is told"),
        (
            'clock = "virtual"\nclock_start = "noon"',
            "clock_start: 'noon' is not a time such as 2026-01-01T00:00:00Z",
        ),
        (
            'clock = "virtual"\nclock_start = 1969-01-01',
            "clock_start: '1969-01-01' lies before 1970",
        ),
        (
            'clock = "virtual"\nclock_start = "9999-12-31T23:59:59-23:59"',
            "clock_start: '9999-12-31T23:59:59-23:59' lies after the year 9999",
        ),
        ('tls_cert = "a.pem"', "tls_cert, tls_key: give both or neither"),
        ("[[", "is not TOML: Invalid initial character for a key part (at end of document)"),
        ("[instruments.X]\ntick = 1", "instruments.X: object missing required field lot"),
        (
            "[instruments.BTCUSDT]\ntick = 'a'",
            "instruments.BTCUSDT.tick: 'a' is not a usable number",
        ),
        ("[instruments.BTCUSDT]\ntick = 0", "instruments.BTCUSDT.tick: must be positive"),
        *(
            (
                f"[instruments.BTCUSDT]\ntick = '{text}'",
                f"instruments.BTCUSDT.tick: '{text}' is not a usable number",
            )
            for text in ("0_0.1", "\u0660.\u0661", "1e-999999", "1e99", "inf", ".", "")
        ),
        (
            "[instruments.BTCUSDT]\nprice = 0.05",
            "instruments.BTCUSDT.price: must be a multiple of the tick",
        ),
        (
            "[instruments.BTCUSDT]\ntaker_fee = 0.0000001",
            "instruments.BTCUSDT.taker_fee: must be in steps of 0.000001",
        ),
        (
            "[instruments.BTCUSDT]\nprice_decimals = 0",
            "instruments.BTCUSDT.price_decimals: must lie between 1 and 8",
        ),
        (
            "[instruments.BTCUSDT]\nleverage = 200",
            "instruments.BTCUSDT: the default leverage must lie between 1 and that of the first bracket",
        ),
        (
            '[instruments.BTCUSDT]\nbrackets = [{leverage = "x", cap = 1, rate = 0.1}]',
            "instruments.BTCUSDT.brackets[0].leverage: expected int, got str",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named_with_file_and_key(
    tmp_path: Path, text: str, message: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value) == f"{path}: {message}"


def test_a_mistake_in_a_flag_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "port = 1")
    with pytest.raises(ConfigError, match=r"^clock_start: 'noon'"):
        load_config(path, clock="virtual", clock_start="noon")


@pytest.mark.parametrize(
    "start",
    ["2030-06-01", "'2030-06-01'", "2030-06-01T00:00:00Z", "2030-06-01 02:00:00+02:00"],
)
def test_a_date_may_be_text_or_one_of_toml(tmp_path: Path, start: str) -> None:
    path = write(tmp_path, f'clock = "virtual"\nclock_start = {start}')
    assert load_config(path).clock_start_ms == 1_906_502_400_000


def test_a_flag_decides_whether_the_files_clock_start_counts(tmp_path: Path) -> None:
    path = write(tmp_path, "clock_start = 2030-06-01")
    assert load_config(path, clock="virtual").clock_start_ms == 1_906_502_400_000
    path = write(tmp_path, 'clock = "virtual"\nclock_start = 2030-06-01')
    assert load_config(path, clock="real").clock_start_ms == VIRTUAL_START_MS
    with pytest.raises(ConfigError, match="only a virtual clock"):
        load_config(clock_start="2030-06-01")


def test_the_home_directory_may_be_abbreviated() -> None:
    assert load_config(data="~/venue").data == Path.home() / "venue"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        load_config(tmp_path / "missing.toml")
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# \xe9")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_config(path)


@pytest.mark.parametrize(
    ("symbol", "tick", "lot", "min_notional", "price"),
    [
        ("BTCUSDT", (2, 10), (3, 1), 50, 60_000),
        ("ETHUSDT", (2, 1), (3, 1), 20, 3_000),
        ("SOLUSDT", (4, 100), (1, 1), 5, 150),
    ],
)
def test_built_in_instruments(
    symbol: str, tick: tuple[int, int], lot: tuple[int, int], min_notional: int, price: int
) -> None:
    instrument = specify(symbol, BUILT_IN[symbol])
    spec = instrument.spec
    assert (spec.price_precision, spec.tick_units) == tick
    assert (spec.quantity_precision, spec.lot_units) == lot
    assert spec.min_notional == min_notional * MONEY_ONE
    assert (spec.maker_fee_ppm, spec.taker_fee_ppm, spec.default_leverage) == (200, 500, 20)
    assert instrument.index_ticks * spec.tick_units == price * 10**spec.price_precision


@pytest.mark.parametrize("symbol", list(BUILT_IN))
def test_maintenance_margin_is_continuous_at_every_floor(symbol: str) -> None:
    brackets = specify(symbol, BUILT_IN[symbol]).spec.brackets
    for below, above in pairwise(brackets):
        floor = above.notional_floor
        assert floor == below.notional_cap
        assert floor * below.maintenance_ppm // PPM - below.cum == (
            floor * above.maintenance_ppm // PPM - above.cum
        )


def test_the_published_maintenance_amounts_of_bitcoin() -> None:
    brackets = specify("BTCUSDT", BUILT_IN["BTCUSDT"]).spec.brackets
    assert [bracket.cum // MONEY_ONE for bracket in brackets[:4]] == [0, 300, 1_500, 12_000]


def test_a_table_changes_a_built_in_instrument_and_adds_new_ones(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        [instruments.BTCUSDT]
        taker_fee = 0.0004
        brackets = [{leverage = 20, cap = 1000, rate = 0.01}, {leverage = 5, cap = "2000.5", rate = 0.05}]

        [instruments.DOGEUSDT]
        tick = 0.00001
        lot = 1
        price = 0.1
        """,
    )
    config = load_config(path)
    assert [i.configured for i in config.instruments] == [True, False, False, True]
    bitcoin, doge = spec_of(config, "BTCUSDT"), spec_of(config, "DOGEUSDT")
    assert bitcoin.taker_fee_ppm == 400
    assert bitcoin.maker_fee_ppm == 200
    assert bitcoin.brackets[1].notional_cap == 200_050_000_000
    assert bitcoin.brackets[1].cum == 40 * MONEY_ONE
    assert (doge.base_asset, doge.quote_asset) == ("DOGE", "USDT")
    assert (doge.price_precision, doge.tick_units) == (5, 1)
    assert config.instruments[-1].index_ticks == 10_000


def test_built_in_instruments_guard_prices_unless_told_otherwise(tmp_path: Path) -> None:
    def guarded(text: str, **flags: object) -> list[str]:
        config = load_config(write(tmp_path, text), **flags)
        return [i.spec.symbol for i in config.instruments if i.spec.guards_prices]

    added = "[instruments.DOGEUSDT]\ntick = 0.00001\nlot = 1\nprice = 0.1\n"
    assert guarded(added) == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert guarded(added + "price_guards = true")[3:] == ["DOGEUSDT"]
    assert guarded("price_guards = false") == []
    assert guarded("", price_guards=False) == []
    own = "price_guards = false\n[instruments.ETHUSDT]\nprice_guards = true"
    assert guarded(own) == ["ETHUSDT"]
    assert guarded("[instruments.ETHUSDT]\nprice_guards = false") == ["BTCUSDT", "SOLUSDT"]


@pytest.mark.parametrize("symbol", list(BUILT_IN))
def test_terms_described_and_specified_again_are_the_same(symbol: str) -> None:
    instrument = specify(symbol, BUILT_IN[symbol])
    again = specify(symbol, describe(instrument.spec, instrument.index_ticks))
    assert again == instrument


@pytest.mark.parametrize(
    ("tick", "lot", "price"),
    [
        ("0.01", "0.1", "2.5"),
        ("0.01", "1", "0.5"),
        ("0.5", "1", "10"),
        ("1", "0.001", "60000"),
        ("0.0001", "0.1", "2.5"),
        ("0.0000001", "1", "0.0000123"),
        ("0.01", "0.000001", "100000"),
        ("1", "1000", "100000"),
    ],
)
def test_tick_lot_and_price_are_enough_for_an_ordinary_instrument(
    tmp_path: Path, tick: str, lot: str, price: str
) -> None:
    path = write(tmp_path, f"[instruments.XRPUSDT]\ntick = {tick}\nlot = {lot}\nprice = {price}")
    config = load_config(path)
    spec = spec_of(config, "XRPUSDT")
    assert spec.max_ticks == 100 * config.instruments[-1].index_ticks
    assert spec.max_lots * Decimal(lot) * Decimal(price) > 10_000_000 or spec.max_lots == 10_000_000
    assert spec.market_max_lots == spec.max_lots


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (
            "max_price = 1000000000\nmax_quantity = 1000000",
            (
                "max_price and max_quantity: the largest price 1000000000 times the largest "
                "quantity 1000000 must stay below 46116860184"
            ),
        ),
        (
            "max_quantity = 500000000000",
            (
                "max_quantity: the largest price 0.1 times the largest quantity 500000000000 must "
                "stay below 46116860184"
            ),
        ),
        ("max_price = 2", "price: is beyond the largest price, 2"),
    ],
)
def test_bounds_that_are_too_large_are_named(tmp_path: Path, terms: str, message: str) -> None:
    text = f"[instruments.XRPUSDT]\ntick = 0.1\nlot = 0.1\nprice = 2.5\n{terms}"
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, text))
    assert str(caught.value).endswith(f"instruments.XRPUSDT.{message}")


def test_a_new_tick_brings_decimals_and_bounds_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, "[instruments.BTCUSDT]\ntick = 0.001\nlot = 0.01")
    spec = spec_of(load_config(path), "BTCUSDT")
    assert (spec.price_precision, spec.tick_units, spec.max_ticks) == (3, 1, 6_000_000_000)
    assert (spec.quantity_precision, spec.lot_units) == (2, 1)
    same = write(tmp_path, "[instruments.BTCUSDT]\ntick = 0.10\nlot = '0.001'")
    assert spec_of(load_config(same), "BTCUSDT") == specify("BTCUSDT", BUILT_IN["BTCUSDT"]).spec
