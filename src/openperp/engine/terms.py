"""The engine's vocabulary: closed sets of words, as small integers.

The numbers are journaled, so a meaning never changes and a number is never
reused; a new word takes the next free number.
"""

from enum import IntEnum
from typing import Final


class Side(IntEnum):
    """Direction of an order; the value is the sign it gives to a position."""

    BUY = 1
    SELL = -1


class OrderType(IntEnum):
    LIMIT = 1
    MARKET = 2
    STOP = 3
    STOP_MARKET = 4
    TAKE_PROFIT = 5
    TAKE_PROFIT_MARKET = 6
    TRAILING_STOP_MARKET = 7


class TimeInForce(IntEnum):
    GTC = 1
    IOC = 2
    FOK = 3
    GTX = 4
    GTD = 5
    """Until a date, then it expires."""
    GTE_GTC = 6
    """Until its position is gone, then it expires."""


class OrderStatus(IntEnum):
    NEW = 1
    PARTIALLY_FILLED = 2
    FILLED = 3
    CANCELED = 4
    EXPIRED = 5
    EXPIRED_IN_MATCH = 6
    """Ended instead of trading with its own account."""


class StpMode(IntEnum):
    """Self-trade prevention: who expires when a taker meets an order of its own account."""

    NONE = 0
    EXPIRE_TAKER = 1
    EXPIRE_MAKER = 2
    EXPIRE_BOTH = 3


class PriceMatch(IntEnum):
    """Which level of the book gives an order its price."""

    NONE = 0
    OPPONENT = 1
    OPPONENT_5 = 2
    OPPONENT_10 = 3
    OPPONENT_20 = 4
    QUEUE = 5
    QUEUE_5 = 6
    QUEUE_10 = 7
    QUEUE_20 = 8


class WorkingType(IntEnum):
    """The price that a trigger watches."""

    CONTRACT_PRICE = 1
    MARK_PRICE = 2


class PositionSide(IntEnum):
    BOTH = 0
    LONG = 1
    SHORT = -1


class OrderScope(IntEnum):
    """Which orders a cancel can reach: all, those of the book, or those with a trigger.

    A triggered order stays in the TRIGGER scope and is in the BOOK scope as well.
    """

    ANY = 0
    BOOK = 1
    TRIGGER = 2


class Mode(IntEnum):
    """What a venue or a market accepts."""

    NORMAL = 1
    CANCEL_ONLY = 2
    HALTED = 3


class Origin(IntEnum):
    """Who placed an order: its account, or the venue against it."""

    ACCOUNT = 0
    LIQUIDATION = 1
    """The venue closes a position whose margin is used up."""
    DELEVERAGING = 2
    """The venue closes a position against one that nobody else takes."""


class Cause(IntEnum):
    """Why an order ended, or why a wallet changed hands."""

    NONE = 0
    REQUESTED = 1
    CASCADE = 2
    """The order that it was attached to was cancelled."""
    SIBLING_FIRED = 3
    """Another child of the same parent fired."""
    NOTHING_OPENED = 4
    """Its parent ended without opening a position."""
    POSITION_GONE = 5
    NO_LIQUIDITY = 6
    """The unfilled rest of a MARKET or IOC order."""
    MARGIN_MISSING = 7
    """A triggered order could not be funded."""
    WOULD_TAKE = 8
    """A triggered GTX order would have taken liquidity."""
    NOT_FILLABLE = 9
    """A triggered FOK order could not be filled at once."""
    POSITION_LIMIT = 10
    """A triggered order would exceed the notional cap of its leverage bracket."""
    SELF_TRADE = 11
    """Its next trade would have been one with its own account."""
    DATE_PASSED = 12
    """A GTD order that was not filled by its date."""
    PRICES_APART = 13
    """A price-protected trigger order fired while mark and last were too far apart."""
    DISPLACED = 14
    """Reduce-only orders that trade before it, or other fills, left it nothing to close."""
    AGED = 15
    """A GTC order that has been open for too long."""
    LIQUIDATED = 16
    """Its account is being liquidated."""
    DELEVERAGED = 17
    """Its account's position has been taken against one that the book did not take."""
    STAKES_TOO_HIGH = 18
    """Its trades would have put more at stake in the venue than it can hold."""
    BEST_PRICE_TOO_FAR = 19
    """A MARKET order that a trigger fired found no price within the bound around mark price."""
    BOUND_REACHED = 20
    """The unfilled rest of a MARKET order, where the book goes on beyond the bound."""


