"""Multi-assets mode: what assets count, who may switch, and how debts are paid, to the last 10^-8.

Sources: an asset counts at its bidRate, index x (1 - bidBuffer), as the fapi's page on the
index of assets has it; the refusals are those of its list of codes, -4167 to -4172.
"""

import pytest
from msgspec import structs
from tests.engine.desk import Desk, money, ticks

from openperp.engine import snapshot
from openperp.engine.assets import AssetSpec
from openperp.engine.collateral import withdrawable_amount
from openperp.engine.commands import (
    Batch,
    Command,
    DefineAsset,
    DefineInstrument,
    Deposit,
    PlaceOrder,
    Pulse,
    Reset,
    SetAssetIndex,
    SetMarginType,
    SetMultiAssets,
    SetPrice,
    Withdraw,
)
from openperp.engine.events import (
    AssetDefined,
    AssetExchanged,
    AssetIndexChanged,
    MultiAssetsChanged,
    TimePassed,
    WalletChanged,
)
from openperp.engine.margin import available_balance, withdrawable
from openperp.engine.rejects import Reject
from openperp.engine.terms import OrderType, Side

ALICE = 1
BTC = AssetSpec("BTC", money("60000"), 50_000, 50_000, money("0.1"), 25_000, 25_000)
USDC = AssetSpec("USDC", money("1"), 100, 100, money("10000"), 100, 100)


@pytest.fixture
def desk() -> Desk:
    """Everybody has 10000 USDT; alice has one BTC beside it and is in multi-assets mode."""
    desk = Desk()
    for spec in (USDC, BTC):
        desk.do(DefineAsset(spec))
    desk.do(Deposit("alice", "BTC", money("1")))
    desk.do(SetMultiAssets(ALICE, True))
    return desk


@pytest.fixture
def ruinous() -> Desk:
    """The same where positions are liquidated."""
    desk = Desk(liquidates=True)
    desk.do(DefineAsset(BTC))
    desk.do(Deposit("alice", "BTC", money("1")))
    desk.do(SetMultiAssets(ALICE, True))
    return desk


def reason(reply: object) -> str:
    assert isinstance(reply, Reject), reply
    return reply.reason.name


def trade(desk: Desk, side: str, quantity: str, price: str = "60000") -> None:
    """Alice rests an order and carol takes it."""
    desk.order("alice", side, quantity, price)
    desk.order("carol", "SELL" if side == "BUY" else "BUY", quantity, price)


def rich(desk: Desk, name: str = "carol") -> None:
    desk.do(Deposit(name, "USDT", money("1000000")))


def lose(desk: Desk, price: str, quantity: str = "1") -> None:
    """Alice buys at 60000 and sells at `price`; nobody is liquidated in between."""
    rich(desk)
    trade(desk, "BUY", quantity)
    desk.order("carol", "BUY", quantity, price)
    desk.order("alice", "SELL", quantity, price, reduce_only=True)


@pytest.mark.parametrize(
    ("asset", "index", "amount", "collateral"),
    [
        ("BTC", "60000", "1", "57000"),  # 60000 x (1 - 5 %)
        ("BTC", "61234.5", "0.12345678", "7181.82348516"),  # 7181.8234851663...
        ("BTC", "60000", "0.00000001", "0.00057"),
        ("USDC", "0.9998", "1000", "999.70002"),
        ("USDC", "0.9998", "0.00000001", "0"),
    ],
)
def test_an_asset_counts_below_its_index_by_the_bid_buffer(
    asset: str, index: str, amount: str, collateral: str
) -> None:
    desk = Desk()
    desk.do(DefineAsset(BTC))
    desk.do(DefineAsset(USDC))
    desk.do(SetAssetIndex(asset, money(index)))
    desk.do(Deposit("alice", asset, money(amount)))
    assert desk.free("alice") == money("10000")
    reply = desk.do(SetMultiAssets(ALICE, True))
    assert reply == MultiAssetsChanged(ALICE, True)
    assert desk.events() == [reply]
    assert desk.account("alice").collateral == money(collateral)
    assert desk.free("alice") == money("10000") + money(collateral)


