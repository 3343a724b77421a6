"""Frozen journals: records as they were once written, and what they amount to.

A journal file is a sequence of length-prefixed records in their encoding of
that day. Beside it stands its outcome in plain words: wallets, positions,
orders and refusals. Where there is a snapshot, it was taken on the way. None is
ever written anew: a later release must read the one and arrive at the other. A
new release may add a journal of its own:

    python -m tests.golden.journal NAME
"""

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.engine.desk import BTC, ETH, START_MS, money

from openperp.engine.apply import apply
from openperp.engine.commands import (
    AddKey,
    AmendOrder,
    Batch,
    CancelAllOrders,
    CancelOrder,
    Command,
    CreateAccount,
    DefineInstrument,
    Deposit,
    OpenVenue,
    PlaceOrder,
    Pulse,
    Record,
    Reset,
    SetCountdown,
    SetLeverage,
    SetMode,
    SetOrderLimits,
    SetPositionMode,
    SetPrice,
    Withdraw,
)
from openperp.engine.events import OrderRecord
from openperp.engine.rejects import Reject
from openperp.engine.state import State
from openperp.engine.terms import (
    TRIGGER_TYPES,
    Mode,
    OrderScope,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
    WorkingType,
)
from openperp.journal.record import decode, encode

FOLDER = Path(__file__).parent
HEDGED = 2
"""The account that holds LONG and SHORT apart."""


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.journal"))


def read(name: str) -> Iterator[Record]:
    """The records, as they are understood today."""
    data = (FOLDER / f"{name}.journal").read_bytes()
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield decode(data[at + 4 : at + 4 + size])
        at += 4 + size


def outcome(records: list[Record]) -> dict[str, Any]:
    """What the records amount to, in words that outlive the layout of a snapshot."""
    state = State()
    replies: dict[str, int] = {}
    for record in records:
        reply = apply(state, record).reply
        for entry in reply if isinstance(reply, tuple) else (reply,):
            if isinstance(entry, Reject):
                word = f"refused {entry.reason.name}"
            elif isinstance(entry, OrderRecord):
                word = f"order {entry.status.name}"
            else:
                word = type(entry).__name__
            replies[word] = replies.get(word, 0) + 1
    return {"replies": dict(sorted(replies.items())), **describe(state)}


def describe(state: State) -> dict[str, Any]:
    """The state in plain words."""
    return {
        "seq": state.seq,
        "time_ms": state.time_ms,
        "fee_account": state.fee_account,
        "net_deposits": state.net_deposits,
        "next_order_id": state.next_order_id,
        "next_trade_id": state.next_trade_id,
        "keys": {key.api_key: key.account for key in state.keys.values()},
        "prices": {
            symbol: [market.index_ticks, market.mark_ticks, market.last_ticks]
            for symbol, market in state.markets.items()
        },
        "accounts": {
            account.name: {
                "wallet": account.wallet,
                "order_margin": account.order_margin,
                "positions": {
                    symbol: [position.lots, position.entry_cost, position.leverage]
                    for symbol, position in account.positions.items()
                },
            }
            for account in state.accounts.values()
        },
        "orders": [
            [
                order.order_id,
                order.client_id,
                order.type.name,
                order.side.name,
                order.ticks,
                order.trigger_ticks,
                order.lots,
                order.filled_lots,
                order.armed_lots,
            ]
            for _, order in sorted(state.orders.items())
        ],
    }


def _session(seed: int) -> Iterator[Command]:
    """A day of everything that can be asked of the engine."""
    dice = random.Random(seed)
    yield OpenVenue("ztdx")
    yield DefineInstrument(BTC, 600_000)
    yield DefineInstrument(ETH, 300_000)
    for name in ("alice", "bob"):
        yield CreateAccount(name, money("20000"))
        yield AddKey(name, f"{name}-key", "hmac", b"sealed", ("read", "trade"), ("10.0.0.1",))
    yield CreateAccount("carol", money("20000"), False, "carol-key", "hmac", b"sealed")
    yield CreateAccount("house", money("1000000"), True)
    yield SetOrderLimits(False)
    yield SetPositionMode(HEDGED, True)
    for number in range(600):
        yield _anything(dice, number)
    yield Batch((SetMode(Mode.CANCEL_ONLY, "ETHUSDT"), SetMode(Mode.NORMAL)))
    yield Pulse()


