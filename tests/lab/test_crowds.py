"""Many are ruined by one price, and nobody takes their positions: both engines agree on who
has to give up what, and on the ranks and numbers by which that was decided.

The slow engine ranks everybody afresh for every position that it closes.
"""

from collections import Counter
from random import Random

from msgspec.structs import replace
from tests.engine.desk import BTC, ETH, START_MS

from openperp.engine.assets import MARGIN_SPEC, AssetSpec
from openperp.engine.commands import (
    Batch,
    Command,
    CreateAccount,
    DefineAsset,
    DefineInstrument,
    Deposit,
    FundInsurance,
    OpenVenue,
    PlaceOrder,
    SetLeverage,
    SetMarginType,
    SetMultiAssets,
    SetPositionMode,
    SetPrice,
)
from openperp.engine.events import Applied, Event, OrderTriggered
from openperp.engine.instruments import Bracket
from openperp.engine.liquidation_events import LiquidationStarted, PositionDeleveraged
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.terms import OrderType, PositionSide, Side, WorkingType
from openperp.lab.reference.comparison import Comparison

PEOPLE = 24
SYMBOLS = {"BTCUSDT": 600_000, "ETHUSDT": 300_000}
COIN = AssetSpec("COIN", 1_000 * MONEY_ONE, 50_000, 50_000, 0, 50_000, 50_000)


class Crowd:
    """People of every kind with positions against each other in two markets, and stops."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.comparison = Comparison(whole_every=20)
        self.hedged: set[int] = set()
        for command in self._opening():
            self.do(command)

    def do(self, command: Command) -> Applied:
        return self.comparison.do(command, START_MS)

    def _opening(self) -> list[Command]:
        random = self.random
        commands: list[Command] = [OpenVenue("ztdx", liquidates=True)]
        commands += [self._terms(symbol) for symbol in SYMBOLS]
        commands += [DefineAsset(replace(MARGIN_SPEC, exchange_threshold=0)), DefineAsset(COIN)]
        for number in range(1, PEOPLE + 1):
            deposit = random.choice((300, 1_000, 1_000, 1_000, 5_000, 50_000))
            commands.append(CreateAccount(f"p{number}", deposit * MONEY_ONE))
            commands += [SetLeverage(number, symbol, 100) for symbol in SYMBOLS]
            kind = random.randrange(6)
            if kind == 0:
                self.hedged.add(number)
                commands.append(SetPositionMode(number, True))
            elif kind == 1:
                commands.append(SetMarginType(number, random.choice(list(SYMBOLS)), True))
            elif kind == 2:
                commands.append(Deposit(f"p{number}", "COIN", random.randrange(1, 10**8)))
                commands.append(SetMultiAssets(number, True))
        return [*commands, FundInsurance(random.choice((1, 500 * MONEY_ONE)))]

    def _terms(self, symbol: str, stricter: int = 1) -> DefineInstrument:
        """The terms of a market, perhaps with a higher maintenance margin."""
        rate = 5_000 * stricter
        spec = replace(
            BTC if symbol == "BTCUSDT" else ETH,
            brackets=(Bracket(100, 0, 90_000_000 * MONEY_ONE, rate, 0),),
            liquidation_fee_ppm=self.random.choice((0, 12_500)),
        )
        return DefineInstrument(spec, SYMBOLS[symbol])

    def trade(self) -> None:
        """Somebody rests an order and somebody else takes it, if both have the margin."""
        random = self.random
        symbol = random.choice(list(SYMBOLS))
        buyer, seller = random.sample(range(1, PEOPLE + 1), 2)
        ticks = SYMBOLS[symbol] * random.randint(990, 1_010) // 1_000
        for account, side in ((buyer, Side.BUY), (seller, Side.SELL)):
            self._place(account, symbol, side, random.choice((10, 20, 20, 100, 400)), ticks)

    def _place(
        self, account: int, symbol: str, side: Side, lots: int, ticks: int, trigger: int = 0
    ) -> None:
        held = PositionSide.LONG if side is Side.BUY else PositionSide.SHORT
        self.do(
            PlaceOrder(
                account,
                symbol,
                side,
                OrderType.LIMIT if ticks else OrderType.STOP_MARKET,
                lots,
                ticks,
                trigger_ticks=trigger,
                working_type=WorkingType.MARK_PRICE,
                position_side=held if account in self.hedged else PositionSide.BOTH,
            )
        )

    def watch(self) -> None:
        """Somebody waits for a price that ruins others, to trade in the other market by then."""
        random = self.random
        symbol = random.choice(list(SYMBOLS))
        side = random.choice(tuple(Side))
        trigger = SYMBOLS[symbol] * (100 + side * random.randint(1, 20)) // 100
        self._place(random.randint(1, PEOPLE), symbol, side, 10, 0, trigger)

    def restore(self, symbol: str) -> None:
        self.do(self._terms(symbol))

    def crash(self) -> Applied:
        random = self.random
        symbol = random.choice(list(SYMBOLS))
        factor = random.choice((50, 80, 93, 107, 120, 160))
        other = random.choice(list(SYMBOLS))
        falls = SetPrice(symbol, SYMBOLS[symbol] * factor // 100, keeps_last=True)
        pays_in = [
            Deposit(f"p{number}", "USDT", 2_000 * MONEY_ONE)
            for number in random.sample(range(1, PEOPLE + 1), PEOPLE // 2)
        ]
        return self.do(Batch((falls, *pays_in, self._terms(other, stricter=9))))


def test_many_are_ruined_at_once_and_the_order_is_the_documented_one() -> None:
    told: list[Event] = []
    for seed in range(5):
        crowd = Crowd(seed)
        for _ in range(4):
            for _ in range(40):
                crowd.trade()
            for _ in range(6):
                crowd.watch()
            told += crowd.crash().events
            told += crowd.crash().events
            for symbol, ticks in SYMBOLS.items():
                crowd.do(SetPrice(symbol, ticks))
                crowd.restore(symbol)
    counts = Counter(type(event) for event in told)
    assert counts[LiquidationStarted] > 50
    assert counts[PositionDeleveraged] > 50
    assert counts[OrderTriggered] > 30, "prices of liquidations move others"
    ranks = [event.rank for event in told if isinstance(event, PositionDeleveraged)]
    assert len(set(ranks)) > 4, "more than the first few give something up"
