"""The node's configuration: defaults, then a TOML file, then command-line flags."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
from platformdirs import user_data_path

from openperp.api.dialect import DIALECTS
from openperp.node.clock import VIRTUAL_START_MS, parse_instant
from openperp.node.errors import ConfigError
from openperp.node.instruments import BUILT_IN, Instrument, change_terms, name_fault, specify

Strictness = Literal["signature", "time", "params", "streams"]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a node is told at start.

    `dialect` None stands for the data directory's own, and for ztdx in a new
    one. `strict` names the tolerances that are off. `instruments` are in the
    order in which they are defined.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8686
    dialect: str | None = None
    market: Literal["demo", "quiet"] = "demo"
    clock: Literal["real", "virtual"] = "real"
    clock_start_ms: int = VIRTUAL_START_MS
    seed: int = 1
    ephemeral: bool = False
    limits: bool = True
    strict: frozenset[Strictness] = frozenset()
    explain: bool = True
    tls_cert: Path | None = None
    tls_key: Path | None = None
    instruments: tuple[Instrument, ...] = ()

    @property
    def tls(self) -> tuple[Path, Path] | None:
        """Certificate chain and private key; None for plain HTTP."""
        return (self.tls_cert, self.tls_key) if self.tls_cert and self.tls_key else None


class _Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file or the command line may say, in their own types."""

    data: str | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8686
    dialect: str | None = None
    market: Literal["demo", "quiet"] = "demo"
    clock: Literal["real", "virtual"] = "real"
    clock_start: str | None = None
    seed: int = 1
    ephemeral: bool = False
    limits: bool = True
    price_guards: bool = True
    strict: tuple[Strictness, ...] = ()
    explain: bool = True
    tls_cert: str | None = None
    tls_key: str | None = None
    instruments: dict[str, dict[str, Any]] = {}


def load_config(path: Path | None = None, **flags: object) -> Config:
    """The configuration of the file at `path`, where given, overridden by `flags`.

    Flags have the names of the file's keys; one that is None counts as not given.

    Raises:
        ConfigError: a sentence that names the file and the key.
    """
    given = {key: value for key, value in flags.items() if value is not None}
    if path is None:
        return _finish(_convert(given, ""), "")
    file = _read(path)
    source = f"{path}: "
    # The file alone first, so that a mistake is blamed on it only where it is made there.
    alone = {"clock": "virtual", **file} if given.get("clock") == "virtual" else file
    _finish(_convert(alone, source), source)
    if given.get("clock") == "real":
        file.pop("clock_start", None)
    return _finish(_convert({**file, **given}, ""), "")


def default_data_directory() -> Path:
    return user_data_path("openperp", appauthor=False)


def _read(path: Path) -> dict[str, object]:
    try:
        # Decimal fractions stay the text they are: 0.1 must not become a binary float.
        settings = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None
    start = settings.get("clock_start")
    if isinstance(start, date):
        settings["clock_start"] = start.isoformat()
    return settings


def _convert(settings: Mapping[str, object], source: str) -> _Settings:
    try:
        return msgspec.convert(settings, _Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(source + _name_words(name_fault(error))) from None


def _name_words(fault: str) -> str:
    """The fault with what it leaves out: the words that are allowed, the setting that was meant."""
    unknown = fault.removeprefix("object contains unknown field ")
    if unknown != fault:
        near = get_close_matches(unknown, get_type_hints(_Settings), n=1)
        return f"{unknown}: no setting has this name" + "".join(f"; is it {n}?" for n in near)
    match = re.fullmatch(r"((\w+)(?:\[\d+\])?): invalid enum value ('.*')", fault, re.DOTALL)
    if match is None:
        return fault
    place, key, value = match.groups()
    words = ", ".join(_words(get_type_hints(_Settings)[key]))
    return f"{place}: {value} is not one of {words}"


def _words(annotation: Any) -> list[str]:
    """The words of every Literal in a type.

    >>> _words(tuple[Literal["a", "b"], ...] | None)
    ['a', 'b']
    """
    if isinstance(annotation, str):
        return [annotation]
    return [word for part in get_args(annotation) for word in _words(part)]


def _finish(settings: _Settings, source: str) -> Config:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise ConfigError(f"{source}tls_cert, tls_key: give both or neither")
    if settings.dialect is not None and settings.dialect not in DIALECTS:
        words = ", ".join(DIALECTS)
        raise ConfigError(f"{source}dialect: '{settings.dialect}' is not one of {words}")
    start = settings.clock_start
    if start is not None and settings.clock == "real":
        raise ConfigError(f"{source}clock_start: only a virtual clock starts where it is told")
    data = default_data_directory() if settings.data is None else Path(settings.data).expanduser()
    return Config(
        data=data,
        host=settings.host,
        port=settings.port,
        dialect=settings.dialect,
        market=settings.market,
        clock=settings.clock,
        clock_start_ms=VIRTUAL_START_MS if start is None else _instant(start, source),
        seed=settings.seed,
        ephemeral=settings.ephemeral,
        limits=settings.limits,
        strict=frozenset(settings.strict),
        explain=settings.explain,
        tls_cert=None if settings.tls_cert is None else Path(settings.tls_cert),
        tls_key=None if settings.tls_key is None else Path(settings.tls_key),
        instruments=_instruments(settings.instruments, source, guards=settings.price_guards),
    )


def _instant(text: str, source: str) -> int:
    try:
        return parse_instant(text)
    except ConfigError as error:
        raise ConfigError(f"{source}clock_start: {error}") from None


def _instruments(
    tables: Mapping[str, Mapping[str, Any]], source: str, *, guards: bool
) -> tuple[Instrument, ...]:
    """The built-in instruments, changed by tables of the same name, and the added ones.

    `guards` is the `price_guards` of built-in ones whose tables do not say it.
    """
    instruments = []
    for symbol in [*BUILT_IN, *(symbol for symbol in tables if symbol not in BUILT_IN)]:
        table = tables.get(symbol)
        built_in = BUILT_IN.get(symbol)
        if built_in is not None:
            built_in = msgspec.structs.replace(built_in, price_guards=guards)
        try:
            terms = change_terms(symbol, table or {}, built_in)
            instruments.append(specify(symbol, terms, configured=table is not None))
        except ConfigError as error:
            raise ConfigError(f"{source}{error}") from None
    return tuple(instruments)
