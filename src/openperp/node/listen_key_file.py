"""Listen keys beside the journal, so that a socket can come back after a restart.

They are no part of what happened: the file may be lost or deleted at any time,
and costs no more than a new listen key.
"""

import logging
from pathlib import Path

import msgspec

from openperp.api.listen_keys import SavedKey
from openperp.api.view import View
from openperp.node.private_files import write_private

log = logging.getLogger(__name__)

LISTEN_KEYS_FILE = "listen-keys.json"


class _Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`journal` tells whose accounts are meant, as their numbers start anew with each journal."""

    journal: str
    listen_keys: list[SavedKey]


class ListenKeyFile:
    """The file of one data directory, which the caller holds."""

    def __init__(self, directory: Path, journal: str) -> None:
        self._path = directory / LISTEN_KEYS_FILE
        self._journal = journal

    def serve(self, view: View) -> None:
        """Gives a view the keys that are still good, and keeps each change from here on."""
        keys = view.listen_keys
        try:
            keys.load(self._read(view), view.now_ms())
        except (OSError, ValueError) as error:
            log.warning("%s is ignored, clients need new listen keys: %s", self._path, error)
        keys.on_change = lambda: self._write(keys.dump())

    def _read(self, view: View) -> list[SavedKey]:
        """What the file holds; a ValueError says what is wrong with it."""
        try:
            content = msgspec.json.decode(self._path.read_bytes(), type=_Content)
        except FileNotFoundError:
            return []
        if content.journal != self._journal:
            raise ValueError("it belongs to another journal")
        return [each for each in content.listen_keys if each.account in view.state.accounts]

    def _write(self, listen_keys: list[SavedKey]) -> None:
        """A disk that fails costs a client its key after the next restart, and nothing now."""
        content = _Content(self._journal, listen_keys)
        try:
            write_private(self._path, msgspec.json.format(msgspec.json.encode(content)) + b"\n")
        except OSError as error:
            log.error("%s was not written: %s", self._path, error)  # noqa: TRY400 - as in node
