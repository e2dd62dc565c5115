"""What strangers write, made fit to be shown: on one line, and short."""

MOST_SHOWN = 256
"""No name of a host is longer, and no honest name of anybody."""


def shown(text: str, most: int = MOST_SHOWN) -> str:
    """Return the beginning of a text, without what would move a cursor or hide something."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text[: most + 1])
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"
