"""The operator's side of assets that can be margin beside USDT: their index and their terms."""

from typing import Annotated, Any, Final

from msgspec.structs import replace

from openperp.api.endpoint import Call, Endpoint, Security, Submission
from openperp.api.errors import MISSING, ApiError, from_reject
from openperp.api.kinds import Decimal, Text
from openperp.api.params import NoParams, Params, to_money, to_rate
from openperp.api.wire.asset_index import buffer_text
from openperp.api.wire.numbers import money_text
from openperp.api.wire.row import Row
from openperp.engine.assets import AssetSpec, find_asset_fault
from openperp.engine.commands import DefineAsset, SetAssetIndex
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.rejects import Reason, Reject
from openperp.engine.state import Asset


class AssetTerms(Params, frozen=True, rename=None):
    """Buffers are fractions of one; what is left out stays, or is zero in a new asset."""

    asset: Annotated[str, Text(20)]
    index: Annotated[str, Decimal()] = ""
    bid_buffer: Annotated[str, Decimal()] = ""
    ask_buffer: Annotated[str, Decimal()] = ""
    auto_exchange_threshold: Annotated[str, Decimal()] = ""
    auto_exchange_bid_buffer: Annotated[str, Decimal()] = ""
    auto_exchange_ask_buffer: Annotated[str, Decimal()] = ""


def list_assets(call: Call, _params: NoParams) -> list[Row]:
    return [_row(asset) for asset in call.view.state.assets.values()]


def _row(asset: Asset) -> Row:
    spec = asset.spec
    return {
        "asset": spec.asset,
        "index": money_text(asset.index),
        "first_index": money_text(spec.index),
        "bid_buffer": buffer_text(spec.bid_buffer_ppm),
        "ask_buffer": buffer_text(spec.ask_buffer_ppm),
        "auto_exchange_threshold": money_text(spec.exchange_threshold),
        "auto_exchange_bid_buffer": buffer_text(spec.exchange_bid_buffer_ppm),
        "auto_exchange_ask_buffer": buffer_text(spec.exchange_ask_buffer_ppm),
    }


def define_asset(call: Call, params: AssetTerms) -> Submission:
    """Adds an asset, or changes its index or its terms; an index alone is a price and no term.

    A new asset needs an index, at which it also starts after a reset.
    """
    known = call.view.state.assets.get(params.asset)
    if known is None and not params.index:
        raise ApiError.saying(MISSING, f"the new asset {params.asset} needs an index")
    index = to_money(params.index, "index") if params.index else 0
    spec = _specify(known.spec if known else AssetSpec(params.asset, index), params)
    if params.index:
        _check_whole(call, replace(spec, index=index))
    moves = known is not None and index and (params.asset, index) != (MARGIN_ASSET, known.index)
    command: DefineAsset | SetAssetIndex = DefineAsset(spec, index if moves else 0)
    if known is not None and moves and spec == known.spec:
        command = SetAssetIndex(params.asset, index)
    return Submission(command, lambda _applied: _row(call.view.state.assets[params.asset]))


def _check_whole(call: Call, spec: AssetSpec) -> None:
    """Refuses what is wrong with the terms or with the new index."""
    fault = find_asset_fault(spec)
    if fault:
        reject = Reject(Reason.ASSET_INVALID, {"asset": spec.asset, "fault": fault})
        raise from_reject(reject, call.view.dialect)


def _specify(spec: AssetSpec, params: AssetTerms) -> AssetSpec:
    """The terms as they are, and those that are given."""
    given = params.auto_exchange_threshold
    return AssetSpec(
        spec.asset,
        spec.index,
        _rate(params, "bid_buffer", spec.bid_buffer_ppm),
        _rate(params, "ask_buffer", spec.ask_buffer_ppm),
        to_money(given, "auto_exchange_threshold") if given else spec.exchange_threshold,
        _rate(params, "auto_exchange_bid_buffer", spec.exchange_bid_buffer_ppm),
        _rate(params, "auto_exchange_ask_buffer", spec.exchange_ask_buffer_ppm),
    )


def _rate(params: AssetTerms, name: str, known_ppm: int) -> int:
    given = getattr(params, name)
    return to_rate(given, name) if given else known_ppm


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    Endpoint(
        "GET",
        "/operator/v1/assets",
        Security.OPERATOR,
        NoParams,
        list_assets,
        "Assets with their index and terms",
        weight=0,
    ),
    Endpoint(
        "POST",
        "/operator/v1/assets",
        Security.OPERATOR,
        AssetTerms,
        define_asset,
        "Add an asset, or change its index or terms",
        weight=0,
        requests={
            "A new asset": {"asset": "ETH", "index": "3000", "bid_buffer": "0.1"},
            "Another index": {"asset": "USDC", "index": "0.97"},
        },
    ),
)
