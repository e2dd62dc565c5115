"""What a failure of a provider asks for."""

from enum import StrEnum

from homelab_agent.areas.dns.service import (
    ApplyUncertain,
    NotOffered,
    ProviderBusy,
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.platform.errors import (
    AgentError,
    Denied,
    Invalid,
    NotFound,
    RateLimited,
    TimedOut,
)
from homelab_agent.platform.vault import SecretUnreadable


class Remedy(StrEnum):
    """What helps. ASK: it may have been done, so look before it is written again."""

    RETRY = "retry"
    WAIT = "wait"
    ASK = "ask"
    PERSON = "person"


_BY_ERROR: tuple[tuple[type[AgentError], Remedy], ...] = (
    (WrongCredentials, Remedy.PERSON),
    (SecretUnreadable, Remedy.PERSON),
    (ProviderRefused, Remedy.PERSON),
    (NotOffered, Remedy.PERSON),
    (Invalid, Remedy.PERSON),
    (Denied, Remedy.PERSON),
    (NotFound, Remedy.PERSON),
    (ProviderBusy, Remedy.WAIT),
    (RateLimited, Remedy.WAIT),
    (ApplyUncertain, Remedy.ASK),
    (TimedOut, Remedy.ASK),
)


def remedy_of(error: AgentError) -> Remedy:
    """Return what helps against an error; what is not known here is tried again."""
    return next((remedy for kind, remedy in _BY_ERROR if isinstance(error, kind)), Remedy.RETRY)