def test_deposits_and_withdrawals_move_collateral(desk: Desk) -> None:
    reply = desk.do(Deposit("alice", "USDC", money("500")))
    assert reply == WalletChanged(ALICE, "USDC", money("500"), money("500"))
    assert desk.account("alice").collateral == money("57499.95")
    reply = desk.do(Withdraw("alice", "BTC", money("0.25")))
    assert reply == WalletChanged(ALICE, "BTC", -money("0.25"), money("0.75"))
    assert desk.account("alice").collateral == money("43249.95")
    assert desk.account("bob").collateral == 0
    assert desk.state.net_deposits == money("30000")
    assert desk.state.assets["BTC"].net_deposits == money("0.75")


def test_collateral_follows_the_index_and_the_terms(desk: Desk) -> None:
    reply = desk.do(SetAssetIndex("BTC", money("50000")))
    assert reply == AssetIndexChanged("BTC", money("50000"))
    assert desk.account("alice").collateral == money("47500")
    spec = AssetSpec("BTC", money("1"), 100_000, 0, 0, 0, 0)
    assert desk.do(DefineAsset(spec)) == AssetDefined(spec)
    assert desk.account("alice").collateral == money("45000")
    assert desk.state.assets["BTC"].index == money("50000")


def test_collateral_carries_orders_and_positions(desk: Desk) -> None:
    rich(desk)
    trade(desk, "BUY", "10")  # needs 30000 at leverage 20
    # 10000 + 57000 - 30000 - 120 of fees
    assert desk.free("alice") == money("36880")
    assert available_balance(desk.account("alice")) == money("36880")
    assert withdrawable(desk.account("alice")) == money("9880")
    assert desk.refused("alice", "BUY", "12.3", "60000") == "MARGIN_INSUFFICIENT"
    desk.order("alice", "BUY", "12.2", "60000")


def test_what_is_needed_does_not_leave(desk: Desk) -> None:
    rich(desk)
    trade(desk, "BUY", "10")
    desk.do(Withdraw("alice", "USDT", money("9880")))
    # 27000 of the 57000 are spare: 0.473684210526... at 57000.
    account = desk.account("alice")
    assert withdrawable_amount(desk.state, account, "BTC") == money("0.47368421")
    before = snapshot.digest(desk.state)
    assert reason(desk.do(Withdraw("alice", "BTC", money("0.47368422")))) == "BALANCE_INSUFFICIENT"
    assert snapshot.digest(desk.state) == before
    desk.do(Withdraw("alice", "BTC", money("0.47368421")))
    assert withdrawable_amount(desk.state, account, "BTC") == 0
    assert 0 <= desk.free("alice") < money("0.00057")
    desk.price("70000")  # profits stand for margin, as they do where the wallet leaves
    assert withdrawable_amount(desk.state, account, "BTC") == money("0.52631579")
    desk.do(Withdraw("alice", "BTC", money("0.52631579")))
    assert desk.do(Withdraw("alice", "BTC", 1)).reason.name == "BALANCE_INSUFFICIENT"


def test_assets_that_stand_for_a_debt_stay(desk: Desk) -> None:
    desk.do(Withdraw("alice", "USDT", money("10000")))
    rich(desk)
    trade(desk, "BUY", "1")
    desk.price("70000")
    # 12 are owed, whatever the profit is: 56988 / 57000 of a BTC is spare.
    assert withdrawable_amount(desk.state, desk.account("alice"), "BTC") == money("0.99978947")


