"""The index of each asset in dollars, which REST and its streams tell alike."""

from typing import Final

from openperp.api.wire.numbers import money_text
from openperp.api.wire.row import Row
from openperp.engine.collateral import value_at
from openperp.engine.numbers import MONEY_ONE, PPM
from openperp.engine.state import Asset, State

DOLLAR: Final = "USD"
"""What an index is told in. The margin asset stands at par."""

_MONEY_PER_PPM: Final = MONEY_ONE // PPM


def pair_of(asset: Asset) -> str:
    return f"{asset.spec.asset}{DOLLAR}"


def find_pair(state: State, pair: str) -> Asset | None:
    """The asset of a pair with the dollar, such as BTCUSD."""
    name = pair.removesuffix(DOLLAR)
    return None if name == pair else state.assets.get(name)


def asset_index_row(asset: Asset, now_ms: int) -> Row:
    """An index with its buffers, and the rates that follow from them, rounded down."""
    spec = asset.spec
    return {
        "symbol": pair_of(asset),
        "time": now_ms,
        "index": money_text(asset.index),
        "bidBuffer": buffer_text(spec.bid_buffer_ppm),
        "askBuffer": buffer_text(spec.ask_buffer_ppm),
        "bidRate": _rate(asset, spec.bid_buffer_ppm),
        "askRate": _rate(asset, -spec.ask_buffer_ppm),
        "autoExchangeBidBuffer": buffer_text(spec.exchange_bid_buffer_ppm),
        "autoExchangeAskBuffer": buffer_text(spec.exchange_ask_buffer_ppm),
        "autoExchangeBidRate": _rate(asset, spec.exchange_bid_buffer_ppm),
        "autoExchangeAskRate": _rate(asset, -spec.exchange_ask_buffer_ppm),
    }


def buffer_text(ppm: int) -> str:
    """A buffer as a fraction, at eight decimals."""
    return money_text(ppm * _MONEY_PER_PPM)


def _rate(asset: Asset, buffer_ppm: int) -> str:
    return money_text(value_at(asset, MONEY_ONE, buffer_ppm))
