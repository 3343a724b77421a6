"""`openperp doctor`: how a client is pointed at this venue."""

from pathlib import Path

import click
import msgspec

from openperp.cli.clients import CLIENTS, Access
from openperp.cli.output import Refused, print_json


class _Account(msgspec.Struct):
    api_key: str
    api_secret: str


class _Credentials(msgspec.Struct):
    account: _Account


@click.command(epilog="Example: openperp doctor ccxt --url http://127.0.0.1:8686")
@click.argument("client", required=False)
@click.option("--data", type=click.Path(path_type=Path), help="Data directory with the keys.")
@click.option("--url", default="http://127.0.0.1:8686", show_default=True, help="Where it answers.")
@click.option("--key", help="API key, instead of the data directory's demo account.")
@click.option("--secret", help="API secret that belongs to --key.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(
    client: str | None,
    data: Path | None,
    url: str,
    key: str | None,
    secret: str | None,
    as_json: bool,
) -> None:
    """Print the snippet that points CLIENT at this venue.

    Without CLIENT, list the clients that it knows. The keys are those of the
    demo account in the data directory, unless --key and --secret name others.
    """
    if client is None:
        _list_clients(as_json)
        return
    known = CLIENTS.get(client.lower())
    if known is None:
        raise Refused(f"There is no snippet for {client!r}; there is one for {', '.join(CLIENTS)}.")
    if (key is None) != (secret is None):
        raise Refused("--key and --secret belong together.")
    access = Access(url.rstrip("/"), *_keys(data, key, secret))
    snippet = known.snippet(access)
    if as_json:
        print_json({"client": known.name, "language": known.language, "snippet": snippet})
    else:
        print(snippet, end="")


def _list_clients(as_json: bool) -> None:
    if as_json:
        rows = CLIENTS.values()
        print_json(
            {"clients": [{"name": c.name, "language": c.language, "about": c.about} for c in rows]}
        )
        return
    for known in CLIENTS.values():
        print(f"openperp doctor {known.name:<6} {known.about}")


def _keys(data: Path | None, key: str | None, secret: str | None) -> tuple[str, str]:
    if key is not None and secret is not None:
        return key, secret
    path = _credentials_path(data)
    try:
        account = msgspec.json.decode(path.read_bytes(), type=_Credentials).account
    except FileNotFoundError:
        raise Refused(
            f"There is no {path}: start the venue once with `openperp run`, name its data "
            "directory with --data, or give --key and --secret."
        ) from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None
    except msgspec.DecodeError:
        raise Refused(f"{path} does not hold credentials of a venue.") from None
    return account.api_key, account.api_secret


def _credentials_path(data: Path | None) -> Path:
    if data is None:
        from openperp.node.config import default_data_directory  # noqa: PLC0415  only if asked

        data = default_data_directory()
    return data / "credentials.json"
