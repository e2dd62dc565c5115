"""What must never be read in a log, an answer or a diagnostic file."""

import re
from collections.abc import Sequence
from itertools import groupby
from os.path import commonprefix

MASK = "***"
STARS = "*" * 10
"""How a setting that is a secret is shown; given like this in a change, it stays as it is."""

SHORTEST_SECRET = 6
MOST_SECRETS = 5000
"""Whoever changes a setting again and again does not make the agent slower for ever."""

_LEVELS = 6
"""Of beginnings that are alike. Whoever chooses secrets must not choose how deep a pattern is."""

_KNOWN_SHAPES = (
    # our own tokens
    re.compile(r"\bhl_[0-9a-f]{8}_[\w-]{43}"),
    # "Authorization: Bearer ..." in any spelling
    re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]{8,}"),
    # scheme://user:password@host
    re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"),
    re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
    ),
)


class SecretFilter:
    """Knows the secrets of this process and masks them, wherever they stand in a text."""

    def __init__(self) -> None:
        self._values: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        """Mask `value` from now on, at least until `MOST_SECRETS` others were added after it.

        One too short to be a secret is refused: masking it would make every log unreadable.
        """
        if len(value) < SHORTEST_SECRET:
            raise ValueError(f"a secret has at least {SHORTEST_SECRET} characters")
        if value not in self._values:
            # Compiled when it is needed: many come together when the agent starts.
            self._pattern = None
        # The last one is what was added last, also where it was known before.
        self._values.pop(value, None)
        self._values[value] = None
        if len(self._values) > MOST_SECRETS:
            del self._values[next(iter(self._values))]

    def mask(self, text: str) -> str:
        """Return `text` without any secret."""
        if self._values:
            if self._pattern is None:
                self._pattern = re.compile(_any_of(sorted(self._values)))
            text = self._pattern.sub(MASK, text)
        for shape in _KNOWN_SHAPES:
            text = shape.sub(MASK, text)
        return text


def _any_of(values: Sequence[str], levels: int = _LEVELS) -> str:
    """Return a pattern for sorted texts, the longest first where one begins with another.

    What begins alike is written once, so that it takes about as long with thousands of them.
    """
    if not levels:
        return "|".join(map(re.escape, sorted(values, key=len, reverse=True)))
    ways = []
    for _, group in groupby(values, key=lambda value: value[:1]):
        alike = tuple(group)
        start = commonprefix(alike)  # noqa: RUF071  # of texts that are no paths
        rest = [value.removeprefix(start) for value in alike]
        ways.append(re.escape(start) + _rest(rest, levels - 1))
    return "|".join(ways)


def _rest(values: Sequence[str], levels: int) -> str:
    longer = [value for value in values if value]
    if not longer:
        return ""
    # Greedy: what ends here is tried after what goes on.
    return f"(?:{_any_of(longer, levels)})" + ("?" if len(longer) < len(values) else "")
