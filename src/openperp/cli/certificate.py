"""`openperp certificate`: what a venue needs to be reached over https and wss."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

import click

from openperp.cli.output import Refused, print_json
from openperp.node.certificate import Certificate, make_certificate


@click.command(
    short_help="Make a certificate, for https and wss.",
    epilog="Example: openperp certificate --out tls --name fapi.binance.com",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("tls"),
    help="Where the three files go; made if need be.  [default: tls]",
)
@click.option(
    "--name",
    "names",
    metavar="HOST",
    multiple=True,
    help="A further host name or IP address; may be given often.",
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on stdout.")
def certificate(out: Path, names: tuple[str, ...], as_json: bool) -> None:
    """Make a certificate for localhost, 127.0.0.1, ::1 and further names.

    Writes cert.pem and key.pem for `openperp run`, and ca.pem, which clients
    have to trust. Files that are there already stay, and the command refuses.
    """
    try:
        made = make_certificate(out, names, datetime.now(UTC))
    except FileExistsError as error:
        raise Refused(
            f"{error.filename or out} is there already: remove it, or choose another --out."
        ) from None
    except ValueError as error:
        raise Refused(f"{error}.") from None
    except OSError as error:
        raise Refused(f"{error.filename or out} cannot be written: {error.strerror}.") from None
    if as_json:
        print_json(
            {
                "ca": str(made.authority),
                "cert": str(made.certificate),
                "key": str(made.key),
                "names": made.names,
                "until": f"{made.until:%Y-%m-%d}",
            }
        )
    else:
        print(_guide(made))


def _guide(made: Certificate) -> str:
    authority, certificate, key = (
        shlex.quote(str(path.absolute())) for path in (made.authority, made.certificate, made.key)
    )
    return f"""\
A certificate for {", ".join(made.names)}, valid until {made.until:%Y-%m-%d}.

Start the venue with it:
  openperp run --tls-cert {certificate} --tls-key {key}

Let clients trust it, by one of these where they run:
  export SSL_CERT_FILE={authority}        # Python's ssl, OpenSSL, Go
  export REQUESTS_CA_BUNDLE={authority}   # requests
  export NODE_EXTRA_CA_CERTS={authority}  # Node.js"""
