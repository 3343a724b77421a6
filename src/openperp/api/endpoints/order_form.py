"""New orders: what a caller may write, and the command that it becomes.

POST order, each element of POST batchOrders and POST algoOrder fill in the
same form. Here stand the rules about which fields go together and on which
grid they lie; ranges, margin and everything that depends on the market's state
is the engine's to refuse.
"""

from typing import Annotated, Final, NamedTuple

from msgspec import structs

from openperp.api.dialect import Dialect
from openperp.api.endpoint import Call
from openperp.api.endpoints.symbols import find_market
from openperp.api.errors import ApiError
from openperp.api.kinds import Bool, ClientId, Decimal, Exit, Long, Symbol, Word
from openperp.api.params import Params, to_lots, to_nearest_ticks, to_ppm, to_ticks
from openperp.engine.commands import PlaceOrder
from openperp.engine.state import Market
from openperp.engine.terms import (
    CLOSING_TYPES,
    PRICED_TYPES,
    TAKE_PROFIT_TYPES,
    TRIGGER_TYPES,
    OrderType,
    PositionSide,
    PriceMatch,
    Side,
    StpMode,
    TimeInForce,
    WorkingType,
)

_TIMES: Final = dict(TimeInForce.__members__)
_TIME_WORDS: Final = {word: word for word in (*_TIMES, "RPI")}

_IMMEDIATE: Final = {"IOC", "FOK"}

_CALLBACK_MIN_PPM: Final = 1_000


class OrderTerms(Params, frozen=True):
    """The fields of every new order. An empty text stands for a number that was not sent."""

    symbol: Annotated[str, Symbol()]
    side: Annotated[Side, Word(Side, -1117)]
    type: Annotated[OrderType, Word(OrderType, -1116)]
    position_side: Annotated[PositionSide, Word(PositionSide, -4060)] = PositionSide.BOTH
    time_in_force: Annotated[str, Word(_TIME_WORDS, -1115)] = ""
    quantity: Annotated[str, Decimal()] = ""
    price: Annotated[str, Decimal()] = ""
    reduce_only: Annotated[bool | None, Bool()] = None
    new_client_order_id: Annotated[str, ClientId()] = ""
    stop_price: Annotated[str, Decimal()] = ""
    trigger_price: Annotated[str, Decimal()] = ""
    close_position: Annotated[bool, Bool()] = False
    activation_price: Annotated[str, Decimal()] = ""
    activate_price: Annotated[str, Decimal()] = ""
    callback_rate: Annotated[str, Decimal()] = ""
    working_type: Annotated[WorkingType, Word(WorkingType, -4031, names_value=True)] = (
        WorkingType.CONTRACT_PRICE
    )
    price_protect: Annotated[bool, Bool()] = False
    new_order_resp_type: Annotated[str, Word({"ACK": "ACK", "RESULT": "RESULT"}, -1136)] = ""
    price_match: Annotated[PriceMatch, Word(PriceMatch, -5037)] = PriceMatch.NONE
    self_trade_prevention_mode: Annotated[StpMode | None, Word(StpMode, -5039)] = None
    good_till_date: Annotated[int, Long()] = 0
    parent_order_id: Annotated[int, Long(minimum=1)] = 0
    parent_client_order_id: Annotated[str, ClientId()] = ""


class OrderForm(OrderTerms, frozen=True):
    """The fields of a new order, which may bring a take profit and a stop loss along."""

    take_profit_price: Annotated[str, Exit()] = ""
    stop_loss_price: Annotated[str, Exit()] = ""
    attached_working_type: Annotated[
        WorkingType | None, Word(WorkingType, -4031, names_value=True)
    ] = None
    take_profit_client_order_id: Annotated[str, ClientId()] = ""
    stop_loss_client_order_id: Annotated[str, ClientId()] = ""


