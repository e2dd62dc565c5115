"""Keeps what was sent as a secret out of what is told, where a server sends it back."""

from collections.abc import Iterable
from dataclasses import replace

from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.platform.secrets import MASK

_SHORTEST = 4


def without_secrets(outcome: CheckOutcome, secrets: Iterable[str]) -> CheckOutcome:
    """Return an outcome whose texts hold none of these, nor the parts between blanks of them."""
    found = {word for secret in secrets for word in (secret, *secret.split())}
    hidden = sorted((word for word in found if len(word) >= _SHORTEST), key=len, reverse=True)

    def masked(text: str | None) -> str | None:
        for word in hidden:
            text = text and text.replace(word, MASK)
        return text

    return replace(
        outcome,
        reason=masked(outcome.reason),
        warning=masked(outcome.warning),
        details=tuple(
            detail.model_copy(update={"value": masked(detail.value)})
            if isinstance(detail.value, str)
            else detail
            for detail in outcome.details
        ),
    )
