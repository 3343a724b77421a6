"""Who holds a position in a market, so that what concerns them costs nothing to all others.

An account holds one position long and one short at most, either as the two sides of hedge
mode, or else one of them. Markets file them by account; it is derived from the state, and no
part of it.
"""

from openperp.engine.state import Account, Market, Position, State


def file_position(account_id: int, position: Position, lots_before: int) -> None:
    """Files a position where its lots, which were `lots_before`, have brought it.

    What is gone has no alarms any more.
    """
    lots = position.lots
    if (lots > 0 and lots_before > 0) or (lots < 0 and lots_before < 0):
        return
    market = position.market
    if lots_before:
        del holders_of(market, lots_before > 0)[account_id]
        market.alarms.drop(account_id, position.key)
    if lots:
        holders_of(market, lots > 0)[account_id] = position


def holders_of(market: Market, longs: bool) -> dict[int, Position]:
    """The open positions of one direction by account, in no useful order."""
    return market.longs if longs else market.shorts


def open_positions(state: State, market: Market) -> list[tuple[Account, Position]]:
    """Everyone's open positions in a market: by account, LONG before SHORT."""
    longs, shorts = market.longs, market.shorts
    found = []
    for account_id in sorted({*longs, *shorts}):
        account = state.accounts[account_id]
        for positions in (longs, shorts):
            position = positions.get(account_id)
            if position is not None:
                found.append((account, position))
    return found
