"""Random traffic around multi-assets mode: who holds what, what it is worth, and who owes."""

from collections.abc import Callable
from random import Random

from msgspec.structs import replace

from openperp.engine.assets import MARGIN_SPEC, AssetSpec
from openperp.engine.collateral import withdrawable_amount
from openperp.engine.commands import (
    Batch,
    CancelAllOrders,
    Command,
    DefineAsset,
    Deposit,
    SetAssetIndex,
    SetLeverage,
    SetMarginType,
    SetMultiAssets,
    Withdraw,
)
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.margin import withdrawable
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.state import Account, State

SPECS = (
    AssetSpec("USDC", MONEY_ONE, 100, 100, 0, 50, 50),
    AssetSpec("BTC", 60_000 * MONEY_ONE, 50_000, 50_000, 0, 25_000, 25_000),
    AssetSpec("DUST", 3, 7, 7, 0, 7, 7),
)
"""One of them is worth so little that small amounts of it make no money."""


class Holdings:
    def __init__(self, random: Random, state: State) -> None:
        self._random = random
        self._state = state

    def opening(self, accounts: int) -> list[Command]:
        """Gives a quarter of the accounts hardly anything but assets, in the mode."""
        random = self._random
        threshold = random.choice((0, 5 * MONEY_ONE, 500 * MONEY_ONE, 10_000 * MONEY_ONE))
        commands: list[Command] = [DefineAsset(replace(MARGIN_SPEC, exchange_threshold=threshold))]
        commands += [DefineAsset(spec) for spec in SPECS]
        for number in range(1, accounts + 1, 4):
            name = f"trader-{number}"
            commands += [
                Deposit(name, "DUST", random.choice((10**7, random.randrange(10**12))) + 1),
                Deposit(name, "BTC", random.choice((10**5, 10**6, 10**7, 10**8))),
                Deposit(name, "USDC", random.randrange(1, random.choice((10**9, 10**11)))),
                SetMultiAssets(number, True),
                *[SetLeverage(number, symbol, 100) for symbol in ("BTCUSDT", "ETHUSDT")],
                Withdraw(name, MARGIN_ASSET, random.randrange(2_900, 3_000) * MONEY_ONE),
            ]
        return commands

    def pick(self) -> Command:
        random = self._random
        account = self._account()
        makers: tuple[Callable[[], Command], ...] = (
            *[self._move_index] * 6,
            *[lambda: self._pay_in(account)] * 2,
            *[lambda: self._pay_out(account)] * 4,
            *[lambda: SetMultiAssets(self._quiet(), random.random() < 0.6)] * 6,
            lambda: SetMultiAssets(account.account_id, random.random() < 0.5),
            *[lambda: self._change_cleared(self._debtor(), enabled=False)] * 4,
            lambda: self._change_cleared(account.account_id, enabled=not account.multi_assets),
            lambda: SetMarginType(account.account_id, "BTCUSDT", True),
            self._redefine,
            self._crash,
        )
        return random.choice(makers)()

    def _account(self) -> Account:
        """Mostly one in the mode, if there is any."""
        own = self._by_number()
        everybody = list(self._state.accounts.values())
        return self._random.choice(own if own and self._random.random() < 0.7 else everybody)

    def _by_number(self) -> list[Account]:
        """The accounts in the mode."""
        return [account for _, account in sorted(self._state.multi_assets.items())]

    def _quiet(self) -> int:
        """An account without orders, if there is one."""
        busy = {order.account for order in self._state.orders.values()}
        accounts = [number for number in self._state.accounts if number not in busy]
        return self._random.choice(accounts or list(self._state.accounts))

    def _debtor(self) -> int:
        """Somebody who owes something, if anybody does."""
        debtors = [each for each in self._by_number() if each.wallet < 0]
        return self._random.choice(debtors or [self._account()]).account_id

    def _change_cleared(self, account: int, *, enabled: bool) -> Batch:
        """Changes the mode where nothing is open any more."""
        clears = [CancelAllOrders(account, symbol) for symbol in self._state.markets]
        return Batch((*clears, SetMultiAssets(account, enabled)))

    def _asset(self) -> str:
        unknown = self._random.random() < 0.02
        return "NONE" if unknown else self._random.choice(list(self._state.assets))

    def _move_index(self) -> SetAssetIndex:
        random = self._random
        name = self._asset()
        asset = self._state.assets.get(name)
        if asset is None or random.random() < 0.3:
            return SetAssetIndex(name, random.choice((0, 1, 2**62 - 1, 2**62 - 1, 2**62)))
        return SetAssetIndex(name, max(1, asset.spec.index * random.randint(70, 130) // 100))

    def _crash(self) -> Batch:
        """Assets are worth hardly anything any more, and those who owe cannot pay."""
        names = [name for name in self._state.assets if name != MARGIN_ASSET]
        indices = [self._state.assets[name].spec.index for name in names]
        pairs = zip(names, indices, strict=True)
        return Batch(tuple(SetAssetIndex(name, max(1, index // 1_000)) for name, index in pairs))

    def _pay_in(self, account: Account) -> Deposit:
        amount = self._random.choice((0, 1, 10**6, 10**9, 2**61))
        return Deposit(account.name, self._asset(), amount)

    def _pay_out(self, account: Account) -> Withdraw:
        """Most often as much as may leave, or a bit more."""
        random, name = self._random, self._asset()
        if name == MARGIN_ASSET:
            return Withdraw(account.name, name, max(1, withdrawable(account)))
        most = withdrawable_amount(self._state, account, name) if name in account.balances else 1
        return Withdraw(account.name, name, max(1, random.choice((most, most + 1, most // 3))))

    def _redefine(self) -> DefineAsset:
        """Other buffers, or other debts that are left alone; some terms are not sound."""
        random = self._random
        asset = random.choice(list(self._state.assets.values()))
        threshold = random.choice((0, 5 * MONEY_ONE, 500 * MONEY_ONE))
        spec = replace(asset.spec, exchange_threshold=threshold)
        if random.random() < 0.7 and spec.asset != MARGIN_ASSET:
            exchange = random.choice((0, 10_000, 33_333))
            buffer = random.choice((0, 10_000, 33_333, 200_001))
            spec = replace(spec, bid_buffer_ppm=buffer, exchange_bid_buffer_ppm=exchange)
        index = random.choice((0, 0, -1, asset.index + random.randint(-1, 1), 2**61))
        return DefineAsset(spec, index)