def test_assets_are_free_where_they_do_not_count(desk: Desk) -> None:
    desk.do(Deposit("bob", "BTC", money("2")))
    desk.order("bob", "BUY", "3", "60000")
    assert withdrawable_amount(desk.state, desk.account("bob"), "BTC") == money("2")
    desk.do(Withdraw("bob", "BTC", money("2")))
    assert desk.account("bob").balances == {"BTC": 0}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (SetMultiAssets(ALICE, True), "MULTI_ASSETS_UNCHANGED"),
        (SetMultiAssets(2, False), "MULTI_ASSETS_UNCHANGED"),
        (SetMultiAssets(3, True), "MULTI_ASSETS_WITH_ISOLATED"),
        (SetMultiAssets(9, True), "ACCOUNT_UNKNOWN"),
        (SetMarginType(ALICE, "BTCUSDT", True), "ISOLATED_IN_MULTI_ASSETS"),
        (SetMarginType(ALICE, "BTCUSDT", False), "MARGIN_TYPE_UNCHANGED"),
        (Deposit("alice", "DOGE", 1), "ASSET_UNKNOWN"),
        (Withdraw("alice", "DOGE", 1), "ASSET_UNKNOWN"),
        (Deposit("alice", "BTC", 0), "AMOUNT_NOT_POSITIVE"),
        (Deposit("alice", "BTC", 2**62), "AMOUNT_TOO_LARGE"),
        (Deposit("alice", "BTC", money("800000")), "AMOUNT_TOO_LARGE"),
        (Withdraw("alice", "BTC", -1), "AMOUNT_NOT_POSITIVE"),
        (Withdraw("alice", "USDC", 1), "BALANCE_INSUFFICIENT"),
        (SetAssetIndex("DOGE", 1), "ASSET_UNKNOWN"),
        (SetAssetIndex("BTC", 0), "ASSET_INVALID"),
        (SetAssetIndex("BTC", -1), "ASSET_INVALID"),
        (SetAssetIndex("BTC", 2**62), "ASSET_INVALID"),
        (SetAssetIndex("BTC", 2**62 - 1), "AMOUNT_TOO_LARGE"),
        (SetAssetIndex("USDT", money("1")), "ASSET_INVALID"),
        (DefineAsset(AssetSpec("btc", 1)), "ASSET_INVALID"),
        (DefineAsset(AssetSpec("X" * 21, 1)), "ASSET_INVALID"),
        (DefineAsset(AssetSpec("ETH", 0)), "ASSET_INVALID"),
        (DefineAsset(AssetSpec("ETH", 1, 1_000_000)), "ASSET_INVALID"),
        (DefineAsset(AssetSpec("ETH", 1, 1, -1)), "ASSET_INVALID"),
        (DefineAsset(AssetSpec("ETH", 1, 0, 0, -1)), "ASSET_INVALID"),
        (DefineAsset(AssetSpec("ETH", 1, 5, 0, 0, 6)), "ASSET_INVALID"),
        (DefineAsset(AssetSpec("USDT", money("1.1"))), "ASSET_INVALID"),
        (DefineAsset(AssetSpec("USDT", money("1"), 1)), "ASSET_INVALID"),
    ],
)
def test_what_is_refused_leaves_no_trace(desk: Desk, command: Command, expected: str) -> None:
    desk.do(SetMarginType(3, "BTCUSDT", True))
    before = snapshot.digest(desk.state)
    assert reason(desk.do(command)) == expected
    assert desk.events() == []
    assert snapshot.digest(desk.state) == before


def test_open_orders_keep_the_mode_either_way(desk: Desk) -> None:
    order = desk.order("alice", "BUY", "0.1", "50000")
    stop = desk.order("bob", "BUY", "0.1", type="STOP_MARKET", trigger="70000")
    assert reason(desk.do(SetMultiAssets(ALICE, False))) == "MULTI_ASSETS_WITH_ORDERS"
    assert reason(desk.do(SetMultiAssets(2, True))) == "MULTI_ASSETS_WITH_ORDERS"
    desk.cancel("alice", order.order_id)
    desk.cancel("bob", stop.order_id)
    assert desk.do(SetMultiAssets(ALICE, False)) == MultiAssetsChanged(ALICE, False)
    assert desk.account("alice").collateral == 0
    assert desk.do(SetMultiAssets(2, True)) == MultiAssetsChanged(2, True)


def test_positions_must_stand_on_the_wallet_alone_before_the_mode_goes(desk: Desk) -> None:
    rich(desk)
    trade(desk, "BUY", "4")  # needs 12000, and the wallet has 9952
    reply = desk.do(SetMultiAssets(ALICE, False))
    assert reason(reply) == "MULTI_ASSETS_MARGIN_INSUFFICIENT"
    assert reply.detail == {"needed": money("2048")}
    desk.do(Deposit("alice", "USDT", money("2048")))
    assert isinstance(desk.do(SetMultiAssets(ALICE, False)), MultiAssetsChanged)
    assert desk.free("alice") == 0


