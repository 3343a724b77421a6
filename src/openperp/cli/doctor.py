"""`openperp doctor`: how a client is pointed at this venue."""

from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec

from openperp.cli.clients import CLIENTS, Access, find_client, similar_clients
from openperp.cli.output import Refused, print_json
from openperp.cli.probe import find_problem


class _Account(msgspec.Struct):
    api_key: str
    api_secret: str


class _Credentials(msgspec.Struct):
    account: _Account
    rest: str = ""


DEFAULT_URL = "http://127.0.0.1:8686"


@click.command(epilog="Example: openperp doctor ccxt --url http://127.0.0.1:8686")
@click.argument("client", required=False)
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Data directory of the venue; the platform's own by default.",
)
@click.option("--url", help="Where it answers; where it did at its last start by default.")
@click.option("--key", help="API key, instead of the data directory's demo account.")
@click.option("--secret", help="API secret that belongs to --key.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(
    client: str | None,
    data: Path | None,
    url: str | None,
    key: str | None,
    secret: str | None,
    as_json: bool,
) -> None:
    """Print the snippet that points CLIENT at this venue.

    Without CLIENT, list the clients that it knows. Address and keys are those
    that the venue keeps in its data directory; --key and --secret name others,
    for a venue that runs with --ephemeral too. Whether the venue answers there
    and takes the keys is tried once, and a warning printed where it does not.
    """
    if client is None:
        _list_clients(as_json)
        return
    known = find_client(client)
    if known is None:
        raise Refused(_unknown(client))
    if (key is None) != (secret is None):
        raise Refused("--key and --secret belong together.")
    access = _find_access(data, url, key, secret)
    snippet = known.snippet(access)
    if as_json:
        print_json({"client": known.name, "language": known.language, "snippet": snippet})
    else:
        print(snippet, end="", flush=True)
    problem = find_problem(access)
    if problem:
        click.echo(f"Warning: {problem}", err=True)


def _unknown(name: str) -> str:
    similar = similar_clients(name)
    meant = f"; did you mean {' or '.join(similar)}?" if similar else "."
    return f"There is no snippet for {name!r}{meant} `openperp doctor` lists those there are."


def _list_clients(as_json: bool) -> None:
    if as_json:
        rows = CLIENTS.values()
        print_json(
            {"clients": [{"name": c.name, "language": c.language, "about": c.about} for c in rows]}
        )
        return
    width = max(map(len, CLIENTS))
    for known in CLIENTS.values():
        print(f"openperp doctor {known.name:<{width}}  {known.about}")


def _find_access(data: Path | None, url: str | None, key: str | None, secret: str | None) -> Access:
    if url is not None:
        _check_url(url)
        url = url.rstrip("/")
    if key is not None and secret is not None:
        return Access(url or DEFAULT_URL, key, secret)
    kept = _read_credentials(data)
    return Access(url or kept.rest or DEFAULT_URL, kept.account.api_key, kept.account.api_secret)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Refused(f"--url {url} is not an address such as {DEFAULT_URL}.")


def _read_credentials(data: Path | None) -> _Credentials:
    path = _credentials_path(data)
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Credentials)
    except FileNotFoundError:
        raise Refused(
            f"There is no {path}: start the venue once with `openperp run`, name its data "
            "directory with --data, or give --url, --key and --secret."
        ) from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None
    except msgspec.DecodeError:
        raise Refused(f"{path} does not hold credentials of a venue.") from None


def _credentials_path(data: Path | None) -> Path:
    if data is None:
        from openperp.node.config import default_data_directory  # noqa: PLC0415  only if asked

        data = default_data_directory()
    return data / "credentials.json"
