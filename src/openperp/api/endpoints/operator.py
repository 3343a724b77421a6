"""The operator API: accounts, prices, instruments, clock, modes and the venue's state.

JSON in and out, opened by the operator's token. Names are in snake case, and
errors are `{"code", "msg"}` whose message is a sentence of its own.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

from openperp.api.endpoint import Call, ClockChange, Endpoint, Security, Submission
from openperp.api.endpoints.symbols import find_market
from openperp.api.errors import MISSING, ApiError
from openperp.api.kinds import Addresses, Bool, Decimal, Long, Rest, Symbol, Text, Word, Words
from openperp.api.params import NoParams, Params, to_money, to_nearest_ticks
from openperp.api.public_keys import PEM_MAX
from openperp.api.security import HMAC, KEY_KINDS, make_verifier
from openperp.api.wire.numbers import money_text
from openperp.api.wire.row import Row
from openperp.engine.commands import (
    AddKey,
    CreateAccount,
    DefineInstrument,
    Deposit,
    Pulse,
    Reset,
    SetFeeTier,
    SetMode,
    SetPrice,
    Withdraw,
)
from openperp.engine.events import Applied, PriceChanged, WalletChanged
from openperp.engine.fees import HIGHEST_TIER
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.margin import available_balance
from openperp.engine.state import Account, Market
from openperp.engine.terms import Mode

CLOCK_MAX_MS: Final = 253_402_300_799_000
"""The end of the year 9999, beyond which no clock may be set."""

_MODES: Final = {mode.name.lower(): mode for mode in Mode}


class _Params(Params, frozen=True, rename=None):
    """Names on the wire are the attribute names."""


class NewAccount(_Params, frozen=True):
    name: Annotated[str, Text(64)]
    deposit: Annotated[str, Decimal()] = "0"


class Transfer(_Params, frozen=True):
    name: Annotated[str, Text(64)]
    amount: Annotated[str, Decimal()]
    asset: Annotated[str, Text(20)] = MARGIN_ASSET


class NewKey(_Params, frozen=True):
    name: Annotated[str, Text(64)]
    type: Annotated[str, Text(20)] = HMAC
    public_key: Annotated[str, Text(PEM_MAX)] = ""
    permissions: Annotated[tuple[str, ...], Words("read", "trade")] = ("read", "trade")
    ips: Annotated[tuple[str, ...], Addresses()] = ()


class FeeTier(_Params, frozen=True):
    name: Annotated[str, Text(64)]
    tier: Annotated[int, Long(0, HIGHEST_TIER)]


class Price(_Params, frozen=True):
    symbol: Annotated[str, Symbol()]
    price: Annotated[str, Decimal()]
    last: Annotated[bool | None, Bool()] = None


class Instrument(_Params, frozen=True):
    """An instrument with terms as in the configuration file."""

    symbol: Annotated[str, Symbol()]
    terms: Annotated[dict[str, Any], Rest()]


class Clock(_Params, frozen=True):
    advance_ms: Annotated[int | None, Long(0, CLOCK_MAX_MS)] = None
    set_ms: Annotated[int | None, Long()] = None
    mode: Annotated[str | None, Word({"real": "real", "virtual": "virtual"})] = None


class ChangeMode(_Params, frozen=True):
    mode: Annotated[Mode, Word(_MODES)]
    symbol: Annotated[str, Symbol()] = ""


def status(call: Call, _params: NoParams) -> Any:
    view, state = call.view, call.view.state
    return {
        "seq": state.seq,
        "digest": view.digest(),
        "time": call.now_ms,
        "clock": view.clock_mode,
        "mode": state.mode.name.lower(),
        "invariants": view.find_fault() or "ok",
        "dialect": view.dialect.name,
        "market": view.market,
        "accounts": sum(not account.house for account in state.accounts.values()),
        "open_orders": len(state.orders),
        "next_order_id": state.next_order_id,
        "next_trade_id": state.next_trade_id,
        "history_seq": view.history.position,
        "symbols": {
            symbol: {
                "mode": market.mode.name.lower(),
                "index": call.view.format_of(market).price[market.index_ticks],
                "mark": call.view.format_of(market).price[market.mark_ticks],
                "last": call.view.format_of(market).price[market.last_ticks],
            }
            for symbol, market in state.markets.items()
        },
    }


def list_accounts(call: Call, _params: NoParams) -> Any:
    accounts = call.view.state.accounts.values()
    return [_account(account) for account in accounts if not account.house]


def _account(account: Account) -> Row:
    return {
        "name": account.name,
        "asset": MARGIN_ASSET,
        "balance": money_text(account.wallet),
        "multi_assets": account.multi_assets,
        "balances": {name: money_text(amount) for name, amount in account.balances.items()},
        "available": money_text(available_balance(account)),
        "first_deposit": money_text(account.first_deposit),
        "fee_tier": account.fee_tier,
    }


def create_account(call: Call, params: NewAccount) -> Submission:
    """Opens an account with its first key."""
    if params.name in call.view.state.account_ids:
        raise ApiError.saying(-1109, f"there is an account named {params.name} already")
    credentials = call.view.mint()
    command = CreateAccount(
        params.name,
        to_money(params.deposit, "deposit"),
        api_key=credentials.api_key,
        sealed_secret=credentials.sealed_secret,
    )
    answer = {
        "name": params.name,
        "api_key": credentials.api_key,
        "api_secret": credentials.api_secret,
    }
    return Submission(command, lambda _applied: answer)


def add_key(call: Call, params: NewKey) -> Submission:
    """Gives an account another key: with a secret, or for the private key of a pair."""
    _check_key_type(params)
    _check_account(call, params.name)
    credentials = call.view.mint(params.public_key)
    command = AddKey(
        params.name,
        credentials.api_key,
        params.type,
        credentials.sealed_secret,
        params.permissions,
        params.ips,
    )
    answer = {
        "name": params.name,
        "type": params.type,
        "api_key": credentials.api_key,
        "permissions": params.permissions,
        "ips": params.ips,
    }
    if params.type == HMAC:
        answer["api_secret"] = credentials.api_secret
    return Submission(command, lambda _applied: answer)


def _check_key_type(params: NewKey) -> None:
    """Refuses a kind that there is not, and a public key that is missing, not valid or too much."""
    kind = params.type
    if kind not in KEY_KINDS:
        offered = ", ".join(KEY_KINDS)
        raise ApiError.saying(-4056, f"keys of type {kind} are not offered; these are: {offered}")
    if kind == HMAC:
        if params.public_key:
            raise ApiError.saying(-1106, "a key of type hmac has a secret, and no public_key")
        return
    if not params.public_key:
        raise ApiError.saying(
            MISSING, f"a key of type {kind} needs public_key, the public half of its pair in PEM"
        )
    try:
        make_verifier(kind, params.public_key)
    except ValueError as error:
        raise ApiError.saying(-4057, str(error)) from None


def deposit(call: Call, params: Transfer) -> Submission:
    _check_account(call, params.name)
    amount = to_money(params.amount, "amount")
    return Submission(Deposit(params.name, params.asset, amount), _transferred(params))


def withdraw(call: Call, params: Transfer) -> Submission:
    _check_account(call, params.name)
    amount = to_money(params.amount, "amount")
    return Submission(Withdraw(params.name, params.asset, amount), _transferred(params))


def _transferred(params: Transfer) -> Callable[[Applied], Any]:
    def finish(applied: Applied) -> Any:
        assert isinstance(applied.reply, WalletChanged)
        return {
            "name": params.name,
            "asset": applied.reply.asset,
            "amount": money_text(applied.reply.amount),
            "balance": money_text(applied.reply.wallet),
        }

    return finish


def set_fee_tier(call: Call, params: FeeTier) -> Submission:
    """Has an account pay the fees of another tier from now on; a reset brings back tier 0."""
    _check_account(call, params.name)
    answer = {"name": params.name, "tier": params.tier}
    return Submission(SetFeeTier(params.name, params.tier), lambda _applied: answer)


def _check_account(call: Call, name: str) -> None:
    if name not in call.view.state.account_ids:
        raise ApiError.saying(-1109, f"there is no account named {name}", 404)


def set_price(call: Call, params: Price) -> Submission:
    """Sets the index price, to the nearest tick.

    In a quiet market mark is the index, and the last price follows unless told not to;
    in the demo market mark follows by the formula. The index of an asset that is margin
    follows the symbol that trades it against USDT.
    """
    market = find_market(call, params.symbol)
    ticks = _find_ticks(call, market, params.price)
    moves_last = call.view.market == "quiet" if params.last is None else params.last
    text = call.view.format_of(market)

    def finish(applied: Applied) -> Any:
        changed = applied.reply
        assert isinstance(changed, PriceChanged)
        return {
            "symbol": params.symbol,
            "index": text.price[changed.index_ticks],
            "mark": text.price[changed.mark_ticks],
            "last": text.price[changed.last_ticks],
        }

    formula = call.view.market == "demo"
    command = SetPrice(params.symbol, ticks, moves_last, params.last is False, formula, True)
    return Submission(command, finish)


def _find_ticks(call: Call, market: Market, text: str) -> int:
    """The nearest tick to a price that the instrument can have."""
    spec, prices = market.spec, call.view.format_of(market).price
    lowest, highest = spec.min_ticks, spec.max_ticks
    bounds = f"{market.symbol} can cost from {prices[lowest]} to {prices[highest]}, not {text}"
    if text.startswith("-"):
        raise ApiError.saying(-4001, bounds)
    ticks = to_nearest_ticks(market, text, "price")
    if not lowest <= ticks <= highest:
        raise ApiError.saying(-4013 if ticks < lowest else -4002, bounds)
    return ticks


def define_instrument(call: Call, params: Instrument) -> Submission:
    """Adds an instrument or changes its terms, which are named as in the configuration file.

    The term `price` is where the index starts, now and after a reset; the index
    of an instrument that is traded already stays, and is what `price` answers.
    """
    try:
        spec, first_ticks = call.view.specify(params.symbol, params.terms)
    except ValueError as error:
        raise ApiError.saying(-1130, str(error)) from None

    def finish(_applied: Applied) -> Any:
        market = find_market(call, spec.symbol)
        text = call.view.format_of(market)
        return {
            "symbol": spec.symbol,
            "price": text.price[market.index_ticks],
            "first_price": text.price[first_ticks],
            "tick": text.price[1],
            "lot": text.quantity[1],
        }

    return Submission(DefineInstrument(spec, first_ticks), finish)


def change_clock(call: Call, params: Clock) -> Submission:
    given = [
        value for value in (params.advance_ms, params.set_ms, params.mode) if value is not None
    ]
    if len(given) != 1:
        raise ApiError.saying(-1128, "send exactly one of advance_ms, set_ms and mode")
    change = ClockChange(params.mode, params.set_ms, params.advance_ms)
    if params.mode is None:
        _check_move(call, change)

    def finish(applied: Applied) -> Any:
        return {"time": applied.time_ms, "clock": call.view.clock_mode}

    return Submission(Pulse(), finish, change)


def _check_move(call: Call, change: ClockChange) -> None:
    if call.view.clock_mode != "virtual":
        raise ApiError.saying(-1020, 'the clock is real; send {"mode":"virtual"} first')
    now_ms = call.now_ms
    target_ms = now_ms + (change.by_ms or 0) if change.to_ms is None else change.to_ms
    stands = f"the clock stands at {now_ms} and cannot be set back to {target_ms}"
    if target_ms > CLOCK_MAX_MS:
        stands = f"the clock stands at {now_ms} and cannot go beyond the year 9999, to {target_ms}"
    if not now_ms <= target_ms <= CLOCK_MAX_MS:
        raise ApiError.saying(
            -1130,
            f"{stands}: it can be advanced by 0 to {CLOCK_MAX_MS - now_ms} ms, or set to a time"
            f" from then up to {CLOCK_MAX_MS}",
        )


def change_mode(call: Call, params: ChangeMode) -> Submission:
    if params.symbol:
        find_market(call, params.symbol)
    answer = {"mode": params.mode.name.lower()}
    if params.symbol:
        answer["symbol"] = params.symbol
    return Submission(SetMode(params.mode, params.symbol), lambda _applied: answer)


def reset(call: Call, _params: NoParams) -> Submission:
    """Back to the start, rate limits and files included."""

    def finish(applied: Applied) -> Any:
        call.view.limits.clear()
        call.view.downloads.clear()
        return {"seq": applied.seq, "time": applied.time_ms}

    return Submission(Reset(), finish)


def _endpoint(
    method: str, path: str, params: Any, handle: Any, summary: str, **more: Any
) -> Endpoint[Any]:
    path = f"/operator/v1/{path}"
    return Endpoint(method, path, Security.OPERATOR, params, handle, summary, weight=0, **more)


_PUBLIC_KEY: Final = """\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAykHWTSIYOySCS+rihpepmcUeBu+DYFiJFfY1e5WgPpg=
-----END PUBLIC KEY-----
"""
"""Of a pair whose private half nobody has: it shows the form."""


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    _endpoint("GET", "status", NoParams, status, "Sequence number, digest, clock and mode"),
    _endpoint("GET", "accounts", NoParams, list_accounts, "All accounts with their balances"),
    _endpoint(
        "POST",
        "accounts",
        NewAccount,
        create_account,
        "Open an account with a key",
        requests={"An account with 1000 USDT": {"name": "carol", "deposit": "1000"}},
    ),
    _endpoint(
        "POST",
        "accounts/{name}/deposit",
        Transfer,
        deposit,
        "Credit an account",
        requests={
            "USDT": {"name": "demo", "amount": "100"},
            "Another asset": {"name": "demo", "asset": "BTC", "amount": "0.5"},
        },
    ),
    _endpoint(
        "POST",
        "accounts/{name}/withdraw",
        Transfer,
        withdraw,
        "Debit an account",
        requests={"USDT": {"name": "demo", "amount": "100"}},
    ),
    _endpoint(
        "POST",
        "accounts/{name}/keys",
        NewKey,
        add_key,
        "Give an account another key",
        requests={
            "A key with a secret": {"name": "demo", "type": "hmac"},
            "A key that only reads, from one address": {
                "name": "demo",
                "permissions": ["read"],
                "ips": ["127.0.0.1"],
            },
            "The public half of a key pair": {
                "name": "demo",
                "type": "ed25519",
                "public_key": _PUBLIC_KEY,
            },
        },
    ),
    _endpoint(
        "POST",
        "accounts/{name}/fee_tier",
        FeeTier,
        set_fee_tier,
        "Change the fees of an account",
        requests={"The fees of VIP 3": {"name": "demo", "tier": 3}},
    ),
    _endpoint(
        "POST",
        "price",
        Price,
        set_price,
        "Set the index price",
        requests={
            "Index, mark and last": {"symbol": "BTCUSDT", "price": "61000"},
            "Last stays": {"symbol": "BTCUSDT", "price": "61000", "last": False},
        },
    ),
    _endpoint(
        "POST",
        "instruments",
        Instrument,
        define_instrument,
        "Add or change an instrument",
        requests={
            "Another minimum": {"symbol": "BTCUSDT", "min_notional": "10"},
            "Funding every hour, at most 0.01 %": {
                "symbol": "BTCUSDT",
                "funding_hours": 1,
                "funding_cap": "0.0001",
            },
            "Any price, however far from mark": {"symbol": "BTCUSDT", "price_guards": False},
            "A new instrument": {
                "symbol": "XRPUSDT",
                "tick": "0.0001",
                "lot": "0.1",
                "price": "2.5",
                "brackets": [
                    {"leverage": 50, "cap": 100_000, "rate": "0.01"},
                    {"leverage": 20, "cap": 1_000_000, "rate": "0.025"},
                ],
            },
        },
    ),
    _endpoint(
        "POST",
        "clock",
        Clock,
        change_clock,
        "Move or switch the clock",
        requests={
            "Stand still from now on": {"mode": "virtual"},
            "Eight hours forward, of a virtual clock": {"advance_ms": 28_800_000},
            "To a moment, of a virtual clock": {"set_ms": 4_102_444_800_000},
            "Go with the machine again": {"mode": "real"},
        },
    ),
    _endpoint(
        "POST",
        "mode",
        ChangeMode,
        change_mode,
        "Change what is accepted",
        requests={
            "Everything": {"mode": "normal"},
            "Cancels alone, in one symbol": {"mode": "cancel_only", "symbol": "BTCUSDT"},
            "Nothing": {"mode": "halted"},
        },
    ),
    _endpoint("POST", "reset", NoParams, reset, "Back to the start"),
)
