"""The stream of contracts: listings, changes of what they accept, and of their brackets."""

from collections.abc import Iterable
from typing import Final

import msgspec

from openperp.api.streams.channel import USD_MARGINED, Channel, encode
from openperp.api.streams.names import Stream
from openperp.api.view import View
from openperp.api.wire.contracts import CONTRACT_TYPE, PERPETUAL_DELIVERY_MS, contract_status
from openperp.api.wire.numbers import decimal_text
from openperp.api.wire.row import Row
from openperp.engine.instruments import Bracket
from openperp.engine.numbers import MONEY_DECIMALS
from openperp.engine.state import Market

Terms = tuple[str, tuple[Bracket, ...]]

PPM_DECIMALS: Final = 6


class ContractInfo(Channel):
    """Contracts that are new, or have changed their status or their brackets.

    The brackets come along where it was they that changed.
    """

    follows_terms = True

    def __init__(self, stream: Stream, view: View) -> None:
        super().__init__(stream, view)
        self._known = {symbol: self._terms(market) for symbol, market in view.state.markets.items()}
        self._waiting: list[bytes] = []

    def hear_terms(self) -> None:
        for symbol, market in self.view.state.markets.items():
            terms, known = self._terms(market), self._known.get(symbol)
            if terms != known:
                self._known[symbol] = terms
                brackets = terms[1] if known is not None and terms[1] != known[1] else ()
                self._waiting.append(encode(self._tell(market, terms[0], brackets)))

    def speak(self) -> Iterable[bytes]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def _terms(self, market: Market) -> Terms:
        return contract_status(self.view.state, market), market.spec.brackets

    def _tell(self, market: Market, status: str, brackets: tuple[Bracket, ...]) -> Row:
        spec = market.spec
        row: Row = {
            "e": "contractInfo",
            "E": self.view.now_ms(),
            "s": spec.symbol,
            "ps": spec.symbol,
            "ct": CONTRACT_TYPE,
            "dt": PERPETUAL_DELIVERY_MS,
            "ot": spec.onboard_ms,
            "cs": status,
        }
        if brackets:
            row["bks"] = _bracket_rows(brackets)
        row["st"] = USD_MARGINED
        return row


def _bracket_rows(brackets: tuple[Bracket, ...]) -> list[Row]:
    """Money in whole units of the quote asset; leverage from that of the next bracket on."""
    following = [bracket.max_leverage for bracket in brackets[1:]]
    return [
        {
            "bs": number,
            "bnf": _number(bracket.notional_floor, MONEY_DECIMALS),
            "bnc": _number(bracket.notional_cap, MONEY_DECIMALS),
            "mmr": _number(bracket.maintenance_ppm, PPM_DECIMALS),
            "cf": _number(bracket.cum, MONEY_DECIMALS),
            "mi": min(below + 1, bracket.max_leverage),
            "ma": bracket.max_leverage,
        }
        for number, (bracket, below) in enumerate(zip(brackets, [*following, 0], strict=True), 1)
    ]


def _number(units: int, decimals: int) -> msgspec.Raw:
    """A JSON number, exact."""
    return msgspec.Raw(decimal_text(units, decimals, shortest=True).encode())
