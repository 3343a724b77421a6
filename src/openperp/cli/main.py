"""The group of verbs. Importing it loads no verb, so that each starts at its own cost."""

from importlib import import_module

import click

VERBS = {
    "certificate": "certificate",
    "doctor": "doctor",
    "lab": "lab",
    "run": "run",
    "verify": "verify",
}
"""Verb -> module of this package that defines a command of that name."""


class Verbs(click.Group):
    """A click group that imports a verb when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        module = import_module(f"openperp.cli.{VERBS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.command(cls=Verbs, epilog="Example: openperp run --market quiet")
@click.version_option(package_name="openperp", message="%(version)s")
def main() -> None:
    """A perpetual-futures venue on your own machine."""
