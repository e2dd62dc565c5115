"""What must never be read in a log, an answer or a diagnostic file."""

import re

MASK = "***"
SHORTEST_SECRET = 6

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
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        """Mask `value` from now on.

        One too short to be a secret is refused: masking it would make every log unreadable.
        """
        if len(value) < SHORTEST_SECRET:
            raise ValueError(f"a secret has at least {SHORTEST_SECRET} characters")
        if value in self._values:
            return
        self._values.add(value)
        # The longest first: a secret may begin with another one.
        longest_first = sorted(self._values, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def mask(self, text: str) -> str:
        """Return `text` without any secret."""
        if self._pattern:
            text = self._pattern.sub(MASK, text)
        for shape in _KNOWN_SHAPES:
            text = shape.sub(MASK, text)
        return text
