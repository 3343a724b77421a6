"""The account: balances, positions, and the settings that change how orders count."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec

from openperp.api.endpoint import Call, Endpoint, Security, Submission
from openperp.api.endpoints.forced_orders import find_level
from openperp.api.endpoints.order_reading import account_of
from openperp.api.endpoints.symbols import MaybeSymbol, find_market
from openperp.api.kinds import Bool, Long, Symbol
from openperp.api.params import NoParams, Params
from openperp.api.wire import positions as rows
from openperp.api.wire.account import account_v2, account_v3, balance_rows
from openperp.api.wire.numbers import decimal_text
from openperp.api.wire.row import Row
from openperp.engine.commands import SetLeverage, SetMultiAssets, SetPositionMode
from openperp.engine.events import Applied, LeverageChanged
from openperp.engine.instruments import Bracket
from openperp.engine.lookup import list_sides
from openperp.engine.numbers import MONEY_DECIMALS
from openperp.engine.state import Market, Position


class LeverageChoice(Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    leverage: Annotated[int, Long()]


class ModeChoice(Params, frozen=True):
    dual_side_position: Annotated[bool, Bool()]


class AssetsChoice(Params, frozen=True):
    multi_assets_margin: Annotated[bool, Bool()]


def get_balance(call: Call, _params: NoParams) -> list[Row]:
    return balance_rows(call.view.state, account_of(call))


def get_account_v2(call: Call, _params: NoParams) -> Row:
    """The account with a row for every symbol."""
    account = account_of(call)
    return account_v2(
        call.view.state,
        account,
        [
            rows.account_row_v2(account, position, call.view.format_of(position.market))
            for position in _positions(call, "")
        ],
    )


def get_account_v3(call: Call, _params: NoParams) -> Row:
    """The account with a row for each symbol in use."""
    return account_v3(
        call.view.state,
        account_of(call),
        [
            rows.account_row_v3(position, call.view.format_of(position.market))
            for position in _positions(call, "")
            if _is_used(position)
        ],
    )


def get_risk(call: Call, params: MaybeSymbol) -> list[Row]:
    """One symbol, or all of them, with or without a position: one row each, or one per side."""
    account = account_of(call)
    return [
        rows.risk_row(account, position, call.view.format_of(position.market))
        for position in _positions(call, params.symbol)
    ]


def get_exposure(call: Call, params: MaybeSymbol) -> list[Row]:
    """The symbols, or sides of them, with a position or with orders in the book."""
    account = account_of(call)
    return [
        rows.exposure_row(
            account,
            position,
            call.view.format_of(position.market),
            find_level(call, account, position),
        )
        for position in _positions(call, params.symbol)
        if _is_used(position)
    ]


def _positions(call: Call, symbol: str) -> list[Position]:
    """The account's positions in one market or in all, empty ones included.

    LONG and SHORT of each market in hedge mode.
    """
    account = account_of(call)
    return [
        position for market in _markets(call, symbol) for position in list_sides(account, market)
    ]


def _markets(call: Call, symbol: str) -> list[Market]:
    return [find_market(call, symbol)] if symbol else list(call.view.state.markets.values())


def _is_used(position: Position) -> bool:
    return bool(position.lots or position.order_count)


def set_leverage(call: Call, params: LeverageChoice) -> Submission:
    find_market(call, params.symbol)
    command = SetLeverage(call.account, params.symbol, params.leverage)
    return Submission(command, _finish_leverage)


def _finish_leverage(applied: Applied) -> Row:
    changed = applied.reply
    assert isinstance(changed, LeverageChanged)
    return {
        "symbol": changed.symbol,
        "leverage": changed.leverage,
        "maxNotionalValue": decimal_text(changed.notional_cap, MONEY_DECIMALS, shortest=True),
    }


def get_brackets(call: Call, params: MaybeSymbol) -> list[Row]:
    """Leverage brackets, as a list even for one symbol: it is what clients have met."""
    return [_bracket_table(market) for market in _markets(call, params.symbol)]


def _bracket_table(market: Market) -> Row:
    return {
        "symbol": market.spec.symbol,
        "brackets": [
            _bracket(number, bracket)
            for number, bracket in enumerate(market.spec.brackets, start=1)
        ],
    }


def _bracket(number: int, bracket: Bracket) -> Row:
    return {
        "bracket": number,
        "initialLeverage": bracket.max_leverage,
        "notionalCap": _number(bracket.notional_cap, MONEY_DECIMALS),
        "notionalFloor": _number(bracket.notional_floor, MONEY_DECIMALS),
        "maintMarginRatio": _number(bracket.maintenance_ppm, 6),
        "cum": _number(bracket.cum, MONEY_DECIMALS),
    }


def _number(units: int, decimals: int) -> msgspec.Raw:
    """A JSON number, exact."""
    return msgspec.Raw(decimal_text(units, decimals, shortest=True))


def get_position_mode(call: Call, _params: NoParams) -> Row:
    return {"dualSidePosition": account_of(call).hedge}


def set_position_mode(call: Call, params: ModeChoice) -> Submission:
    """Hedge or one-way mode for every symbol; refused while an order or a position is open."""
    command = SetPositionMode(call.account, params.dual_side_position)
    return Submission(command, lambda _applied: {"code": 200, "msg": "success"})


def get_assets_mode(call: Call, _params: NoParams) -> Row:
    return {"multiAssetsMargin": account_of(call).multi_assets}


def set_assets_mode(call: Call, params: AssetsChoice) -> Submission:
    """All assets as margin, or USDT alone; refused while something stands on the other."""
    command = SetMultiAssets(call.account, params.multi_assets_margin)
    return Submission(command, lambda _applied: {"code": 200, "msg": "success"})


def get_symbol_config(call: Call, params: MaybeSymbol) -> list[Row]:
    return [
        {
            "symbol": market.symbol,
            "marginType": rows.margin_type_word(position.isolated),
            "isAutoAddMargin": False,
            "leverage": position.leverage,
            "maxNotionalValue": rows.max_notional_text(position),
        }
        for market in _markets(call, params.symbol)
        for position in list_sides(account_of(call), market)[:1]
    ]


def get_account_config(call: Call, _params: NoParams) -> Row:
    account = account_of(call)
    return {
        "feeTier": account.fee_tier,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "dualSidePosition": account.hedge,
        "updateTime": account.updated_ms,
        "multiAssetsMargin": account.multi_assets,
        "tradeGroupId": -1,
    }


def _get(
    path: str,
    params: Any,
    handle: Callable[[Call, Any], Any],
    summary: str,
    weight: int = 5,
    ws: tuple[str, ...] = (),
    stance: str = "",
) -> Endpoint[Any]:
    return Endpoint(
        "GET", path, Security.USER_DATA, params, handle, summary, weight, ws=ws, stance=stance
    )


def _post(
    path: str, params: Any, handle: Callable[[Call, Any], Any], summary: str, stance: str = ""
) -> Endpoint[Any]:
    return Endpoint("POST", path, Security.TRADE, params, handle, summary, stance=stance)


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    _get("/fapi/v2/balance", NoParams, get_balance, "Balances", ws=("account.balance",)),
    _get("/fapi/v3/balance", NoParams, get_balance, "Balances", ws=("v2/account.balance",)),
    _get(
        "/fapi/v2/account",
        NoParams,
        get_account_v2,
        "Account with every symbol",
        ws=("account.status",),
    ),
    _get(
        "/fapi/v3/account",
        NoParams,
        get_account_v3,
        "Account with the symbols in use",
        ws=("v2/account.status",),
    ),
    _get("/fapi/v1/positionRisk", MaybeSymbol, get_risk, "Positions of every symbol"),
    _get(
        "/fapi/v2/positionRisk",
        MaybeSymbol,
        get_risk,
        "Positions of every symbol",
        ws=("account.position",),
    ),
    _get(
        "/fapi/v3/positionRisk",
        MaybeSymbol,
        get_exposure,
        "Positions of the symbols in use",
        ws=("v2/account.position",),
    ),
    _post("/fapi/v1/leverage", LeverageChoice, set_leverage, "Change the leverage of a symbol"),
    _get("/fapi/v1/leverageBracket", MaybeSymbol, get_brackets, "Leverage brackets", 1),
    _get("/fapi/v1/positionSide/dual", NoParams, get_position_mode, "Position mode", 30),
    _post("/fapi/v1/positionSide/dual", ModeChoice, set_position_mode, "Change the position mode"),
    _get("/fapi/v1/multiAssetsMargin", NoParams, get_assets_mode, "Multi-assets mode", 30),
    _post(
        "/fapi/v1/multiAssetsMargin",
        AssetsChoice,
        set_assets_mode,
        "Change the multi-assets mode",
    ),
    _get("/fapi/v1/symbolConfig", MaybeSymbol, get_symbol_config, "Settings by symbol"),
    _get("/fapi/v1/accountConfig", NoParams, get_account_config, "Settings of the account"),
)
