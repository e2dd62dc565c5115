"""What a registry asks for in `WWW-Authenticate`."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from homelab_agent.platform.errors import Unavailable

_PARAMETER = re.compile(r'(\w+)="([^"]*)"|(\w+)=([^\s,"]+)')
_LONGEST_HEADER = 4096


@dataclass(frozen=True, slots=True)
class BasicChallenge:
    """The registry wants user and password with every request."""


@dataclass(frozen=True, slots=True)
class BearerChallenge:
    """The registry wants a token that `realm` gives for `service` and `scope`."""

    realm: str
    service: str | None
    scope: str | None


def read_challenge(
    name: str, headers: list[str], *, insecure: bool
) -> BasicChallenge | BearerChallenge:
    """Read what the registry `name` asks for.

    Raises:
        Unavailable: it asks for something unknown, or for a login without encryption.
    """
    basic = False
    for header in headers:
        scheme, _, rest = header[:_LONGEST_HEADER].strip().partition(" ")
        if scheme.lower() == "bearer":
            return _bearer(name, rest, insecure=insecure)
        basic = basic or scheme.lower() == "basic"
    if basic:
        return BasicChallenge()
    raise Unavailable(f"{name} asks for a kind of login that the agent does not know.")


def _bearer(name: str, rest: str, *, insecure: bool) -> BearerChallenge:
    values = {
        (found[1] or found[3]).lower(): found[2] if found[1] else found[4]
        for found in _PARAMETER.finditer(rest)
    }
    realm = values.get("realm", "")
    try:
        parts = urlsplit(realm)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise Unavailable(f"{name} does not say where to get a token.")
    if parts.scheme == "http" and not insecure:
        raise Unavailable(
            f"{name} wants the login to go to {parts.hostname} without encryption.",
            hint="Set insecure for this registry (registries) where that is meant.",
        )
    return BearerChallenge(realm, values.get("service"), values.get("scope"))
