"""What others say, made fit to be shown: short, on one line, without secrets that come back."""

import json
from collections.abc import Iterable

from homelab_agent.platform.secrets import MASK

_SHORTEST_SECRET = 4
_MOST_CHARS = 100


class Texts:
    """Shows what a server said. `secrets` is what was sent to it and may come back."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # "Bearer abc" is also hidden where only "abc" comes back, and as JSON would write it.
        words = {word for secret in secrets for word in (secret, *secret.split())}
        forms = {form for word in words for form in (word, json.dumps(word)[1:-1])}
        long_enough = (form for form in forms if len(form) >= _SHORTEST_SECRET)
        self._hidden = sorted(long_enough, key=len, reverse=True)

    def shown(self, text: str) -> str:
        """Return the beginning of what somebody said; hidden first, so that no cut shows a part."""
        for word in self._hidden:
            text = text.replace(word, MASK)
        text = "".join(char if char.isprintable() else " " for char in text).strip()
        return text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]}…"
