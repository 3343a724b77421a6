"""The assets that a new venue has beside the margin asset."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from openperp.engine.assets import AssetSpec
from openperp.engine.collateral import price_in_money
from openperp.engine.commands import DefineAsset
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.numbers import MONEY_ONE
from openperp.node.instruments import Instrument

BUILT_IN_ASSETS: Final = (
    AssetSpec("USDC", MONEY_ONE, 100, 100, 10_000 * MONEY_ONE, 100, 100),
    AssetSpec("BTC", 60_000 * MONEY_ONE, 50_000, 50_000, MONEY_ONE // 10, 25_000, 25_000),
)
"""They count 99.99 % and 95 % of their index."""


def plan_assets(instruments: Iterable[Instrument]) -> list[DefineAsset]:
    """The built-in assets; one that is traded against the margin asset starts at that price."""
    first = {each.spec.symbol: each for each in instruments}
    commands = []
    for spec in BUILT_IN_ASSETS:
        listed = first.get(f"{spec.asset}{MARGIN_ASSET}")
        if listed is not None:
            spec = replace(spec, index=price_in_money(listed.spec, listed.index_ticks))
        commands.append(DefineAsset(spec))
    return commands
