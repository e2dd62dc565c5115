"""Which agents this client understands."""

from .errors import AgentTooNew, AgentTooOld
from .models import Hello

CONTRACT_VERSION = 1
"""The contract this client was written for."""

CONTRACT_OLDEST = 1
"""The oldest contract of an agent that this client still understands."""


def check_contract(hello: Hello) -> None:
    """Raise `AgentTooOld` or `AgentTooNew` where the two sides cannot understand each other."""
    if hello.contract < CONTRACT_OLDEST:
        raise AgentTooOld(
            f"The agent {hello.version} is too old: it speaks contract {hello.contract}, "
            f"at least {CONTRACT_OLDEST} is needed",
            hint="Update the agent.",
            extra={"version": hello.version},
        )
    if hello.oldest > CONTRACT_VERSION:
        raise AgentTooNew(
            f"The agent {hello.version} is too new: it needs contract {hello.oldest}, "
            f"this integration speaks {CONTRACT_VERSION}",
            hint="Update the Homelab integration.",
            extra={"version": hello.version},
        )