class AlgoForm(OrderForm, frozen=True):
    """The fields of a new algo order, whose id has another name."""

    algo_type: Annotated[str, Word({"CONDITIONAL": "CONDITIONAL"})] = "CONDITIONAL"
    client_algo_id: Annotated[str, ClientId()] = ""


class _Attached(NamedTuple):
    """What an order brings along; zero ticks where there is none."""

    take_profit_ticks: int
    take_profit_client_id: str
    stop_loss_ticks: int
    stop_loss_client_id: str
    working_type: WorkingType


def single_command(call: Call, form: OrderForm) -> PlaceOrder:
    """The command for POST order, whose orders may have a self-trade prevention of their own."""
    command = order_command(call, form)
    if form.self_trade_prevention_mode is None and call.over_http:
        return structs.replace(command, stp=call.view.dialect.order_stp)
    return command


def shows_outcome(form: OrderTerms, dialect: Dialect) -> bool:
    """Whether the reply shows what became of the order, or the order as it was accepted.

    Where ACK is the default, RESULT counts for orders that cannot rest.
    """
    if not dialect.acknowledges_orders:
        return form.new_order_resp_type != "ACK"
    rests = form.type is not OrderType.MARKET and form.time_in_force not in _IMMEDIATE
    return form.new_order_resp_type == "RESULT" and not rests


def order_command(call: Call, form: OrderForm) -> PlaceOrder:
    """The command for an element of POST batchOrders."""
    if form.type in TRIGGER_TYPES and not call.view.dialect.triggers_on_order_endpoint:
        raise ApiError(-4120, explain=f"{form.type.name} orders go to POST /fapi/v1/algoOrder")
    return place_command(call, form)


def algo_command(call: Call, form: AlgoForm) -> PlaceOrder:
    """The command for POST algoOrder."""
    if form.type not in TRIGGER_TYPES:
        raise ApiError(-1116, explain=f"{form.type.name} orders go to POST /fapi/v1/order")
    return place_command(call, _without_repeat(call, form), form.client_algo_id, algo=True)


def _without_repeat(call: Call, form: AlgoForm) -> AlgoForm:
    """The form without what says its trigger price again and attaches nothing.

    ccxt.pro sends the trigger price of a stop as `stopLossPrice` too, and that of a take
    profit as `takeProfitPrice`, before it has rounded them. With a client id of its own the
    price is meant.
    """
    gains = form.type in TAKE_PROFIT_TYPES
    price = form.take_profit_price if gains else form.stop_loss_price
    named = form.take_profit_client_order_id if gains else form.stop_loss_client_order_id
    trigger = form.trigger_price or form.stop_price
    if not price or not trigger or named:
        return form
    market = find_market(call, form.symbol)
    name = "takeProfitPrice" if gains else "stopLossPrice"
    ticks = to_nearest_ticks(market, price, name)
    if ticks != to_nearest_ticks(market, trigger, "triggerPrice"):
        return form
    if gains:
        return structs.replace(form, take_profit_price="")
    return structs.replace(form, stop_loss_price="")


def place_command(
    call: Call, form: OrderForm, client_id: str = "", *, algo: bool = False
) -> PlaceOrder:
    """The command for an order of any type; raises `ApiError` for whatever the form breaks."""
    market = find_market(call, form.symbol)
    _check_not_offered(form)
    _check_combination(form)
    if form.reduce_only is not None and call.view.state.accounts[call.account].hedge:
        raise ApiError(
            -1106, "reduceOnly", explain="in hedge mode side and positionSide say what closes"
        )
    attached = _attached(market, form)
    return PlaceOrder(
        account=call.account,
        symbol=form.symbol,
        side=form.side,
        type=form.type,
        lots=_lots(call, market, form),
        ticks=_price_ticks(market, form),
        time_in_force=_time_in_force(call, form),
        client_id=client_id or form.new_client_order_id,
        reduce_only=bool(form.reduce_only),
        close_position=form.close_position,
        trigger_ticks=_trigger_ticks(market, form, algo=algo),
        working_type=form.working_type,
        activation_ticks=_activation_ticks(market, form),
        callback_ppm=_callback_ppm(call, form),
        price_protect=form.price_protect,
        algo=algo,
        position_side=form.position_side,
        parent_id=form.parent_order_id,
        parent_client_id=form.parent_client_order_id,
        take_profit_ticks=attached.take_profit_ticks,
        take_profit_client_id=attached.take_profit_client_id,
        stop_loss_ticks=attached.stop_loss_ticks,
        stop_loss_client_id=attached.stop_loss_client_id,
        attached_working_type=attached.working_type,
        stp=form.self_trade_prevention_mode or StpMode.NONE,
        expires_ms=form.good_till_date,
        price_match=form.price_match,
    )