def test_a_debt_keeps_the_mode(desk: Desk) -> None:
    desk.do(Withdraw("alice", "USDT", money("10000")))
    rich(desk)
    trade(desk, "BUY", "1")
    assert desk.wallet("alice") == -money("12")
    assert reason(desk.do(SetMultiAssets(ALICE, False))) == "MULTI_ASSETS_WITH_DEBT"


def test_a_debt_is_left_alone_up_to_the_threshold_while_a_position_is_open(desk: Desk) -> None:
    desk.do(DefineAsset(AssetSpec("USDT", money("1"), exchange_threshold=money("12"))))
    desk.do(Withdraw("alice", "USDT", money("10000")))
    rich(desk)
    trade(desk, "BUY", "1")
    assert desk.wallet("alice") == -money("12")
    trade(desk, "BUY", "0.001")
    # 12.012 at 60000 x (1 - 2.5 %) needs 0.000205333... BTC.
    assert desk.account("alice").balances["BTC"] == money("0.99979466")
    assert 0 <= desk.wallet("alice") < money("0.000585")


def test_the_threshold_itself_can_make_a_debt_due(desk: Desk) -> None:
    desk.do(Withdraw("alice", "USDT", money("10000")))
    rich(desk)
    trade(desk, "BUY", "1")
    desk.do(DefineAsset(AssetSpec("USDT", money("1"))))
    assert desk.wallet("alice") >= 0


def test_a_debt_that_an_asset_pays_exactly_takes_no_more(desk: Desk) -> None:
    desk.do(DefineAsset(AssetSpec("USDC", money("1"))))
    desk.do(Deposit("alice", "USDC", money("100")))
    desk.do(Withdraw("alice", "USDT", money("10000")))
    rich(desk)
    trade(desk, "BUY", "1")
    desk.do(DefineAsset(AssetSpec("USDT", money("1"))))
    # 12 are owed, the fee.
    assert desk.account("alice").balances["USDC"] == money("88")
    assert desk.wallet("alice") == 0


def test_the_last_close_lets_collateral_pay_the_debt(desk: Desk) -> None:
    lose(desk, "48300", "2")
    # 10000 less 23400 lost, less 24 and 48.3 of fees: 13472.3 are owed, and BTC makes 58500.
    # 13472.3 / 58500 = 0.230295726...
    exchanged = desk.events()[-1]
    assert exchanged == AssetExchanged(
        ALICE,
        "BTC",
        money("0.23029573"),
        money("13472.300205"),
        money("0.76970427"),
        money("0.000205"),
    )
    assert desk.wallet("alice") == money("0.000205")
    assert desk.account("alice").collateral == money("43873.14339")
    assert desk.state.net_deposits == money("1030000") + money("13472.300205")
    assert desk.state.assets["BTC"].net_deposits == money("0.76970427")


def test_assets_go_in_the_order_of_their_definition_until_nothing_is_left(desk: Desk) -> None:
    desk.do(Deposit("alice", "USDC", money("3000")))
    desk.do(SetAssetIndex("BTC", money("5000")))
    lose(desk, "48300", "2")
    exchanged = [event for event in desk.events() if isinstance(event, AssetExchanged)]
    # 13472.3 are owed; 3000 USDC make 2999.7, and a BTC 4875.
    assert [(event.asset, event.received) for event in exchanged] == [
        ("USDC", money("2999.7")),
        ("BTC", money("4875")),
    ]
    assert desk.account("alice").balances == {"USDC": 0, "BTC": 0}
    assert desk.wallet("alice") == money("-5597.6")
    # What comes in later pays what is still owed.
    desk.do(Deposit("alice", "USDC", money("10000")))
    assert desk.wallet("alice") == 0
    # 5597.6 / 0.9999 = 5598.159815981...
    assert desk.account("alice").balances["USDC"] == money("4401.84018401")


def test_what_would_make_no_money_is_kept(desk: Desk) -> None:
    desk.do(SetAssetIndex("BTC", 1))
    lose(desk, "48300", "2")
    assert desk.account("alice").balances == {"BTC": money("1")}
    assert desk.wallet("alice") == -money("13472.3")


