"""What can be margin: the margin asset itself, and assets that count beside it.

Amounts of an asset are counts of 10^-8 of it, its index is money per whole asset.
"""

from typing import Final

import msgspec

from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.numbers import MONEY_ONE, NOTIONAL_LIMIT, PPM


class AssetSpec(msgspec.Struct, frozen=True, array_like=True):
    """An asset that accounts can hold.

    `index` is where its index price starts, now and after a reset. Below it by the bid
    buffer is what the asset counts as collateral; above it by the ask buffer what a debt
    of it would count. A debt beyond `exchange_threshold`, an amount of the asset, is
    paid with other assets, which go at their index less their bid buffer for exchanges.
    """

    asset: str
    index: int
    bid_buffer_ppm: int = 0
    ask_buffer_ppm: int = 0
    exchange_threshold: int = 0
    exchange_bid_buffer_ppm: int = 0
    exchange_ask_buffer_ppm: int = 0


MARGIN_SPEC: Final = AssetSpec(MARGIN_ASSET, MONEY_ONE, exchange_threshold=10_000 * MONEY_ONE)
"""The asset in which everything is counted, as every venue has it from the start."""


def find_asset_fault(spec: AssetSpec) -> str:
    """Why there can be no such asset, as one sentence; empty if there can."""
    name = spec.asset
    if not (name.isascii() and name.isalnum() and name.isupper() and len(name) <= 20):
        return "an asset must be up to 20 upper-case ASCII letters and digits"
    if not 1 <= spec.index < NOTIONAL_LIMIT:
        return "the index price must be positive and not too large"
    if not 0 <= spec.exchange_threshold < NOTIONAL_LIMIT:
        return "the debt that is left alone must be at least zero and not too large"
    buffers = (
        spec.bid_buffer_ppm,
        spec.ask_buffer_ppm,
        spec.exchange_bid_buffer_ppm,
        spec.exchange_ask_buffer_ppm,
    )
    if min(buffers) < 0 or max(buffers) >= PPM:
        return "buffers must be at least zero and below 100 %"
    if spec.exchange_bid_buffer_ppm > spec.bid_buffer_ppm:
        return "an exchange must not take more off the index than collateral does"
    if name == MARGIN_ASSET and (spec.index != MONEY_ONE or max(buffers)):
        return f"{MARGIN_ASSET} is what assets are counted in: its index is 1, without buffers"
    return ""
