"""A data directory serves one process at a time."""

import os
from pathlib import Path

from filelock import FileLock, Timeout

from openperp.journal.base import DataDirectoryBusy, JournalUnusable


def lock_directory(directory: Path) -> FileLock:
    """Claims the directory, which is made if need be, until the lock is released.

    The operating system ends the claim with the process, however that ends.
    Raises DataDirectoryBusy or JournalUnusable.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(directory / "lock", timeout=0, thread_local=False)
        lock.acquire()
    except Timeout:
        raise DataDirectoryBusy(str(directory), _find_holder(directory / "lock")) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise JournalUnusable(f"The data directory {directory} cannot be used: {reason}.") from None
    return lock


def _find_holder(path: Path) -> int | None:
    """The process that holds the lock, where the operating system lists locks (Linux)."""
    try:
        file = path.stat()
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    place = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    for line in lines:
        fields = line.split()
        if place in fields and fields[4].isdigit() and int(fields[4]) > 0:
            return int(fields[4])
    return None