def _check_not_offered(form: OrderTerms) -> None:
    """A word that fapi knows and this venue does not follow is refused, never ignored.

    RPI orders trade with what people send from the exchange's own app and web page, and
    with no client of the API: here they would find nobody.
    """
    if form.time_in_force == "RPI":
        raise ApiError(-4084, explain="RPI orders trade with no client of the API: use GTX")


def _check_combination(form: OrderTerms) -> None:
    if form.close_position:
        _check_closing(form)
    if form.time_in_force == "GTD" and not form.good_till_date:
        raise ApiError(-1102, "goodTillDate")
    if form.good_till_date and form.time_in_force != "GTD":
        raise ApiError(-1106, "goodTillDate", explain="goodTillDate goes with timeInForce GTD")


def _check_closing(form: OrderTerms) -> None:
    if form.type not in CLOSING_TYPES:
        raise ApiError(
            -1128, explain="closePosition goes with STOP_MARKET and TAKE_PROFIT_MARKET only"
        )
    if form.quantity.strip("0."):
        raise ApiError(-4137, explain=f"quantity {form.quantity} was sent with closePosition")
    if form.reduce_only is not None:
        raise ApiError(-4138, explain="reduceOnly cannot be sent with closePosition")


def _lots(call: Call, market: Market, form: OrderTerms) -> int:
    """The quantity, which an attached order may leave to its parent."""
    if form.quantity:
        return to_lots(market, form.quantity, "quantity", call.view.dialect)
    if form.close_position or form.parent_order_id or form.parent_client_order_id:
        return 0
    raise ApiError(-1102, "quantity")


def _price_ticks(market: Market, form: OrderTerms) -> int:
    if form.price_match and form.type not in PRICED_TYPES:
        raise ApiError(-5038, explain=f"{form.type.name} orders have no price to match")
    if form.type in PRICED_TYPES:
        return price_or_match(market, form.price, form.price_match)
    if form.price:
        raise ApiError(-1106, "price", explain=f"{form.type.name} orders have no price")
    return 0


def price_or_match(market: Market, price: str, price_match: PriceMatch) -> int:
    """The price in ticks; zero where the book gives it, and then none may be sent."""
    if price_match:
        if price:
            raise ApiError(-1106, "price", explain=f"priceMatch {price_match.name} is the price")
        return 0
    if not price:
        raise ApiError(-1102, "price")
    return to_ticks(market, price, "price")


def _time_in_force(call: Call, form: OrderTerms) -> TimeInForce:
    if form.type is OrderType.MARKET:
        if form.time_in_force:
            raise ApiError(-1114, explain="MARKET orders have no timeInForce")
        return TimeInForce.GTC
    if form.time_in_force:
        return _given_time(form)
    dialect = call.view.dialect
    if form.type is OrderType.LIMIT and dialect.limit_needs_time_in_force:
        raise ApiError(-1102, "timeInForce")
    return dialect.closing_time_in_force if form.close_position else TimeInForce.GTC


def _given_time(form: OrderTerms) -> TimeInForce:
    time_in_force = _TIMES[form.time_in_force]
    if time_in_force is TimeInForce.GTE_GTC and form.type not in TRIGGER_TYPES:
        raise ApiError(-1115, explain="GTE_GTC is for orders that wait for a trigger price")
    return time_in_force


