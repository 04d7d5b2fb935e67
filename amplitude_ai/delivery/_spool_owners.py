"""Which processes live: each holds a lock on a file of its own, which the kernel lets go of however it dies.

``flock`` belongs to the open file, not to the process: a forked child has to close its copy (`Owner.forget`). Where
there is no ``flock`` (Windows) nobody is known to be dead, and `is_dead` goes by the age of the owner's last sign.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from .. import _clock

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: Without ``flock``: an owner that gave no sign for so long is taken for dead, in seconds.
SILENT_SECONDS = 600.0


class Owner:
    """This process's claim to what it wrote.

    Args:
        directory: where owners' files are; made when missing.

    Raises:
        OSError: the file could not be made or locked.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            self.name = uuid.uuid4().hex
            self._path = directory / self.name
            self._fd: int | None = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            if fcntl is None:
                return
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            if self._path.exists():
                return
            os.close(self._fd)  # somebody took us for dead between the two steps

    def stands(self) -> bool:
        """Whether the claim is still there: where somebody removed its file, others take this process for dead."""
        return os.path.exists(self._path)

    def sign(self) -> None:
        """Give a sign of life, for those who have no locks to go by."""
        with contextlib.suppress(OSError):
            os.utime(self._path)

    def release(self) -> None:
        """The process is done: what it left may be taken."""
        fd, self._fd = self._fd, None
        if fd is not None:
            with contextlib.suppress(OSError):  # whoever comes next removes it
                self._path.unlink()
            os.close(fd)

    def forget(self) -> None:
        """In a forked child: the claim is the parent's."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def is_dead(directory: Path, name: str) -> bool:
    """Whether the owner ``name`` is gone. Its file goes with it."""
    path = directory / name
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        if fcntl is None:
            if _clock.wall_s() - os.fstat(fd).st_mtime < SILENT_SECONDS:
                return False
        else:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
        path.unlink(missing_ok=True)
        return True
    finally:
        os.close(fd)


def sweep(directory: Path) -> None:
    """Remove the files of owners that are gone. A process that is killed with nothing on disk leaves only that."""
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            is_dead(directory, name)
