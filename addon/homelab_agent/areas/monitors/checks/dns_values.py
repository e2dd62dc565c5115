"""What records say, written one way, so that it can be compared with what a person wrote."""

from contextlib import suppress
from ipaddress import ip_address

from homelab_agent.platform.outbound.names import ascii_name

_ADDRESSES = {"A", "AAAA"}
_TEXTS = {"TXT"}


def written_one_way(record: str, value: str) -> str:
    """Return a value without what makes no difference: case, final dots, quotes, blanks."""
    if record in _TEXTS:
        return _joined(value)
    if record in _ADDRESSES:
        try:
            return str(ip_address(value.strip()))
        except ValueError:
            return value.strip()
    words = value.replace('"', "").split()
    return " ".join(_word(word) for word in words)


def _word(word: str) -> str:
    with suppress(OSError):  # no name, so it is compared as it is
        word = ascii_name(word)
    return word.lower().rstrip(".") or "."


def _joined(value: str) -> str:
    """Return the one text that the quoted pieces of a TXT record are."""
    stripped = value.strip()
    if not (stripped.startswith('"') and stripped.endswith('"') and len(stripped) > 1):
        return value
    return stripped[1:-1].replace('" "', "").replace('\\"', '"')
