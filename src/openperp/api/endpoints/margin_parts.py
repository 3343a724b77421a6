"""What an account stands on, part by part: cross margin, and that of each isolated position.

Each number has its formula beside it, with the numbers that went into it.
"""

from openperp.api.adl_queue import level_of, rank_of
from openperp.api.view import View
from openperp.api.wire.liquidation import liquidation_text
from openperp.api.wire.numbers import InstrumentFormat, decimal_text, money_text
from openperp.api.wire.positions import margin_type_word
from openperp.api.wire.row import Row
from openperp.engine import margin
from openperp.engine.instruments import Bracket
from openperp.engine.liquidation import balance_share, bankruptcy_ticks
from openperp.engine.liquidation_events import PositionDeleveraged
from openperp.engine.numbers import MONEY_DECIMALS
from openperp.engine.ranking import Holder
from openperp.engine.solvency import MarginPart, list_parts
from openperp.engine.state import Account, Position


def margin_parts(view: View, account: Account) -> list[Row]:
    """Cross margin first, whether or not a position stands on it."""
    return [_part(view, account, part) for part in list_parts(view.state, account)]


def plain(amount: int) -> str:
    """Money in its shortest form, for sentences.

    >>> plain(-150_000_000)
    '-1.5'
    """
    return decimal_text(amount, MONEY_DECIMALS, shortest=True)


def operand(amount: int) -> str:
    """Money behind a sign, for formulas: what is below zero stands in brackets.

    >>> operand(-150_000_000), operand(150_000_000)
    ('(-1.5)', '1.5')
    """
    return f"({plain(amount)})" if amount < 0 else plain(amount)


def score_words(ranked: Holder | PositionDeleveraged) -> str:
    """How the score of a position in the queue of deleveraging comes about."""
    if ranked.balance <= 0:
        return f"score 0, as the balance {plain(ranked.balance)} is not above zero"
    return (
        f"profit {plain(ranked.profit)} / wallet {operand(ranked.wallet)} (at least 1) x"
        f" maintenance {plain(ranked.maintenance)} / balance {plain(ranked.balance)} ="
        f" {plain(ranked.score)}"
    )


def _part(view: View, account: Account, part: MarginPart) -> Row:
    positions, own = part.positions, part.own
    profit = sum(map(margin.unrealized_pnl, positions))
    collateral = 0 if own else account.collateral
    balance, maintenance = plain(part.balance), plain(part.maintenance)
    return {
        "margin": margin_type_word(own is not None),
        "symbol": part.symbol,
        "position_side": part.side.name,
        "wallet": money_text(own.isolated_wallet if own else account.wallet),
        "set_aside": money_text(0 if own else account.set_aside),
        "collateral": money_text(collateral),
        "unrealized_profit": money_text(profit),
        "balance": money_text(part.balance),
        "maintenance": money_text(part.maintenance),
        "used_up": bool(positions) and part.balance <= part.maintenance,
        "formulas": {
            "balance": f"{_wallet_words(account, own, collateral)} + unrealized profit"
            f" {operand(profit)} = {balance}",
            "maintenance": _sum_words(positions, maintenance),
            "used_up": f"balance {balance} <= maintenance {maintenance}"
            if positions
            else "only positions use margin up, and there are none",
        },
        "positions": [_position(view, account, part, each) for each in positions],
    }


def _wallet_words(account: Account, own: Position | None, collateral: int) -> str:
    if own:
        return f"isolated wallet {plain(own.isolated_wallet)}"
    return (
        f"wallet {plain(account.wallet)} - set aside for isolated positions"
        f" {plain(account.set_aside)} + collateral {plain(collateral)}"
    )


def _sum_words(positions: list[Position], total: str) -> str:
    parts = " + ".join(plain(margin.maintenance_margin(each)) for each in positions)
    return f"that of its positions: {parts or 'none'} = {total}"


def _position(view: View, account: Account, part: MarginPart, position: Position) -> Row:
    text = view.format_of(position.market)
    number = margin.bracket_number(position, margin.notional(position))
    bracket = position.market.spec.brackets[number]
    rank, holders, holder = rank_of(view.state, account, position)
    bankruptcy = bankruptcy_ticks(position, balance_share(part, position))
    return {
        "symbol": position.market.symbol,
        "position_side": position.side.name,
        "lots": position.lots,
        "quantity": text.quantity[position.lots],
        "entry_price": text.entry_price(position.entry_cost, position.lots),
        "mark_price": text.price[position.market.mark_ticks],
        "notional": money_text(margin.notional(position)),
        "unrealized_profit": money_text(margin.unrealized_pnl(position)),
        "bracket": number + 1,
        "maintenance_rate": decimal_text(bracket.maintenance_ppm, 6, shortest=True),
        "cum": money_text(bracket.cum),
        "maintenance": money_text(margin.maintenance_margin(position)),
        "liquidation_price": liquidation_text(account, position, text),
        "bankruptcy_price": text.price[bankruptcy],
        "adl": {
            "score": money_text(holder.score),
            "rank": rank,
            "holders": holders,
            "quantile": level_of(rank, holders, holder.score),
        },
        "formulas": {
            **_size_words(position, text, bracket),
            **_price_words(part, position, text, bankruptcy),
            "adl": _adl_words(rank, holders, holder),
        },
    }


def _size_words(position: Position, text: InstrumentFormat, bracket: Bracket) -> Row:
    market = position.market
    size, mark = text.quantity[abs(position.lots)], text.price[market.mark_ticks]
    value = position.lots * market.mark_ticks * market.unit
    notional = margin.notional(position)
    rate = decimal_text(bracket.maintenance_ppm, 6, shortest=True)
    return {
        "notional": f"quantity {size} x mark price {mark} = {plain(notional)}",
        "unrealized_profit": f"value at mark price {plain(value)} - cost"
        f" {operand(position.entry_cost)} = {plain(margin.unrealized_pnl(position))}",
        "bracket": f"notional from {plain(bracket.notional_floor)} to below"
        f" {plain(bracket.notional_cap)}",
        "maintenance": f"notional {plain(notional)} x {rate} - cum {plain(bracket.cum)} ="
        f" {plain(margin.maintenance_margin(position))}, rounded up",
    }


def _price_words(
    part: MarginPart, position: Position, text: InstrumentFormat, bankruptcy: int
) -> Row:
    is_long = position.lots > 0
    notional, mark = margin.notional(position), text.price[position.market.mark_ticks]
    share = balance_share(part, position)
    size = text.quantity[abs(position.lots)]
    sign, rounding = ("-", "up") if is_long else ("+", "down")
    total = sum(map(margin.notional, part.positions))
    return {
        "liquidation_price": "the mark price at which balance = maintenance"
        " while all other prices stay as they are; 0 for none",
        "bankruptcy_price": f"its share of the balance is {plain(part.balance)} x"
        f" {plain(notional)} / {plain(total)} = {plain(share)}; mark price {mark} {sign}"
        f" {operand(share)} / {size} = {text.price[bankruptcy]}, rounded {rounding} to a tick"
        " and kept within the bounds of prices",
    }


def _adl_words(rank: int, holders: int, holder: Holder) -> str:
    return f"{score_words(holder)}; {rank} of {holders} on its side, the highest goes first"
