"""Builds the package; compiles the engine with mypyc where a C compiler is at hand.

Everything else about the package stands in pyproject.toml. Without a compiler,
or with OPENPERP_PURE=1, the engine is installed as the plain Python that it is.
"""

import os
import sys
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.build_ext import build_ext

PLAIN = {
    "__init__",
    "assets",
    "commands",  # mypyc drops `frozen` and `tag` of a msgspec Struct
    "events",
    "instruments",
    "invariants",  # an exception that derives from AssertionError
    "liquidation_events",
    "records",
    "rejects",
    "snapshot",
    "snapshot_form",
    "terms",  # enumerations stay Python objects either way
}
"""Modules of the engine that are never compiled."""


class OptionalBuildExt(build_ext):
    """A failing compiler costs speed and nothing else."""

    def run(self) -> None:
        try:
            super().run()
        except Exception as error:  # noqa: BLE001  whatever a compiler can do wrong
            sys.stderr.write(f"openperp: the engine stays plain Python ({error})\n")
            self.extensions = []


def find_extensions() -> list[Any]:
    if os.environ.get("OPENPERP_PURE") == "1":
        return []
    try:
        from mypyc.build import mypycify  # noqa: PLC0415  only where it is installed
    except ImportError:
        return []
    root = Path("src/openperp/engine")
    sources = sorted(str(path) for path in root.glob("*.py") if path.stem not in PLAIN)
    extensions: list[Any] = mypycify(sources, opt_level="3", group_name="openperp_engine")
    return extensions


setup(ext_modules=find_extensions(), cmdclass={"build_ext": OptionalBuildExt})
