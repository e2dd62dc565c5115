"""Keys of monitors and windows, made of the names that people give."""

import re
from collections.abc import Container
from unicodedata import normalize
from zlib import crc32

LABEL_PREFIX = "label."
"""How the keys of monitors begin that a label made."""

TAKEN = frozenset({"report", "proposals"})
"""What the API means something else by."""

_LONGEST = 100
_UNFIT = re.compile(r"[^a-z0-9_-]+")


def free_key(name: str, taken: Container[str]) -> str:
    """Return a key like the name that nobody else has."""
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = _UNFIT.sub("-", plain).strip("-_")[:_LONGEST] or "monitor"
    key, number = base, 1
    while key in taken or key in TAKEN:
        number += 1
        key = f"{base}-{number}"
    return key


def label_key(container: str, suffix: str) -> str:
    """Return the key of a container's monitor: always the same, whoever makes the container."""
    plain = container.lower().replace(":", ".")
    fit = re.sub(r"[^a-z0-9._-]+", "-", plain)[:_LONGEST]
    if fit != container.replace(":", "."):
        # Something was lost, so that two containers could look alike.
        fit = f"{fit[: _LONGEST - 9]}-{crc32(container.encode()):08x}"
    return f"{LABEL_PREFIX}{fit}.{suffix}"
