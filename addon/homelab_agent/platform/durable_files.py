"""Files that are there wholly or as they were before, after a crash or a power cut too.

Slow: call it in a thread. What the disk does not let it do is an `OSError` that names the file.
"""

import os
from pathlib import Path

FOR_ITS_OWNER = 0o600


def replace_file(path: Path, text: str) -> None:
    """Put a file, for its owner alone, in the place of what is there."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)  # who was cut off left half of one
    write_new_file(fresh, text, FOR_ITS_OWNER)
    fresh.replace(path)
    sync_folder(path.parent)


def write_new_file(path: Path, text: str, mode: int) -> None:
    """Write a file that is not there yet; a link in its place is not followed."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have what was made, renamed or removed in a folder stay so."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