OBSTACLES: Final = frozenset(
    {
        Cause.POSITION_GONE,
        Cause.MARGIN_MISSING,
        Cause.WOULD_TAKE,
        Cause.NOT_FILLABLE,
        Cause.POSITION_LIMIT,
        Cause.PRICES_APART,
        Cause.DISPLACED,
        Cause.STAKES_TOO_HIGH,
        Cause.BEST_PRICE_TOO_FAR,
    }
)
"""What can keep a trigger order that fires out of the book."""

# The words by their own names. The engine uses these alone: looking a member up on its
# class costs as much as several attribute reads, on Python 3.11 even more.
BUY: Final = Side.BUY
SELL: Final = Side.SELL
LIMIT: Final = OrderType.LIMIT
MARKET: Final = OrderType.MARKET
STOP: Final = OrderType.STOP
STOP_MARKET: Final = OrderType.STOP_MARKET
TAKE_PROFIT: Final = OrderType.TAKE_PROFIT
TAKE_PROFIT_MARKET: Final = OrderType.TAKE_PROFIT_MARKET
TRAILING_STOP_MARKET: Final = OrderType.TRAILING_STOP_MARKET
GTC: Final = TimeInForce.GTC
IOC: Final = TimeInForce.IOC
FOK: Final = TimeInForce.FOK
GTX: Final = TimeInForce.GTX
GTD: Final = TimeInForce.GTD
GTE_GTC: Final = TimeInForce.GTE_GTC
NEW: Final = OrderStatus.NEW
PARTIALLY_FILLED: Final = OrderStatus.PARTIALLY_FILLED
FILLED: Final = OrderStatus.FILLED
CANCELED: Final = OrderStatus.CANCELED
EXPIRED: Final = OrderStatus.EXPIRED
EXPIRED_IN_MATCH: Final = OrderStatus.EXPIRED_IN_MATCH
NO_STP: Final = StpMode.NONE
NO_MATCH: Final = PriceMatch.NONE
EXPIRE_TAKER: Final = StpMode.EXPIRE_TAKER
EXPIRE_MAKER: Final = StpMode.EXPIRE_MAKER
CONTRACT_PRICE: Final = WorkingType.CONTRACT_PRICE
MARK_PRICE: Final = WorkingType.MARK_PRICE
BOTH: Final = PositionSide.BOTH
LONG: Final = PositionSide.LONG
SHORT: Final = PositionSide.SHORT
ANY: Final = OrderScope.ANY
BOOK: Final = OrderScope.BOOK
TRIGGER: Final = OrderScope.TRIGGER
NORMAL: Final = Mode.NORMAL
CANCEL_ONLY: Final = Mode.CANCEL_ONLY
HALTED: Final = Mode.HALTED
BY_ACCOUNT: Final = Origin.ACCOUNT
BY_LIQUIDATION: Final = Origin.LIQUIDATION
BY_DELEVERAGING: Final = Origin.DELEVERAGING

PRICED_TYPES: Final = frozenset({LIMIT, STOP, TAKE_PROFIT})
"""Types that carry a limit price."""
STOP_TYPES: Final = frozenset({STOP, STOP_MARKET})
TAKE_PROFIT_TYPES: Final = frozenset({TAKE_PROFIT, TAKE_PROFIT_MARKET})
CLOSING_TYPES: Final = frozenset({STOP_MARKET, TAKE_PROFIT_MARKET})
"""Types that can close a whole position."""
TRIGGER_TYPES: Final = STOP_TYPES | TAKE_PROFIT_TYPES | {TRAILING_STOP_MARKET}
"""Types that wait outside the book until a price fires them."""
