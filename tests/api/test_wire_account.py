"""Balances, positions and fills, from an engine that traded."""

from decimal import Decimal

import pytest
from msgspec import structs
from tests.engine.desk import BTC, ETH, Desk

from openperp.api.wire import positions as rows
from openperp.api.wire.account import account_v2, account_v3, balance_rows
from openperp.api.wire.liquidation import liquidation_text
from openperp.api.wire.numbers import InstrumentFormat, instrument_format
from openperp.api.wire.trades import user_trade
from openperp.engine import margin
from openperp.engine.commands import SetPositionMode, SetPrice
from openperp.engine.events import OrderFilled
from openperp.engine.instruments import Bracket
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.state import Account, Market, Position
from openperp.engine.terms import PositionSide

TEXT = instrument_format(BTC, shortest=True)


@pytest.fixture
def desk() -> Desk:
    """Alice bought 0.3 BTC from bob at 60000; she bids for more, mark is 61000."""
    desk = Desk()
    desk.order("bob", "SELL", "0.1", "60000")
    desk.order("bob", "SELL", "0.2", "60000")
    desk.order("alice", "BUY", "0.3", "60000")
    desk.order("alice", "BUY", "0.1", "50000")
    desk.order("alice", "SELL", "0.4", "70000")
    desk.price("61000")
    return desk


def test_a_balance(desk: Desk) -> None:
    alice = desk.account("alice")
    (row,) = balance_rows(desk.state, alice)
    assert row == {
        "accountAlias": "alice",
        "asset": "USDT",
        "balance": "9991.00000000",  # less the taker fee of 0.05 % of 18000
        "crossWalletBalance": "9991.00000000",
        "crossUnPnl": "300.00000000",
        # 10291 - 18300/20 for the position - 5000/20 - 0.1 x 70000/20 for the opening parts
        "availableBalance": "8776.00000000",
        "maxWithdrawAmount": "8776.00000000",
        "marginAvailable": True,
        "updateTime": alice.updated_ms,
    }


def test_profit_that_is_not_realized_cannot_be_withdrawn(desk: Desk) -> None:
    desk.price("69000")
    (row,) = balance_rows(desk.state, desk.account("alice"))
    assert (row["availableBalance"], row["maxWithdrawAmount"]) == (
        "11056.00000000",
        "9991.00000000",
    )


def test_an_account(desk: Desk) -> None:
    alice = desk.account("alice")
    row = account_v3(desk.state, alice, [])
    assert {name: value for name, value in row.items() if isinstance(value, str)} == {
        "totalInitialMargin": "1515.00000000",
        "totalMaintMargin": "91.50000000",  # 0.5 % of 18300
        "totalWalletBalance": "9991.00000000",
        "totalUnrealizedProfit": "300.00000000",
        "totalMarginBalance": "10291.00000000",
        "totalPositionInitialMargin": "915.00000000",
        "totalOpenOrderInitialMargin": "600.00000000",
        "totalCrossWalletBalance": "9991.00000000",
        "totalCrossUnPnl": "300.00000000",
        "availableBalance": "8776.00000000",
        "maxWithdrawAmount": "8776.00000000",
    }
    (asset,) = row["assets"]
    assert asset["asset"] == "USDT"
    assert asset["updateTime"] == alice.updated_ms > 0
    assert "marginAvailable" not in asset
    assert row["positions"] == []


def test_the_older_account_has_its_settings_too(desk: Desk) -> None:
    alice = desk.account("alice")
    row = account_v2(desk.state, alice, [{"symbol": "BTCUSDT"}])
    required = {"feeTier", "canTrade", "canDeposit", "canWithdraw", "updateTime", "assets"}
    assert required <= row.keys()
    assert row["positions"] == [{"symbol": "BTCUSDT"}]


def test_a_position(desk: Desk) -> None:
    alice, position = desk.account("alice"), desk.position("alice")
    row = rows.risk_row(alice, position, TEXT)
    assert row == {
        "symbol": "BTCUSDT",
        "positionSide": "BOTH",
        "positionAmt": "0.3",
        "entryPrice": "60000",
        "breakEvenPrice": "60060.03002",  # 60000 x 1.0005 / 0.9995
        "markPrice": "61000",
        "unRealizedProfit": "300.00000000",
        "liquidationPrice": "26830.82077",  # (18000 - 9991) / (0.3 x 0.995)
        "leverage": "20",
        "maxNotionalValue": "90000000",
        "marginType": "cross",
        "isAutoAddMargin": "false",
        "isolatedMargin": "0.00000000",
        "isolatedWallet": "0.00000000",
        "notional": "18300.00000000",
        "updateTime": position.updated_ms,
    }


