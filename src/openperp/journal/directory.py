"""A data directory serves one process at a time."""

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
        raise DataDirectoryBusy(str(directory)) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise JournalUnusable(f"The data directory {directory} cannot be used: {reason}.") from None
    return lock
