"""Every way of saying no: fapi codes, their messages, and what the engine's refusals become.

`MESSAGES` is the one table of codes that this venue can answer; the texts are
those of Binance's USD-M error page, plus what its service answers beyond that page: the
filter text of -1013, -4130 and -4509, and -5000 to a path that it does not have. `REFUSALS`
gives each of the engine's reasons a code. Both are total and hold nothing else,
which the tests prove.
"""

from collections.abc import Callable, Mapping
from typing import Final

from openperp.api.dialect import Dialect
from openperp.api.explain import explain_refusal
from openperp.api.wire.numbers import decimal_text
from openperp.engine.instruments import InstrumentSpec
from openperp.engine.numbers import MONEY_DECIMALS
from openperp.engine.rejects import Reason, Reject
from openperp.engine.terms import Cause

MESSAGES: Final[Mapping[int, tuple[str, ...]]] = {
    -1000: ("An unknown error occured while processing the request.",),
    -1001: ("Internal error; unable to process your request. Please try again.",),
    -1003: (
        (
            "Too many requests; current limit is %s requests per %s."
            " Please use the websocket for live updates to avoid polling the API."
        ),
        (
            "Way too many requests; IP banned until %s."
            " Please use the websocket for live updates to avoid bans."
        ),
    ),
    -1007: (
        (
            "Timeout waiting for response from backend server."
            " Send status unknown; execution status unknown."
        ),
    ),
    -1008: (
        "Server is currently overloaded with other requests. Please try again in a few minutes.",
        (
            "Request throttled by system-level protection."
            " Reduce-only/close-position orders are exempt. Please try again."
        ),
    ),
    -1013: ("INVALID_MESSAGE.", "Filter failure: %s"),
    -1015: (
        "Too many new orders.",
        "Too many new orders; current limit is %s orders per %s.",
    ),
    -1020: ("This operation is not supported.",),
    -1021: (
        "Timestamp for this request is outside of the recvWindow.",
        "Timestamp for this request was 1000ms ahead of the server's time.",
    ),
    -1022: ("Signature for this request is not valid.",),
    -1023: ("Start time is greater than end time.",),
    -1099: ("Not found, unauthenticated, or unauthorized.",),
    -1100: (
        "Illegal characters found in a parameter.",
        "Illegal characters found in parameter '%s'; legal range is '%s'.",
    ),
    -1101: (
        "Too many parameters sent for this endpoint.",
        "Too many parameters; expected '%s' and received '%s'.",
        "Duplicate values for a parameter detected.",
    ),
    -1102: (
        "A mandatory parameter was not sent, was empty/null, or malformed.",
        "Mandatory parameter '%s' was not sent, was empty/null, or malformed.",
        "Param '%s' or '%s' must be sent, but both were empty/null!",
    ),
    -1104: (
        "Not all sent parameters were read.",
        "Not all sent parameters were read; read '%s' parameter(s) but was sent '%s'.",
    ),
    -1105: ("A parameter was empty.", "Parameter '%s' was empty."),
    -1106: ("A parameter was sent when not required.", "Parameter '%s' sent when not required."),
    -1108: ("Invalid asset.",),
    -1109: ("Invalid account.",),
    -1111: ("Precision is over the maximum defined for this asset.",),
    -1114: ("TimeInForce parameter sent when not required.",),
    -1115: ("Invalid timeInForce.",),
    -1116: ("Invalid orderType.",),
    -1117: ("Invalid side.",),
    -1120: ("Invalid interval.",),
    -1121: ("Invalid symbol.",),
    -1122: ("Invalid symbol status.",),
    -1125: (
        (
            "This listenKey does not exist."
            " Please use `POST /fapi/v1/listenKey` to recreate `listenKey`"
        ),
    ),
    -1127: (
        "Lookup interval is too big.",
        "More than %s hours between startTime and endTime.",
    ),
    -1128: ("Combination of optional parameters invalid.",),
    -1130: ("Invalid data sent for a parameter.", "Data sent for parameter '%s' is not valid."),
    -1136: ("Invalid newOrderRespType.",),
    -2010: ("NEW_ORDER_REJECTED",),
    -2011: ("Unknown order sent.", "CANCEL_REJECTED"),
    -2013: ("Order does not exist.",),
    -2014: ("API-key format invalid.",),
    -2015: ("Invalid API-key, IP, or permissions for action.",),
    -2018: ("Balance is insufficient.",),
    -2019: ("Margin is insufficient.",),
    -2021: ("Order would immediately trigger.",),
    -2022: ("ReduceOnly Order is rejected.",),
    -2025: ("Reach max open order limit.",),
    -2027: ("Exceeded the maximum allowable position at current leverage.",),
    -2028: ("Leverage is smaller than permitted: insufficient margin balance.",),
    -4001: ("Price less than 0.",),
    -4002: ("Price greater than max price.",),
    -4003: ("Quantity less than zero.",),
    -4004: ("Quantity less than min quantity.",),
    -4005: ("Quantity greater than max quantity.",),
    -4006: ("Stop price less than zero.",),
    -4007: ("Stop price greater than max price.",),
    -4013: ("Price less than min price.",),
    -4014: ("Price not increased by tick size.",),
    -4015: (
        "Client order id is not valid.",
        "Client order id length should not be more than 36 chars",
    ),
    -4016: ("Price is higher than mark price multiplier cap.",),
    -4021: ("Invalid depth limit.", "'%s' is not valid depth limit."),
    -4024: ("Price is lower than mark price multiplier floor.",),
    -4028: (
        "Invalid leverage",
        "Leverage `%s` is not valid",
        "Leverage `%s` already exist with `%s`",
    ),
    -4031: ("Invalid parameter working type", "Invalid parameter working type: `%s`"),
    -4032: ("Exceed maximum cancel order size.",),
    -4045: ("Reach max stop order limit.",),
    -4046: ("No need to change margin type.",),
    -4047: ("Margin type cannot be changed if there exists open orders.",),
    -4048: ("Margin type cannot be changed if there exists position.",),
    -4049: ("Add margin only support for isolated position.",),
    -4050: ("Cross balance insufficient.",),
    -4051: ("Isolated balance insufficient.",),
    -4054: ("Cannot add position margin: position is 0.",),
    -4055: ("Amount must be positive.",),
    -4056: ("Invalid api key type.",),
    -4057: ("Invalid api public key",),
    -4059: ("No need to change position side.",),
    -4060: ("Invalid position side.",),
    -4061: ("Order's position side does not match user's setting.",),
    -4067: ("Position side cannot be changed if there exists open orders.",),
    -4068: ("Position side cannot be changed if there exists position.",),
    -4082: (
        "Invalid number of batch place orders.",
        "Invalid number of batch place orders: %s",
    ),
    -4084: ("Method is not allowed currently. Upcoming soon.",),
    -4104: ("Invalid contract type",),
    -4116: ("clientOrderId is duplicated",),
    -4120: (
        (
            "Order type not supported for this endpoint."
            " Please use the Algo Order API endpoints instead."
        ),
    ),
    -4130: (
        (
            "An open stop or take profit order with GTE and closePosition in the direction"
            " is existing."
        ),
    ),
    -4131: ("The counterparty's best price does not meet the PERCENT_PRICE filter limit",),
    -4135: ("Invalid activation price",),
    -4137: ("Quantity must be zero with closePosition equals true",),
    -4138: ("Reduce only must be true with closePosition equals true",),
    -4144: ("Invalid pair",),
    -4161: ("Leverage reduction is not supported in Isolated Margin Mode with open positions",),
    -4164: (
        "Order's notional must be no smaller than 5.0 (unless you choose reduce only)",
        "Order's notional must be no smaller than %s (unless you choose reduce only)",
    ),
    -4165: ("Invalid time interval", "Maximum time interval is %s days"),
    -4167: (
        (
            "Unable to adjust to Multi-Assets mode with symbols of USDⓈ-M Futures"
            " under isolated-margin mode."
        ),
    ),
    -4168: ("Unable to adjust to isolated-margin mode under the Multi-Assets mode.",),
    -4169: (
        ("Unable to adjust Multi-Assets Mode with insufficient margin balance in USDⓈ-M Futures."),
    ),
    -4170: ("Unable to adjust Multi-Assets Mode with open orders in USDⓈ-M Futures.",),
    -4171: ("Adjusted asset mode is currently set and does not need to be adjusted repeatedly.",),
    -4172: (
        (
            "Unable to adjust Multi-Assets Mode with a negative wallet balance of margin available"
            " asset in USDⓈ-M Futures account."
        ),
    ),
    -4183: (
        "Price is higher than stop price multiplier cap.",
        "Limit price can't be higher than %s.",
    ),
    -4184: (
        "Price is lower than stop price multiplier floor.",
        "Limit price can't be lower than %s.",
    ),
    -4509: (
        (
            "Time in Force (TIF) GTE can only be used with open positions."
            " Please ensure that positions are available."
        ),
    ),
    -5000: ("Path %s, Method %s is invalid",),
    -5021: ("Due to the order could not be filled immediately, the FOK order has been rejected.",),
    -5022: (
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    ),
    -5024: ("Symbol is not in trading status. Order amendment is not permitted.",),
    -5025: ("Only limit order is supported.",),
    -5026: ("Exceed maximum modify order limit.",),
    -5027: ("No need to modify the order.",),
    -5029: ("Order's notional must be no smaller than %s",),
    -5037: ("Invalid price match",),
    -5038: ("Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT",),
    -5039: ("Invalid self trade prevention mode",),
    -5040: (
        (
            "The goodTillDate timestamp must be greater than the current time plus 600 seconds"
            " and smaller than 253402300799000 (UTC 9999-12-31 23:59:59)"
        ),
    ),
    -5041: ("No depth matches this BBO order",),
    -5047: ("The original order is not a reduce-only order.",),
}

