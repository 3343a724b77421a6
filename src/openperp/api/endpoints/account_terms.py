"""On what terms an account trades: its fees and limits, and what it cannot have yet."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from openperp.api.endpoint import Call, Endpoint, Security
from openperp.api.endpoints.order_reading import account_of
from openperp.api.endpoints.symbols import MaybeSymbol, OneSymbol, find_market, weight_by_symbol
from openperp.api.errors import ApiError
from openperp.api.kinds import Bool, Text
from openperp.api.params import NoParams, Params
from openperp.api.rate_limits import RATE_LIMITS
from openperp.api.wire.numbers import decimal_text, money_text
from openperp.api.wire.row import Row
from openperp.engine import margin
from openperp.engine.collateral import collateral_value, withdrawable_amount
from openperp.engine.instruments import MARGIN_ASSET

DONE: Final = {"code": 200, "msg": "success"}

_ORDER_LIMITS: Final = [RATE_LIMITS["ORDERS", "SECOND"], RATE_LIMITS["ORDERS", "MINUTE"]]


class OneAsset(Params, frozen=True):
    asset: Annotated[str, Text(20)]


class BurnChoice(Params, frozen=True):
    fee_burn: Annotated[bool, Bool()]


def get_fees(call: Call, params: OneSymbol) -> Row:
    """Fees at the account's tier; an order that may rest hidden would pay as a maker."""
    market = find_market(call, params.symbol)
    tier = account_of(call).fee_tier
    maker = _rate(market.maker_fees[tier])
    return {
        "symbol": market.symbol,
        "makerCommissionRate": maker,
        "takerCommissionRate": _rate(market.taker_fees[tier]),
        "rpiCommissionRate": maker,
    }


def _rate(ppm: int) -> str:
    return decimal_text(ppm, 6, shortest=True)


def get_order_limits(_call: Call, _params: NoParams) -> list[Row]:
    return _ORDER_LIMITS


def get_trading_status(call: Call, params: MaybeSymbol) -> Row:
    if params.symbol:
        find_market(call, params.symbol)
    return {"indicators": {}, "updateTime": call.now_ms}


def get_fee_burn(_call: Call, _params: NoParams) -> Row:
    return {"feeBurn": False}


def set_fee_burn(_call: Call, params: BurnChoice) -> Row:
    if params.fee_burn:
        raise ApiError(-4084, explain="there is no asset here that could pay fees at a discount")
    return DONE


def sign_contract(_call: Call, _params: NoParams) -> Row:
    return DONE


def get_portfolio_margin(call: Call, params: OneAsset) -> Row:
    state, account, name = call.view.state, account_of(call), params.asset
    asset = state.assets.get(name)
    if asset is None:
        offered = ", ".join(state.assets)
        raise ApiError(-1108, explain=f"there is no asset {name} here; these are: {offered}")
    if name == MARGIN_ASSET:
        amount = margin.withdrawable(account)
    else:
        amount = withdrawable_amount(state, account, name)
    worth = collateral_value(asset, amount)
    return {
        "maxWithdrawAmountUSD": money_text(worth),
        "asset": name,
        "maxWithdrawAmount": money_text(amount),
    }


def _endpoint(
    method: str,
    path: str,
    params: Any,
    handle: Callable[[Call, Any], Any],
    summary: str,
    weight: Any = 1,
    stance: str = "",
    security: Security = Security.USER_DATA,
) -> Endpoint[Any]:
    return Endpoint(method, path, security, params, handle, summary, weight, stance=stance)


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    _endpoint("GET", "/fapi/v1/commissionRate", OneSymbol, get_fees, "Fees of a symbol", 20),
    _endpoint("GET", "/fapi/v1/rateLimit/order", NoParams, get_order_limits, "Order limits"),
    _endpoint(
        "GET",
        "/fapi/v1/apiTradingStatus",
        MaybeSymbol,
        get_trading_status,
        "Rules for quantitative trading",
        weight_by_symbol(1, 10),
        "No indicators: nobody is measured or locked out for the way he trades.",
    ),
    _endpoint(
        "GET",
        "/fapi/v1/feeBurn",
        NoParams,
        get_fee_burn,
        "Whether fees are paid in BNB",
        30,
        "Always false: fees are paid in USDT alone.",
    ),
    _endpoint(
        "POST",
        "/fapi/v1/feeBurn",
        BurnChoice,
        set_fee_burn,
        "Choose whether fees are paid in BNB",
        1,
        "Refused with -4084 for true: fees are paid in USDT alone.",
        Security.TRADE,
    ),
    _endpoint(
        "POST",
        "/fapi/v1/stock/contract",
        NoParams,
        sign_contract,
        "Sign the agreement on contracts of stocks",
        50,
        "Always done: no contract of this venue asks for an agreement.",
    ),
    _endpoint(
        "GET",
        "/fapi/v1/pmAccountInfo",
        OneAsset,
        get_portfolio_margin,
        "What a portfolio-margin account may withdraw",
        5,
        "What any account may withdraw: none has portfolio margin.",
    ),
)