def test_a_short_position_of_the_newer_kind(desk: Desk) -> None:
    bob, position = desk.account("bob"), desk.position("bob")
    row = rows.exposure_row(bob, position, TEXT, 3)
    assert row["adl"] == 3
    assert row["positionAmt"] == "-0.3"
    assert row["entryPrice"] == "60000"
    assert row["breakEvenPrice"] == "59940.02999"
    assert row["unRealizedProfit"] == "-300.00000000"
    assert row["notional"] == "-18300.00000000"
    assert row["marginAsset"] == "USDT"
    assert (row["initialMargin"], row["maintMargin"]) == ("915.00000000", "91.50000000")
    assert (row["bidNotional"], row["askNotional"]) == ("0.00000000", "0.00000000")


def test_open_orders_count_with_their_opening_parts(desk: Desk) -> None:
    position = desk.position("alice")
    row = rows.exposure_row(desk.account("alice"), position, TEXT, 0)
    assert row["bidNotional"] == "5000.00000000"
    assert row["askNotional"] == "7000.00000000"  # 0.3 of the 0.4 only close
    assert row["openOrderInitialMargin"] == "600.00000000"


def test_rows_inside_an_account(desk: Desk) -> None:
    position = desk.position("alice")
    older = rows.account_row_v2(desk.account("alice"), position, TEXT)
    newer = rows.account_row_v3(position, TEXT)
    assert older["leverage"] == "20"
    assert older["isolated"] is False
    shared = older.keys() & newer.keys()
    assert {name: older[name] for name in shared} == {name: newer[name] for name in shared}
    assert newer["unrealizedProfit"] == "300.00000000"


def test_a_market_without_position(desk: Desk) -> None:
    empty = Position(desk.state.markets["ETHUSDT"])
    row = rows.risk_row(desk.account("alice"), empty, instrument_format(ETH, shortest=False))
    assert (row["positionAmt"], row["entryPrice"]) == ("0.000", "0.00000")
    assert (row["liquidationPrice"], row["breakEvenPrice"]) == ("0.00000", "0.00000")
    assert (row["leverage"], row["notional"]) == ("20", "0.00000000")


def liquidation(wallet: str, lots: int, entry: int, *brackets: Bracket) -> str:
    """Liquidation price of a lonely position."""
    market = Market(BTC, 1, entry)
    if brackets:
        market.spec = structs.replace(BTC, brackets=brackets)
    account = Account(1, "a", 0, False)
    account.wallet = int(Decimal(wallet) * MONEY_ONE)
    position = account.positions["BTCUSDT"] = Position(market)
    position.lots = lots
    position.entry_cost = lots * entry * market.unit
    return liquidation_text(account, position, TEXT)


FLAT = Bracket(100, 0, 10**9 * MONEY_ONE, 4_000, 0)


def test_liquidation_of_the_published_example() -> None:
    """Wallet 1000, long 1 at 10000, maintenance 0.4 %."""
    assert liquidation("1000", 1_000, 100_000, FLAT) == "9036.14458"


@pytest.mark.parametrize(
    ("wallet", "lots", "expected"),
    [
        ("10000", 1_000, "0"),  # the wallet pays for the whole position
        ("20000", 1_000, "0"),
        ("1000", -1_000, "10956.1753"),
        ("0", 0, "0"),
    ],
)
def test_liquidation_price(wallet: str, lots: int, expected: str) -> None:
    assert liquidation(wallet, lots, 100_000, FLAT) == expected


@pytest.mark.parametrize("side", ["BUY", "SELL"])
@pytest.mark.parametrize("quantity", ["0.5", "4", "5.2", "50"])
def test_margin_is_worn_out_at_the_liquidation_price(side: str, quantity: str) -> None:
    """Whatever bracket it ends in, and with another position beside it."""
    desk = Desk(deposit="200000")
    other = "SELL" if side == "BUY" else "BUY"
    for name, way in (("bob", other), ("alice", side)):
        desk.order(name, way, quantity, "60000")
    desk.order("bob", "SELL", "3", "3000", symbol="ETHUSDT")
    desk.order("alice", "BUY", "3", "3000", symbol="ETHUSDT")
    alice, position = desk.account("alice"), desk.position("alice")
    price = Decimal(liquidation_text(alice, position, TEXT))
    if price == 0:
        assert side == "BUY"
        assert Decimal(quantity) * 60_000 < 200_000
        return
    # Ticks are coarser than the price, so equity must change sides around it.
    worth = []
    for ticks in (int(price * 10), int(price * 10) + 1):
        desk.state.markets["BTCUSDT"].mark_ticks = ticks
        needed = sum(margin.maintenance_margin(held) for held in alice.positions.values())
        worth.append(margin.margin_balance(alice) - needed)
    assert min(worth) <= 0 <= max(worth)


