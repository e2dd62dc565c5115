"""Files of the machine that may be read: those below the folders that settings name, and no others.

Paths are the machine's. In a container the machine's files are below `root`; links are followed as
the machine itself would. What is not found there is looked for in the agent's own file system.
"""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from homelab_agent.platform.errors import Denied

MOST_BYTES = 1024 * 1024
_MOST_LINKS = 40
_OWN = Path("/")


@dataclass(frozen=True, slots=True)
class Stamp:
    """By what a change of a file is noticed."""

    inode: int
    size: int
    changed_ns: int


class Confined:
    """Resolves and opens what lies below `allowed`. All of it blocks."""

    def __init__(self, root: Path, allowed: Sequence[Path]) -> None:
        self._roots = (root, _OWN) if root != _OWN else (_OWN,)
        self._allowed = tuple(allowed)

    def real(self, path: str) -> Path:
        """Return where a path of the machine leads to, for the agent to open.

        Raises:
            Denied: that lies in no folder that may be read; the hint names the setting.
            OSError: there is nothing.
        """
        found = [
            _within(root, resolved)
            for root in self._roots
            if root.is_dir() and self._is_allowed(root, resolved := _resolve(root, path))
        ]
        if not found:
            raise Denied(
                f"{path} lies in no folder that the agent may read certificates of.",
                field="path",
                hint="Add its folder, and where its links lead, to the setting certificate_paths.",
            )
        for each in found:
            if each.exists():
                return each
        raise FileNotFoundError(2, os.strerror(2), path)

    def entries(self, folder: str, most: int) -> tuple[os.DirEntry[str], ...]:
        """Return what a folder holds, by name, `most` of it; raises as `real` does.

        Names that are no UTF-8 are left out: they can be neither stored nor shown.
        """
        with os.scandir(self.real(folder)) as found:
            entries = [entry for entry in islice(found, most) if _is_text(entry.name)]
        return tuple(sorted(entries, key=lambda entry: entry.name))

    def stamp(self, path: str) -> Stamp:
        """Return by what a change of a file is noticed; raises as `real` does."""
        status = self.real(path).stat()
        return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)

    def read(self, path: str) -> bytes:
        """Return what a file holds, up to `MOST_BYTES`; raises as `real` does."""
        # Not one that waits for a writer, as a pipe does.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.real(path), flags)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor is no path
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(22, "it is no file", path)
            return file.read(MOST_BYTES)

    def _is_allowed(self, root: Path, resolved: PurePosixPath) -> bool:
        return any(resolved.is_relative_to(_resolve(root, str(each))) for each in self._allowed)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _within(root: Path, path: PurePosixPath) -> Path:
    return root / path.relative_to("/")


def _resolve(root: Path, path: str) -> PurePosixPath:
    """Return a path without links and dots, as the machine whose files are below `root` sees it."""
    ahead = list(reversed(PurePosixPath(path).parts[1:]))
    resolved: list[str] = []
    links = 0
    while ahead:
        part = ahead.pop()
        if part == "..":
            del resolved[-1:]
            continue
        target = _link(f"{root}/{'/'.join((*resolved, part))}")
        if target is None:
            resolved.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(40, os.strerror(40), path)
        if target.startswith("/"):
            resolved.clear()
        ahead.extend(each for each in reversed(target.split("/")) if each not in {"", "."})
    return PurePosixPath("/", *resolved)


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115 - many times for each file, and a path costs more
    except OSError, ValueError:  # the second for a NUL
        return None  # no link, or nothing at all: whoever opens it will see
