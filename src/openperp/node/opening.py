"""The commands that make a journal the venue that the configuration asks for."""

from openperp.api.dialect import DEFAULT_DIALECT, DIALECTS, Dialect
from openperp.api.view import Credentials
from openperp.engine.commands import (
    AddKey,
    CreateAccount,
    DefineInstrument,
    OpenVenue,
    Resume,
    SetOrderLimits,
    SetPrice,
    Single,
)
from openperp.engine.numbers import MONEY_ONE
from openperp.engine.state import State
from openperp.node.assets import plan_assets
from openperp.node.config import Config
from openperp.node.credentials import DEMO_ACCOUNT
from openperp.node.errors import StartupError
from openperp.node.instruments import Instrument, check_same_grid

ORDER_LIFE_MS = 365 * 24 * 3_600_000
"""How long GTC orders of new venues stay open without a fill, as at Binance."""
DEMO_DEPOSIT = 100_000 * MONEY_ONE


def check_dialect(state: State, config: Config) -> None:
    """Raises: StartupError: the journal was created in another dialect."""
    if state.dialect and config.dialect not in (None, state.dialect):
        raise StartupError(
            f"{config.data} was created with the dialect {state.dialect} and cannot be run with "
            f"{config.dialect}: choose another data directory"
        )


def open_venue(dialect: Dialect) -> OpenVenue:
    """The first record of a new venue: what its dialect says, and every rule there is by now."""
    return OpenVenue(
        dialect.name,
        dialect.larger_side_margin,
        dialect.separate_trigger_ids,
        displaces_reducers=True,
        order_life_ms=ORDER_LIFE_MS,
        liquidates=True,
        bounds_stakes=True,
        single_closers=True,
        names_fired_orders=True,
        isolated_pays=True,
        bounds_sweeps=True,
    )


def plan_opening(state: State, config: Config, demo: Credentials, now_ms: int = 0) -> list[Single]:
    """What `state` lacks of what `config` says, in the order in which it must happen.

    An instrument that only comes built in is added where it is missing and left
    as it is otherwise; one that the configuration file names is made to match.
    Funding that came due up to `now_ms`, while nobody was there, is skipped.

    Raises: ConfigError: the file changes the tick or lot of an instrument.
    """
    commands: list[Single] = []
    if any(0 < market.funding_ms <= now_ms for market in state.markets.values()):
        commands.append(Resume())
    if not state.dialect:
        commands.append(open_venue(DIALECTS[config.dialect or DEFAULT_DIALECT]))
        commands += plan_assets(config.instruments)
    commands += [
        DefineInstrument(instrument.spec, instrument.index_ticks)
        for instrument in config.instruments
        if _differs(state, instrument)
    ]
    if config.market == "quiet":
        commands += [
            SetPrice(market.symbol, market.index_ticks, keeps_last=True)
            for market in state.markets.values()
            if market.formula
        ]
    if DEMO_ACCOUNT not in state.account_ids:
        commands.append(CreateAccount(DEMO_ACCOUNT, DEMO_DEPOSIT))
    if demo.api_key not in state.keys:
        commands.append(AddKey(DEMO_ACCOUNT, demo.api_key, "hmac", demo.sealed_secret))
    if state.order_limits != config.limits:
        commands.append(SetOrderLimits(config.limits))
    return commands


def _differs(state: State, instrument: Instrument) -> bool:
    market = state.markets.get(instrument.spec.symbol)
    if market is None:
        return True
    if not instrument.configured:
        return False
    check_same_grid(market.spec, instrument.spec)
    return market.spec != instrument.spec or market.initial_ticks != instrument.index_ticks
