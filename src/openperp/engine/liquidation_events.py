"""Events of a liquidation: its steps, who is deleveraged, and what the insurance fund pays."""

import msgspec

from openperp.engine.terms import PositionSide


class LiquidationStarted(msgspec.Struct, frozen=True, tag=True):
    """Margin is used up: `balance` is what is left of it, at most `maintenance`, both money.

    It is the cross margin of the account if `symbol` is empty, and otherwise that of one
    isolated position. What follows up to `LiquidationEnded` is what was done about it.
    """

    account: int
    symbol: str
    position_side: PositionSide
    balance: int
    maintenance: int
    wallet: int
    set_aside: int
    time_ms: int


class LiquidationStaged(msgspec.Struct, frozen=True, tag=True):
    """`lots` of the `held_lots`, signed, of a position are to be closed now.

    `bankruptcy_ticks` is the price at which its share of `balance` would be gone;
    `balance` and `maintenance` are those of the margin on which the position stands,
    in money, with prices at `mark_ticks`.
    """

    account: int
    symbol: str
    position_side: PositionSide
    lots: int
    held_lots: int
    bankruptcy_ticks: int
    mark_ticks: int
    balance: int
    maintenance: int


class PositionDeleveraged(msgspec.Struct, frozen=True, tag=True):
    """A position has to give up `lots` at `ticks`, being `rank` of `holders` on its side.

    `score` is what it was ranked by, profit / wallet x maintenance margin / margin
    balance, in units of 10^-8; the numbers behind it are those before it was closed, in money,
    and the wallet is that of its margin, with what other assets count as collateral.
    """

    account: int
    symbol: str
    position_side: PositionSide
    lots: int
    ticks: int
    rank: int
    holders: int
    score: int
    profit: int
    wallet: int
    balance: int
    maintenance: int


class InsuranceCleared(msgspec.Struct, frozen=True, tag=True):
    """`amount`, signed money, went from the insurance fund to an account, or back as its fee.

    `wallet` and `set_aside` are the account's after it, `insurance` is the fund. An empty
    `symbol` stands for no position in particular.
    """

    account: int
    symbol: str
    position_side: PositionSide
    amount: int
    wallet: int
    set_aside: int
    insurance: int
    time_ms: int


class LiquidationEnded(msgspec.Struct, frozen=True, tag=True):
    """What is left after a liquidation; the margin is named as when it started."""

    account: int
    symbol: str
    position_side: PositionSide
    balance: int
    maintenance: int
    wallet: int
    set_aside: int


class InsuranceChanged(msgspec.Struct, frozen=True, tag=True):
    """The operator paid `amount`, signed money, into the insurance fund, which is `insurance`."""

    amount: int
    insurance: int
