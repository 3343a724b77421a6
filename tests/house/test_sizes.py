"""Files and functions of the package stay short enough to be read in one sitting."""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src"
FILE_LINES = 500
FUNCTION_LINES = 60
EXCEPTIONS: dict[str, str] = {}
"""A file, or a function as `file:name`, that may be longer, and why no cut would help its reader."""


def find_long(name: str, text: str) -> Iterator[str]:
    """The file itself and those of its functions that are too long."""
    if len(text.splitlines()) > FILE_LINES:
        yield name
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            if node.end_lineno - node.lineno >= FUNCTION_LINES:
                yield f"{name}:{node.name}"


def test_nothing_is_too_long_to_read() -> None:
    long = {
        found
        for path in SOURCES.rglob("*.py")
        for found in find_long(str(path.relative_to(SOURCES)), path.read_text(encoding="utf-8"))
    }
    assert not long - set(EXCEPTIONS), "cut these where a reader would"
    assert not set(EXCEPTIONS) - long, "these are short enough by now"


def test_what_is_too_long_is_found() -> None:
    body = "    pass\n" * (FUNCTION_LINES - 1)
    short, long = f"def short():\n{body}", f"async def long():\n    pass\n{body}"
    assert list(find_long("a.py", short + long)) == ["a.py:long"]
    assert list(find_long("b.py", "\n" * FILE_LINES)) == []
    assert list(find_long("c.py", "\n" * (FILE_LINES + 1))) == ["c.py"]
