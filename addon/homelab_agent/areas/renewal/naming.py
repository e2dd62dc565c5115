"""The names of a certificate, and what it is called by them."""

from collections.abc import Collection, Sequence

from homelab_agent.areas.renewal.shown import covers
from homelab_agent.platform.dns_names import uniform_name

_WILDCARD = "*."
_LONGEST_KEY = 120


def uniform_names(given: Sequence[str], *, field: str) -> tuple[str, ...]:
    """Return names as they are ordered; what a wildcard among them covers is left out.

    Authorities refuse orders in which a name is covered twice.
    """
    names = tuple(
        dict.fromkeys(
            uniform_name(name, field=f"{field}.{at}", wildcard=True, underscore=False)
            for at, name in enumerate(given)
        )
    )
    wildcards = tuple(name for name in names if name.startswith(_WILDCARD))
    return tuple(name for name in names if name in wildcards or not covers(wildcards, name))


def key_for(name: str, taken: Collection[str]) -> str:
    """Return what a certificate is called by its first name, with a number where that is taken."""
    wildcard = name.startswith(_WILDCARD)
    base = ("_wildcard." if wildcard else "") + name.removeprefix(_WILDCARD)
    base = base[:_LONGEST_KEY].rstrip(".-")
    key, number = base, 2
    while key in taken:
        key, number = f"{base}-{number}", number + 1
    return key
