"""What verbs share: one way to fail, one way to print JSON."""

from typing import Any

import click
import msgspec


class Refused(click.ClickException):
    """Ends the command with one sentence on stderr and exit code 2."""

    exit_code = 2


def print_json(payload: Any) -> None:
    """One line of compact JSON on stdout, flushed so that a pipe sees it at once."""
    print(msgspec.json.encode(payload).decode(), flush=True)
