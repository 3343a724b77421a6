"""Why the engine says no."""

from enum import IntEnum, auto
from typing import NoReturn

import msgspec


class Reason(IntEnum):
    """Every refusal, as a sentence would name it. `api.errors` maps each to a code."""

    SYMBOL_UNKNOWN = auto()
    ACCOUNT_UNKNOWN = auto()
    ACCOUNT_EXISTS = auto()
    ACCOUNT_NAME_INVALID = auto()
    KEY_EXISTS = auto()
    ASSET_UNKNOWN = auto()
    AMOUNT_NOT_POSITIVE = auto()
    BALANCE_INSUFFICIENT = auto()
    ORDER_UNKNOWN = auto()
    PARENT_UNKNOWN = auto()
    PARENT_SIDE_INVALID = auto()
    CLIENT_ID_DUPLICATE = auto()
    PRICE_BELOW_MINIMUM = auto()
    PRICE_ABOVE_MAXIMUM = auto()
    QUANTITY_NOT_POSITIVE = auto()
    QUANTITY_BELOW_MINIMUM = auto()
    QUANTITY_ABOVE_MAXIMUM = auto()
    NOTIONAL_BELOW_MINIMUM = auto()
    TRIGGER_PRICE_BELOW_MINIMUM = auto()
    TRIGGER_PRICE_ABOVE_MAXIMUM = auto()
    CALLBACK_RATE_INVALID = auto()
    WOULD_TRIGGER_IMMEDIATELY = auto()
    ATTACHED_PRICE_WRONG_SIDE = auto()
    REDUCE_ONLY_REJECTED = auto()
    CLOSE_POSITION_REJECTED = auto()
    POSITION_SIDE_MISMATCH = auto()
    MARGIN_INSUFFICIENT = auto()
    POSITION_LIMIT_EXCEEDED = auto()
    OPEN_ORDER_LIMIT_REACHED = auto()
    TRIGGER_ORDER_LIMIT_REACHED = auto()
    WOULD_TAKE = auto()
    NOT_FILLABLE = auto()
    LEVERAGE_INVALID = auto()
    LEVERAGE_MARGIN_INSUFFICIENT = auto()
    MODE_REFUSES = auto()
    INSTRUMENT_INVALID = auto()
    VENUE_ALREADY_OPEN = auto()
    AMOUNT_TOO_LARGE = auto()
    POSITION_MODE_UNCHANGED = auto()
    OPEN_ORDERS_EXIST = auto()
    POSITION_EXISTS = auto()
    REDUCE_ONLY_IN_HEDGE_MODE = auto()
    AMENDED_ORDER_UNKNOWN = auto()
    AMENDED_SIDE_INVALID = auto()
    AMENDED_IN_MODE = auto()
    AMENDED_TYPE_INVALID = auto()
    AMENDED_TOO_OFTEN = auto()
    AMENDED_NOTHING = auto()
    AMENDED_BELOW_NOTIONAL = auto()
    AMENDED_NOT_REDUCE_ONLY = auto()
    MARGIN_TYPE_UNCHANGED = auto()
    MARGIN_TYPE_WITH_ORDERS = auto()
    MARGIN_TYPE_WITH_POSITION = auto()
    MARGIN_NOT_ISOLATED = auto()
    MARGIN_WITHOUT_POSITION = auto()
    CROSS_MARGIN_INSUFFICIENT = auto()
    ISOLATED_MARGIN_INSUFFICIENT = auto()
    ISOLATED_LEVERAGE_LOWERED = auto()

    GOOD_TILL_DATE_INVALID = auto()
    NO_PRICE_TO_MATCH = auto()
    PRICE_ABOVE_MARK_BOUND = auto()
    PRICE_BELOW_MARK_BOUND = auto()
    BEST_PRICE_BEYOND_BOUND = auto()
    FEE_TIER_UNKNOWN = auto()
    ASSET_INVALID = auto()
    MULTI_ASSETS_UNCHANGED = auto()
    MULTI_ASSETS_WITH_ORDERS = auto()
    MULTI_ASSETS_WITH_ISOLATED = auto()
    MULTI_ASSETS_WITH_DEBT = auto()
    MULTI_ASSETS_MARGIN_INSUFFICIENT = auto()
    ISOLATED_IN_MULTI_ASSETS = auto()
    PRICE_ABOVE_TRIGGER_BOUND = auto()
    PRICE_BELOW_TRIGGER_BOUND = auto()
    STAKES_TOO_HIGH = auto()
    TIED_WITHOUT_POSITION = auto()
    CLOSING_ORDER_EXISTS = auto()


Detail = dict[str, int | str]
"""The numbers behind a refusal, by name: ticks, lots, money or text, as the name says."""


class Reject(msgspec.Struct, frozen=True):
    """A refusal as a value: the reply to a command that changed nothing."""

    reason: Reason
    detail: Detail


class Rejected(Exception):
    """Carries a `Reject` from the check that found it to the command's handler."""

    def __init__(self, reject: Reject) -> None:
        super().__init__(reject.reason.name)
        self.reject = reject


def refuse(reason: Reason, **detail: int | str) -> NoReturn:
    """Refuses the command under way. Only legal before its first change."""
    raise Rejected(Reject(reason, detail))