def test_debts_outside_the_mode_touch_nothing(desk: Desk) -> None:
    desk.do(SetMultiAssets(ALICE, False))
    desk.do(Deposit("alice", "USDT", money("1000")))
    lose(desk, "48300", "2")
    assert desk.wallet("alice") == -money("12472.3")
    assert desk.account("alice").balances == {"BTC": money("1")}
    assert reason(desk.do(SetMultiAssets(ALICE, True))) == "MULTI_ASSETS_WITH_DEBT"


def test_each_command_of_a_batch_leaves_no_debt_that_is_due(desk: Desk) -> None:
    rich(desk)
    trade(desk, "BUY", "2")
    desk.order("carol", "BUY", "2", "48300")
    sell = PlaceOrder(ALICE, "BTCUSDT", Side.SELL, OrderType.MARKET, 2000)
    desk.do(Batch((sell, Withdraw("alice", "BTC", money("0.7")), Deposit("bob", "USDT", 1))))
    kinds = [type(event).__name__ for event in desk.events()][-3:]
    assert kinds == ["AssetExchanged", "WalletChanged", "WalletChanged"]


def test_funding_makes_a_debt_that_is_paid_at_its_time(desk: Desk) -> None:
    funded = structs.replace(desk.state.markets["BTCUSDT"].spec, funding_hours=8)
    desk.do(DefineInstrument(structs.replace(funded, funding_cap_ppm=3_750), 600_000))
    desk.do(DefineAsset(AssetSpec("USDT", money("1"), exchange_threshold=money("12"))))
    desk.do(Withdraw("alice", "USDT", money("10000")))
    rich(desk)
    trade(desk, "BUY", "1")
    stamp_ms = desk.state.due_ms
    desk.now = stamp_ms + 60_000
    desk.do(Pulse())
    names = [type(event).__name__ for event in desk.events()]
    at = names.index("AssetExchanged")
    assert names[at - 1] == "FundingPaid"
    times = [event.time_ms for event in desk.events()[:at] if isinstance(event, TimePassed)]
    assert times[-1] == stamp_ms
    assert desk.wallet("alice") >= 0


def test_reset_takes_assets_and_modes_back(desk: Desk) -> None:
    desk.do(SetAssetIndex("BTC", money("1")))
    desk.do(Reset())
    account = desk.account("alice")
    assert (account.balances, account.multi_assets, account.collateral) == ({}, False, 0)
    assert list(desk.state.assets) == ["USDT", "USDC", "BTC"]
    btc = desk.state.assets["BTC"]
    assert (btc.spec, btc.index, btc.net_deposits) == (BTC, money("60000"), 0)


def test_a_snapshot_keeps_assets_and_modes(desk: Desk) -> None:
    desk.do(SetMultiAssets(2, True))
    desk.do(SetAssetIndex("BTC", money("50000")))
    dumped = snapshot.dump(desk.state)
    loaded = snapshot.load(dumped)
    assert snapshot.dump(loaded) == dumped
    assert loaded.accounts[ALICE].collateral == money("47500")
    assert list(loaded.multi_assets) == [1, 2]


def test_a_price_of_the_pair_takes_the_index_along(desk: Desk) -> None:
    for price in ("70000", "50000"):
        desk.do(SetPrice("BTCUSDT", ticks(price), moves_asset=True))
        assert desk.state.assets["BTC"].index == money(price)
        kinds = [type(event).__name__ for event in desk.events()]
        assert kinds == ["AssetIndexChanged", "PriceChanged"]
    for alone in (
        SetPrice("BTCUSDT", 500_000, moves_asset=True),
        SetPrice("BTCUSDT", 600_000),
        SetPrice("BTCUSDT", 0, moves_asset=True),
        SetPrice("BTCUSDT", 10**9, moves_asset=True),
        SetPrice("DOGEUSDT", 1, moves_asset=True),
    ):
        desk.do(alone)
        assert desk.state.assets["BTC"].index == money("50000")
        assert "AssetIndexChanged" not in [type(event).__name__ for event in desk.events()]


