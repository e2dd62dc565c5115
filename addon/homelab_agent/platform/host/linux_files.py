"""Small files of the kernel, any of which may be missing."""

import os


def read_text(path: str) -> str | None:
    """Return what the file holds; None where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  # one of many
            return file.read()
    except OSError:
        return None


def read_word(path: str) -> str | None:
    """Return the file's only line without spaces around it; None where there is nothing."""
    text = read_text(path)
    return (text.strip() or None) if text is not None else None


def read_int(path: str) -> int | None:
    """Return the file's only number; None where there is none."""
    text = read_text(path)
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


def readable(name: str) -> str:
    """Return a name of the system as text: it may be of any bytes, and not all are UTF-8."""
    return os.fsencode(name).decode(errors="replace")
