"""Whether compose files that a label names can be read here. Reads files: call it in a thread."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

LARGEST_FILE_BYTES = 512 * 1024

_SUFFIXES = frozenset({".yml", ".yaml", ".json"})


def why_out_of_reach(files: Sequence[Path]) -> str | None:
    """Return in a sentence why the files of a stack cannot be read; None where they can.

    Labels come with images too, so nothing is read that is not a plain file named as compose
    files are.
    """
    if not files:
        return "Its containers do not say which compose files they come from."
    for file in files:
        if not file.is_absolute() or file.suffix not in _SUFFIXES:
            return f"{file} does not look like a compose file."
        try:
            found = file.stat()
        except OSError:
            return f"{file} is not within the agent's reach: it lies on the host or elsewhere."
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_FILE_BYTES:
            return f"{file} is no plain file of at most {LARGEST_FILE_BYTES // 1024} KiB."
        if not os.access(file, os.R_OK):
            return f"The agent may not read {file}."
    return None
