"""Files that only the operator may read, whole or not there at all."""

import os
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Puts `data` at `path` with mode 0600, durably; a crash leaves the old file or the new one.

    The caller holds the data directory, so nobody else writes beside it.
    """
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
