"""`openperp run`: the venue as a process."""

import asyncio
import logging
import shlex
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
import uvloop

from openperp.bootstrap import build
from openperp.cli.output import Refused, print_json
from openperp.engine.state import State
from openperp.gateway.server import Server, check_address
from openperp.node.config import Config, default_data_directory, load_config
from openperp.node.credentials import note_address
from openperp.node.errors import StartupError

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  shown, not bound
"""Addresses that stand for all, and where to reach such a venue on this machine."""


def _check_list(_context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """A list that was forgotten leaves the next flag in its place, and its value over."""
    if text is not None and text.startswith("-"):
        raise click.BadParameter(
            f"a list is missing before '{text}': {STRICT_WORDS}.", param=option
        )
    return text


STRICT_WORDS = "any of signature,time,params,streams"


@click.command(epilog="Example: openperp run --market quiet --port 9000 --data ./venue")
@click.option("--data", metavar="DIR", help="Data directory; the platform's own by default.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one.  [default: 8686]")
@click.option("--config", metavar="FILE", type=click.Path(path_type=Path), help="A TOML file.")
@click.option("--dialect", help="ztdx or binance; fixed when DIR is new.  [default: ztdx]")
@click.option("--market", help="demo (prices move) or quiet.  [default: demo]")
@click.option("--clock", help="real, or virtual (stands still until moved).  [default: real]")
@click.option("--clock-start", metavar="ISO", help="Where a virtual clock starts.")
@click.option("--seed", type=int, help="Seed of the demo market.  [default: 1]")
@click.option("--ephemeral", is_flag=True, default=None, help="Keep everything in memory.")
@click.option("--no-limits", is_flag=True, help="No rate and order-count limits.")
@click.option(
    "--strict",
    metavar="LIST",
    is_eager=True,
    callback=_check_list,
    help=f"Forgive less: {STRICT_WORDS}.",
)
@click.option("--no-explain", is_flag=True, help="Leave the X-Explain header out.")
@click.option("--tls-cert", metavar="FILE", help="Certificate chain, for https.")
@click.option("--tls-key", metavar="FILE", help="Private key of the certificate.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on stdout when ready.")
def run(
    config: Path | None,
    strict: str | None,
    no_limits: bool,
    no_explain: bool,
    as_json: bool,
    **flags: object,
) -> None:
    """Start a venue, and serve it until Ctrl-C or SIGTERM.

    It prints where it listens and the keys of its demo account. Every flag can
    stand in the file that --config names, too.
    """
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        settings = load_config(
            config,
            strict=None if strict is None else tuple(filter(None, strict.split(","))),
            limits=False if no_limits else None,
            explain=False if no_explain else None,
            **flags,
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, as_json))
    except KeyboardInterrupt:
        return
    except StartupError as error:
        raise Refused(_sentence(error)) from None


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """Ends a start that is still under way, at whatever it is."""
    raise KeyboardInterrupt


async def _serve(config: Config, as_json: bool) -> None:
    # A start that cannot succeed must not leave a data directory with a dialect chosen.
    check_address(config.host, config.port, config.tls)
    node, _, server = build(config, _show_progress if sys.stderr.isatty() else None)
    found_seq = node.machine.state.seq
    await server.start()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    if not config.ephemeral:
        note_address(config.data, node.access, _addresses(server, config)[0])
    if as_json:
        print_json(_ready_line(server, config))
    else:
        _greet(server, config, found_seq)
    await stopped.wait()
    await server.stop()
    if not as_json:
        print("\nStopped.", flush=True)


def _ready_line(server: Server, config: Config) -> dict[str, object]:
    http, websocket = _addresses(server, config)
    access = server.node.access
    return {
        "event": "ready",
        "rest": http,
        "ws": websocket,
        "ws_api": f"{websocket}/ws-fapi/v1",
        "web": f"{http}/",
        "operator_token": access.operator_token,
        "account": access.account,
    }


def _addresses(server: Server, config: Config) -> tuple[str, str]:
    host = WILDCARDS.get(server.host, server.host)
    address = f"[{host}]:{server.port}" if ":" in host else f"{host}:{server.port}"
    secure = "s" if config.tls_cert is not None else ""
    return f"http{secure}://{address}", f"ws{secure}://{address}"


def _greet(server: Server, config: Config, found_seq: int) -> None:
    http, websocket = _addresses(server, config)
    access = server.node.access
    kept = "in memory only" if config.ephemeral else f"in {config.data}"
    print(
        f"""\
openperp is ready: {config.market} market, {server.node.view.dialect.name} dialect.
{_continuation(server.node.view.state, found_seq)}
  REST            {http}
  Streams         {websocket}
  WebSocket API   {websocket}/ws-fapi/v1
  Web page        {http}/
  API reference   {http}/docs

  Account         {access.account.name}
  API key         {access.account.api_key}
  API secret      {access.account.api_secret}
  Operator token  {access.operator_token}

Point a client at it with: {_doctor_command(config, http)}
The venue is kept {kept}. Stop it with Ctrl-C.""",
        flush=True,
    )


def _doctor_command(config: Config, http: str) -> str:
    command = "openperp doctor ccxt"
    if config.ephemeral:
        return f"{command} --url {http} --key API_KEY --secret API_SECRET"
    if config.data == default_data_directory():
        return command
    return f"{command} --data {shlex.quote(str(config.data))}"


def _continuation(state: State, found_seq: int) -> str:
    """What a later start found, as a line of its own; empty at the first start."""
    if found_seq == 0:
        return ""
    people = {key: account for key, account in state.accounts.items() if not account.house}
    orders = sum(order.account in people for order in state.orders.values())
    return (
        f"It continues at record {found_seq}: {_count(len(people), 'account')}, "
        f"{_count(orders, 'open order')}.\n"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _show_progress(done: int, total: int) -> None:
    """One line on stderr that grows over itself while a journal is replayed."""
    share = done / total
    bar = ("#" * int(share * 40)).ljust(40)
    end = "\n" if done == total else ""
    print(f"\rReplaying [{bar}] {share:4.0%}", end=end, file=sys.stderr, flush=True)


def _sentence(error: Exception) -> str:
    text = str(error)
    return text if text.endswith(".") else f"{text}."
