"""Pauses between two questions of the same kind: short at first, since most is done soon."""

from collections.abc import Iterator, Sequence
from itertools import chain, repeat


def growing(pauses_s: Sequence[float]) -> Iterator[float]:
    """Yield these pauses in seconds, and the last of them again and again."""
    return chain(pauses_s, repeat(pauses_s[-1]))
