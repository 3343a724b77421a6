"""How endpoints take symbols and pairs: as parameters, as markets, as weights."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from openperp.api.endpoint import Call
from openperp.api.errors import ApiError
from openperp.api.kinds import Symbol
from openperp.api.params import Params
from openperp.api.wire.row import Row
from openperp.engine.state import Market

_NO_SYMBOL: Final = -1121
_NO_PAIR: Final = -4144


class OneSymbol(Params, frozen=True):
    symbol: Annotated[str, Symbol()]


class OnePair(Params, frozen=True):
    pair: Annotated[str, Symbol()]


class MaybeSymbol(Params, frozen=True):
    symbol: Annotated[str, Symbol()] = ""


def find_market(call: Call, symbol: str) -> Market:
    """The market of a symbol; -1121 when there is none."""
    return _find(call, symbol, _NO_SYMBOL)


def find_pair(call: Call, pair: str) -> Market:
    """The perpetual of a pair, which has its name; -4144 when there is none."""
    return _find(call, pair, _NO_PAIR)


def _find(call: Call, name: str, code: int) -> Market:
    market = call.view.state.markets.get(name)
    if market is None:
        listed = ", ".join(call.view.state.markets)
        raise ApiError(code, explain=f"{name} is not listed; these are: {listed}")
    return market


Describe = Callable[[Call, Market], Row]
"""Makes the row of one market."""


def one_or_all(call: Call, params: MaybeSymbol, describe: Describe) -> Any:
    """The row of the symbol that was asked for, or a list with the row of every market."""
    if params.symbol:
        return describe(call, find_market(call, params.symbol))
    return [describe(call, market) for market in call.view.state.markets.values()]


def weight_by_symbol(one: int, all: int) -> Callable[[Any], int]:
    """A weight that depends on whether one symbol was asked for."""
    return lambda params: one if params.symbol else all