def equity_above_maintenance(desk: Desk, ticks: int) -> int:
    """What would be left of alice's margin over maintenance with BTC at `ticks`."""
    alice = desk.account("alice")
    desk.state.markets["BTCUSDT"].mark_ticks = ticks
    needed = sum(map(margin.maintenance_margin, alice.positions.values()))
    return margin.margin_balance(alice) - needed


@pytest.mark.parametrize(
    ("long", "short", "falling"),
    # What is left of the long falls with the price; equal sides are worn out by a rising one.
    [
        ("9", "2", True),
        ("2", "9", False),
        ("3", "3", False),
        ("60", "1", True),
        ("1", "60", False),
        ("40", "40", False),
    ],
)
def test_both_sides_of_a_market_share_their_liquidation_price(
    long: str, short: str, falling: bool
) -> None:
    desk = Desk(deposit="300000")
    desk.do(SetPositionMode(1, True))
    for side, quantity, price, position_side in (
        ("BUY", long, "60000", PositionSide.LONG),
        ("SELL", short, "60100", PositionSide.SHORT),
    ):
        desk.order("bob", "SELL" if side == "BUY" else "BUY", quantity, price)
        desk.order("alice", side, quantity, price, position_side=position_side)
    alice = desk.account("alice")
    texts = {liquidation_text(alice, position, TEXT) for position in alice.positions.values()}
    (text,) = texts
    ticks = int(Decimal(text) * 10)
    assert (0 < ticks < 600_000) is falling
    before, after = (equity_above_maintenance(desk, ticks + step) for step in (0, 1))
    assert min(before, after) <= 0 <= max(before, after)
    # Nothing between here and there wears the margin out.
    for part in range(1, 20):
        between = 600_000 + (ticks - 600_000) * part // 20
        assert equity_above_maintenance(desk, between) > 0


def test_the_nearer_of_two_liquidation_prices() -> None:
    """A long that outweighs its short less than maintenance grows dies of a rise as well."""
    desk = Desk(deposit="30000")
    desk.do(SetPositionMode(1, True))
    account = desk.account("alice")
    market = desk.state.markets["BTCUSDT"]
    for side, lots in ((PositionSide.LONG, 5_100), (PositionSide.SHORT, -4_900)):
        position = Position(market, side)
        position.lots = lots
        position.entry_cost = lots * 600_000 * market.unit
        account.positions[position.key] = position
    found = {}
    for mark in (600_000, 2_000_000):
        market.mark_ticks = mark
        found[mark] = liquidation_text(account, account.positions["BTCUSDT:LONG"], TEXT)
    for mark, text in found.items():
        ticks = int(Decimal(text) * 10)
        signs = {equity_above_maintenance(desk, ticks + step) > 0 for step in (-1, 2)}
        assert signs == {True, False}, f"at mark {mark}: {text}"


@pytest.fixture
def text() -> InstrumentFormat:
    return instrument_format(BTC, shortest=False)


def test_a_fill_of_either_side(desk: Desk, text: InstrumentFormat) -> None:
    desk.do(SetPrice("BTCUSDT", 600_000, False))
    desk.order("bob", "BUY", "0.1", "60500")
    desk.order("alice", "SELL", "0.1", "60500")
    maker, taker = [
        user_trade(event.fill, text, "USDT")
        for event in desk.events()
        if isinstance(event, OrderFilled)
    ]
    assert taker == {
        "symbol": "BTCUSDT",
        "id": 3,
        "orderId": taker["orderId"],
        "side": "SELL",
        "price": "60500.0",
        "qty": "0.100",
        "realizedPnl": "50.00000000",
        "marginAsset": "USDT",
        "quoteQty": "6050.00000000",
        "baseQty": "0.100",
        "commission": "3.02500000",
        "commissionAsset": "USDT",
        "time": desk.now,
        "positionSide": "BOTH",
        "buyer": False,
        "maker": False,
        "pair": "BTCUSDT",
    }
    assert (maker["buyer"], maker["maker"], maker["commission"]) == (True, True, "1.21000000")
    assert maker["realizedPnl"] == "-50.00000000"
