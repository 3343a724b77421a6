"""What a browser finds here: the front page and the API reference, all from this package.

Files are read when they are first asked for: a start waits for none of them.
"""

from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from openperp.api.openapi import build_document

STATIC: Final = Path(__file__).with_name("static")
EXAMPLES: Final = STATIC / "examples.json"
"""What each endpoint answers, recorded from a venue; see `tests.golden.examples`."""


class Page(NamedTuple):
    content_type: bytes
    body: bytes


_HTML: Final = b"text/html; charset=utf-8"
_SCRIPT: Final = b"text/javascript; charset=utf-8"
_STYLE: Final = b"text/css; charset=utf-8"
_TEXT: Final = b"text/plain; charset=utf-8"

_FILES: Final = {
    "/": (_HTML, "index.html"),
    "/docs": (_HTML, "docs.html"),
    "/docs/docs.js": (_SCRIPT, "docs.js"),
    "/docs/swagger-ui-bundle.js": (_SCRIPT, "swagger-ui/swagger-ui-bundle.js"),
    "/docs/swagger-ui-bundle.js.LICENSE.txt": (
        _TEXT,
        "swagger-ui/swagger-ui-bundle.js.LICENSE.txt",
    ),
    "/docs/swagger-ui.css": (_STYLE, "swagger-ui/swagger-ui.css"),
}
_DOCUMENT: Final = "/openapi.json"

PATHS: Final = frozenset({*_FILES, _DOCUMENT})


@cache
def read_page(path: str) -> Page:
    """The page at one of `PATHS`."""
    if path == _DOCUMENT:
        examples = msgspec.json.decode(EXAMPLES.read_bytes())
        document = build_document(version("openperp"), examples)
        return Page(b"application/json", msgspec.json.encode(document))
    content_type, name = _FILES[path]
    return Page(content_type, (STATIC / name).read_bytes())