MISSING: Final = -1102
"""Of a parameter that is not there: a caller is then told where it was looked for."""

STATUSES: Final[Mapping[int, int]] = {
    -1003: 429,
    -1007: 503,
    -1008: 503,
    -1015: 429,
    -2014: 401,
    -2015: 401,
}
"""HTTP status of a code; 400 for all others."""


class ApiError(Exception):
    """A request that is answered with `{"code", "msg"}`.

    The message is the first of the code's forms that takes as many arguments as
    are given, or the form at index `form`. `explain` says why in words and
    numbers and travels as the X-Explain header. `retry_ms` is how long the caller
    has to wait, and becomes a Retry-After header. Inside a list that a handler
    returns it stands for the error of that element.
    """

    def __init__(
        self,
        code: int,
        *args: object,
        status: int = 0,
        explain: str = "",
        form: int = -1,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        retry_ms: int = 0,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.msg = _message(code, args, form)
        self.status = status or STATUSES.get(code, 400)
        self.explain = explain
        self.headers = headers
        self.retry_ms = retry_ms
        if retry_ms:
            self.headers += ((b"retry-after", b"%d" % -(-retry_ms // 1000)),)

    @classmethod
    def saying(cls, code: int, sentence: str, status: int = 400) -> "ApiError":
        """An error in a sentence of its own: how the operator API speaks."""
        error = cls(code, status=status, explain=sentence, form=0)
        error.msg = sentence
        return error


def _message(code: int, args: tuple[object, ...], form: int) -> str:
    forms = MESSAGES[code]
    if form >= 0:
        text = forms[form]
        return text % args if "%s" in text and args else text
    for text in forms:
        if text.count("%s") == len(args):
            return text % args if args else text
    raise AssertionError(f"{code} has no message with {len(args)} arguments")


OBSTACLE_TEXTS: Final[Mapping[Cause, str]] = {
    Cause.POSITION_GONE: MESSAGES[-2022][0],
    Cause.DISPLACED: MESSAGES[-2022][0],
    Cause.MARGIN_MISSING: MESSAGES[-2019][0],
    Cause.WOULD_TAKE: MESSAGES[-5022][0],
    Cause.NOT_FILLABLE: MESSAGES[-5021][0],
    Cause.POSITION_LIMIT: MESSAGES[-2027][0],
    Cause.STAKES_TOO_HIGH: MESSAGES[-2010][0],
    Cause.BEST_PRICE_TOO_FAR: MESSAGES[-4131][0],
    Cause.PRICES_APART: "The gap between mark price and last price exceeds triggerProtect.",
}
"""What keeps a trigger order that fires out of the book, in the words of a refusal.

No code of fapi says the last.
"""

Answer = tuple[int, tuple[object, ...]]
"""A code and the arguments of its message."""

Detail = Mapping[str, int | str]
Rule = Answer | Callable[[Dialect, Detail], Answer]


def _notional(dialect: Dialect, detail: Detail) -> Answer:
    smallest = decimal_text(int(detail["min_notional"]), MONEY_DECIMALS, shortest=True)
    arguments = dialect.notional_filter.arguments
    return dialect.notional_filter.code, tuple(
        argument.format(min_notional=smallest) for argument in arguments
    )


def _amended_notional(_dialect: Dialect, detail: Detail) -> Answer:
    smallest = decimal_text(int(detail["min_notional"]), MONEY_DECIMALS, shortest=True)
    return -5029, (smallest,)


def _leverage(_dialect: Dialect, detail: Detail) -> Answer:
    return -4028, (detail["leverage"],)


REFUSALS: Final[Mapping[Reason, Rule]] = {
    Reason.SYMBOL_UNKNOWN: (-1121, ()),
    Reason.ACCOUNT_UNKNOWN: (-1109, ()),
    Reason.ACCOUNT_EXISTS: (-1109, ()),
    Reason.ACCOUNT_NAME_INVALID: (-1130, ("name",)),
    Reason.KEY_EXISTS: (-1130, ("api_key",)),
    Reason.ASSET_UNKNOWN: (-1108, ()),
    Reason.AMOUNT_NOT_POSITIVE: (-4055, ()),
    Reason.AMOUNT_TOO_LARGE: (-1130, ("amount",)),
    Reason.POSITION_MODE_UNCHANGED: (-4059, ()),
    Reason.OPEN_ORDERS_EXIST: (-4067, ()),
    Reason.POSITION_EXISTS: (-4068, ()),
    Reason.REDUCE_ONLY_IN_HEDGE_MODE: (-1106, ("reduceOnly",)),
    Reason.AMENDED_ORDER_UNKNOWN: (-2013, ()),
    Reason.AMENDED_SIDE_INVALID: (-1117, ()),
    Reason.AMENDED_IN_MODE: (-5024, ()),
    Reason.AMENDED_TYPE_INVALID: (-5025, ()),
    Reason.AMENDED_TOO_OFTEN: (-5026, ()),
    Reason.AMENDED_NOTHING: (-5027, ()),
    Reason.AMENDED_BELOW_NOTIONAL: _amended_notional,
    Reason.AMENDED_NOT_REDUCE_ONLY: (-5047, ()),
    Reason.MARGIN_TYPE_UNCHANGED: (-4046, ()),
    Reason.MARGIN_TYPE_WITH_ORDERS: (-4047, ()),
    Reason.MARGIN_TYPE_WITH_POSITION: (-4048, ()),
    Reason.MARGIN_NOT_ISOLATED: (-4049, ()),
    Reason.MARGIN_WITHOUT_POSITION: (-4054, ()),
    Reason.CROSS_MARGIN_INSUFFICIENT: (-4050, ()),
    Reason.ISOLATED_MARGIN_INSUFFICIENT: (-4051, ()),
    Reason.ISOLATED_LEVERAGE_LOWERED: (-4161, ()),
    Reason.BALANCE_INSUFFICIENT: (-2018, ()),
    Reason.ORDER_UNKNOWN: (-2011, ()),
    Reason.PARENT_UNKNOWN: (-2013, ()),
    Reason.PARENT_SIDE_INVALID: (-1128, ()),
    Reason.CLIENT_ID_DUPLICATE: (-4116, ()),
    Reason.PRICE_BELOW_MINIMUM: (-4013, ()),
    Reason.PRICE_ABOVE_MAXIMUM: (-4002, ()),
    Reason.QUANTITY_NOT_POSITIVE: (-4003, ()),
    Reason.QUANTITY_BELOW_MINIMUM: (-4004, ()),
    Reason.QUANTITY_ABOVE_MAXIMUM: (-4005, ()),
    Reason.NOTIONAL_BELOW_MINIMUM: _notional,
    Reason.TRIGGER_PRICE_BELOW_MINIMUM: (-4013, ()),
    Reason.TRIGGER_PRICE_ABOVE_MAXIMUM: (-4007, ()),
    Reason.CALLBACK_RATE_INVALID: (-1130, ("callbackRate",)),
    Reason.WOULD_TRIGGER_IMMEDIATELY: (-2021, ()),
    Reason.ATTACHED_PRICE_WRONG_SIDE: (-2021, ()),
    Reason.REDUCE_ONLY_REJECTED: (-2022, ()),
    Reason.CLOSE_POSITION_REJECTED: (-2022, ()),
    Reason.POSITION_SIDE_MISMATCH: (-4061, ()),
    Reason.MARGIN_INSUFFICIENT: (-2019, ()),
    Reason.POSITION_LIMIT_EXCEEDED: (-2027, ()),
    Reason.OPEN_ORDER_LIMIT_REACHED: (-2025, ()),
    Reason.TRIGGER_ORDER_LIMIT_REACHED: (-4045, ()),
    Reason.WOULD_TAKE: (-5022, ()),
    Reason.NOT_FILLABLE: (-5021, ()),
    Reason.LEVERAGE_INVALID: _leverage,
    Reason.LEVERAGE_MARGIN_INSUFFICIENT: (-2028, ()),
    Reason.GOOD_TILL_DATE_INVALID: (-5040, ()),
    Reason.NO_PRICE_TO_MATCH: (-5041, ()),
    Reason.PRICE_ABOVE_MARK_BOUND: (-4016, ()),
    Reason.PRICE_BELOW_MARK_BOUND: (-4024, ()),
    Reason.BEST_PRICE_BEYOND_BOUND: (-4131, ()),
    Reason.PRICE_ABOVE_TRIGGER_BOUND: (-4183, ()),
    Reason.PRICE_BELOW_TRIGGER_BOUND: (-4184, ()),
    Reason.STAKES_TOO_HIGH: (-2010, ()),
    Reason.TIED_WITHOUT_POSITION: (-4509, ()),
    Reason.CLOSING_ORDER_EXISTS: (-4130, ()),
    Reason.FEE_TIER_UNKNOWN: (-1130, ("tier",)),
    Reason.MODE_REFUSES: (-1122, ()),
    Reason.INSTRUMENT_INVALID: (-1130, ("instrument",)),
    Reason.ASSET_INVALID: (-1130, ("asset",)),
    Reason.MULTI_ASSETS_UNCHANGED: (-4171, ()),
    Reason.MULTI_ASSETS_WITH_ORDERS: (-4170, ()),
    Reason.MULTI_ASSETS_WITH_ISOLATED: (-4167, ()),
    Reason.MULTI_ASSETS_WITH_DEBT: (-4172, ()),
    Reason.MULTI_ASSETS_MARGIN_INSUFFICIENT: (-4169, ()),
    Reason.ISOLATED_IN_MULTI_ASSETS: (-4168, ()),
    Reason.VENUE_ALREADY_OPEN: (-1020, ()),
}


def from_reject(reject: Reject, dialect: Dialect, spec: InstrumentSpec | None = None) -> ApiError:
    """The answer to a refusal of the engine.

    `spec` is the instrument of the refused command; with it the explanation
    speaks of prices and quantities rather than ticks and lots.
    """
    rule = REFUSALS[reject.reason]
    code, args = rule(dialect, reject.detail) if callable(rule) else rule
    return ApiError(code, *args, explain=explain_refusal(reject, spec))