def test_a_price_that_makes_deposits_uncountable_moves_nothing(desk: Desk) -> None:
    desk.do(Deposit("alice", "BTC", money("600000")))
    reply = desk.do(SetPrice("BTCUSDT", ticks("90000"), moves_asset=True))
    assert isinstance(reply, Reject)
    assert reply.reason.name == "AMOUNT_TOO_LARGE"
    assert desk.state.assets["BTC"].index == money("60000")
    assert desk.state.markets["BTCUSDT"].mark_ticks == ticks("60000")


def test_terms_and_index_change_at_one_moment_or_not_at_all(desk: Desk) -> None:
    spec = structs.replace(desk.state.assets["BTC"].spec, bid_buffer_ppm=200_000)
    desk.do(Deposit("alice", "BTC", money("600000")))
    before = snapshot.digest(desk.state)
    for index, reason in ((money("90000"), "AMOUNT_TOO_LARGE"), (-1, "ASSET_INVALID")):
        assert desk.do(DefineAsset(spec, index)).reason.name == reason
        assert snapshot.digest(desk.state) == before
    desk.do(DefineAsset(spec, money("50000")))
    assert [type(event).__name__ for event in desk.events()] == [
        "AssetIndexChanged",
        "AssetDefined",
    ]
    asset = desk.state.assets["BTC"]
    assert (asset.index, asset.spec) == (money("50000"), spec)


def test_what_falls_with_the_price_is_exchanged_where_it_has_fallen_to(ruinous: Desk) -> None:
    """Long of BTC with BTC as margin: at 45000 it makes 45000 x 0.975, not what it made before."""
    ruinous.do(Withdraw("alice", "USDT", money("9000")))
    ruinous.do(Withdraw("alice", "BTC", money("0.9")))
    rich(ruinous)
    trade(ruinous, "BUY", "1")
    ruinous.do(SetPrice("BTCUSDT", ticks("45000"), True, moves_asset=True))
    (exchanged,) = [each for each in ruinous.events() if isinstance(each, AssetExchanged)]
    assert exchanged.received == exchanged.amount * 43_875


def stand_short(desk: Desk) -> None:
    """Alice is short of the BTC that she has: what she loses on one she wins on the other."""
    desk.do(Withdraw("alice", "USDT", money("9000")))
    rich(desk)
    trade(desk, "SELL", "1")


def test_a_price_with_its_index_uses_up_nobodys_margin_that_is_there_in_the_end(
    ruinous: Desk,
) -> None:
    stand_short(ruinous)
    for price in ("90000", "150000", "50000", "10000", "60000"):
        command = SetPrice("BTCUSDT", ticks(price), True, moves_asset=True)
        ruinous.do(command)
        assert ruinous.position("alice").lots == -1000


@pytest.mark.parametrize(
    ("high", "alone"),
    [
        # 1000 - 12 + 57000 - 60000 are left.
        (False, SetPrice("BTCUSDT", 1_200_000, True)),
        # 1000 - 12 + 57000 - 90000.
        (True, SetAssetIndex("BTC", money("60000"))),
    ],
)
def test_one_without_the_other_would(ruinous: Desk, high: bool, alone: Command) -> None:
    stand_short(ruinous)
    if high:
        ruinous.do(SetPrice("BTCUSDT", 1_500_000, True, moves_asset=True))
    ruinous.do(alone)
    assert ruinous.position("alice").lots == 0
    kinds = [type(event).__name__ for event in ruinous.events()]
    assert "LiquidationStarted" in kinds


def test_the_fund_pays_only_what_assets_leave(ruinous: Desk) -> None:
    """Nobody bids where alice's margin is used up, so that carol gives up her position."""
    stand_short(ruinous)
    ruinous.do(SetAssetIndex("BTC", money("20000")))
    ruinous.do(SetPrice("BTCUSDT", 1_000_000, True))
    kinds = [type(event).__name__ for event in ruinous.events()]
    assert kinds.index("LiquidationStarted") < kinds.index("AssetExchanged")
    assert ruinous.account("alice").balances["BTC"] < money("1")
    assert ruinous.wallet("alice") >= 0