def _anything(dice: random.Random, number: int) -> Command:
    account = dice.randint(1, 4)
    if number == 300:
        return Reset()
    if number == 301:
        return SetPositionMode(HEDGED, True)
    roll = dice.random()
    if roll < 0.78:
        return _trading(dice, account, roll)
    if roll < 0.88:
        ticks = 600_000 + dice.randint(-60, 60) * 100
        return SetPrice("BTCUSDT", ticks, dice.random() < 0.5, dice.random() < 0.5)
    if roll < 0.92:
        return SetLeverage(account, "BTCUSDT", dice.choice((5, 10, 20, 50, 500)))
    if roll < 0.94:
        return CancelAllOrders(account, "BTCUSDT", dice.choice(list(OrderScope)))
    if roll < 0.97:
        return Deposit("alice", "USDT", dice.randint(0, 10**10))
    return Withdraw("bob", "USDT", dice.randint(0, 10**13))


def _trading(dice: random.Random, account: int, roll: float) -> Command:
    if roll < 0.5:
        return _order(dice, account)
    if roll < 0.6:
        return Batch(tuple(_order(dice, account) for _ in range(dice.randint(1, 4))))
    if roll < 0.72:
        return _amendment(dice, account)
    if roll < 0.76:
        return CancelOrder(account, "BTCUSDT", dice.randint(1, 400))
    return SetCountdown(account, "BTCUSDT", dice.randint(0, 60), dice.choice(list(OrderScope)))


def _amendment(dice: random.Random, account: int) -> AmendOrder:
    return AmendOrder(
        account,
        "BTCUSDT",
        dice.choice(list(Side)),
        dice.randint(1, 40) * 10,
        600_000 + dice.randint(-40, 40) * 100,
        client_id=f"amended-{account}",
        modify_id=dice.randint(0, 9),
    )


def _order(dice: random.Random, account: int) -> PlaceOrder:
    side = dice.choice(list(Side))
    type = dice.choice([OrderType.LIMIT] * 5 + list(OrderType))
    ticks = 600_000 + dice.randint(-40, 40) * 100
    fields: dict[str, Any] = {}
    if dice.random() < 0.25:
        fields["take_profit_ticks"] = ticks + side * dice.randint(1, 30) * 100
        fields["stop_loss_ticks"] = ticks - side * dice.randint(1, 30) * 100
    if type in TRIGGER_TYPES:
        fields["trigger_ticks"] = 600_000 + dice.randint(-60, 60) * 100
        fields["callback_ppm"] = dice.choice((1_000, 5_000))
        fields["working_type"] = dice.choice(list(WorkingType))
    hedged = account == HEDGED and dice.random() < 0.9
    if hedged:
        fields["position_side"] = dice.choice((PositionSide.LONG, PositionSide.SHORT))
    if dice.random() < 0.4:
        names = (f"client-{dice.randint(1, 60)}", f"amended-{account}")
        fields["client_id"] = dice.choice(names)
    return PlaceOrder(
        account,
        "BTCUSDT",
        side,
        type,
        dice.randint(1, 40) * 10,
        ticks,
        dice.choice(list(TimeInForce)),
        reduce_only=dice.random() < 0.15 and not hedged,
        **fields,
    )


def main(name: str) -> None:
    path = FOLDER / f"{name}.journal"
    if path.exists():
        raise SystemExit(f"{path.name} is frozen")
    records = [
        Record(seq, START_MS + seq, command) for seq, command in enumerate(_session(1), start=1)
    ]
    payloads = [encode(record) for record in records]
    path.write_bytes(b"".join(len(item).to_bytes(4, "big") + item for item in payloads))
    text = json.dumps(outcome(records), indent=1)
    path.with_suffix(".outcome.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