def _trigger_ticks(market: Market, form: OrderTerms, *, algo: bool) -> int:
    text = _one_of(form.stop_price, form.trigger_price, "stopPrice", "triggerPrice")
    name = "stopPrice" if form.stop_price or not algo else "triggerPrice"
    if form.type not in TRIGGER_TYPES or form.type is OrderType.TRAILING_STOP_MARKET:
        if text:
            raise ApiError(-1106, name, explain=f"{form.type.name} orders have no {name}")
        return 0
    if not text:
        raise ApiError(-1102, name)
    return to_ticks(market, text, name)


def _activation_ticks(market: Market, form: OrderTerms) -> int:
    text = _one_of(form.activation_price, form.activate_price, "activationPrice", "activatePrice")
    if not text:
        return 0
    name = "activationPrice" if form.activation_price else "activatePrice"
    if form.type is not OrderType.TRAILING_STOP_MARKET:
        raise ApiError(-1106, name, explain=f"{form.type.name} orders have no {name}")
    return _positive_ticks(market, text, name, -4135)


def _callback_ppm(call: Call, form: OrderTerms) -> int:
    """The trailing distance: a percentage from 0.1 to what the dialect allows."""
    text = form.callback_rate
    if form.type is not OrderType.TRAILING_STOP_MARKET:
        if text:
            raise ApiError(-1106, "callbackRate", explain="callbackRate is for trailing stops")
        return 0
    if not text:
        raise ApiError(-1102, "callbackRate")
    rate = to_ppm(text, "callbackRate")
    largest = call.view.dialect.callback_max_ppm
    if not _CALLBACK_MIN_PPM <= rate <= largest:
        raise ApiError(
            -1130,
            "callbackRate",
            explain=f"callbackRate {text} is not between 0.1 and {largest // 10_000} percent",
        )
    return rate


def _attached(market: Market, form: OrderForm) -> _Attached:
    parent = form.parent_order_id or form.parent_client_order_id
    if parent and (form.take_profit_price or form.stop_loss_price):
        raise ApiError(-1128, explain="an attached order cannot have attached orders of its own")
    profit_id, loss_id = form.take_profit_client_order_id, form.stop_loss_client_order_id
    return _Attached(
        _attached_ticks(market, form.take_profit_price, "takeProfit", profit_id),
        profit_id,
        _attached_ticks(market, form.stop_loss_price, "stopLoss", loss_id),
        loss_id,
        _attached_working_type(form),
    )


def _attached_working_type(form: OrderForm) -> WorkingType:
    """The price that attached orders watch: mark unless the caller says otherwise."""
    if form.attached_working_type is None:
        return WorkingType.MARK_PRICE
    if not form.take_profit_price and not form.stop_loss_price:
        why = "attachedWorkingType goes with a takeProfitPrice or stopLossPrice that is attached"
        raise ApiError(-1106, "attachedWorkingType", explain=why)
    return form.attached_working_type


def _attached_ticks(market: Market, text: str, prefix: str, client_id: str) -> int:
    if text:
        return _positive_ticks(market, text, f"{prefix}Price", -4013)
    if client_id:
        name = f"{prefix}ClientOrderId"
        raise ApiError(-1106, name, explain=f"{name} goes with {prefix}Price")
    return 0


def _positive_ticks(market: Market, text: str, name: str, code: int) -> int:
    """A price whose zero must not pass for "none"."""
    ticks = to_ticks(market, text, name)
    if not ticks:
        raise ApiError(code, explain=f"{name} must be above zero")
    return ticks


def _one_of(first: str, second: str, first_name: str, second_name: str) -> str:
    """The value of a field with two names."""
    if first and second and first != second:
        raise ApiError(-1128, explain=f"{first_name} {first} and {second_name} {second} differ")
    return first or second
