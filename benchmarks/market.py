"""The market that the engine is measured on: the built-in BTCUSDT at 60000."""

from openperp.engine.apply import apply
from openperp.engine.commands import (
    Command,
    CreateAccount,
    DefineInstrument,
    OpenVenue,
    Record,
    SetOrderLimits,
)
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.state import State
from openperp.node.instruments import BUILT_IN, specify

SYMBOL = "BTCUSDT"
INSTRUMENT = specify(SYMBOL, BUILT_IN[SYMBOL])
INDEX_TICKS = INSTRUMENT.index_ticks
START_MS = 1_767_225_600_000
ACCOUNTS = 50
DEPOSIT = 500_000_000 * MONEY_ONE


def opening() -> list[Command]:
    """Fifty accounts with deep pockets, and no limit on the number of open orders."""
    return [
        OpenVenue("ztdx", liquidates=True),
        DefineInstrument(INSTRUMENT.spec, INDEX_TICKS),
        SetOrderLimits(enabled=False),
        *(CreateAccount(f"account-{number}", DEPOSIT) for number in range(ACCOUNTS)),
    ]


def open_market() -> State:
    state = State()
    for command in opening():
        apply(state, Record(state.seq + 1, START_MS, command))
    return state
