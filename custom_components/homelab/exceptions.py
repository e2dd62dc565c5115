"""Says in the user's language what an agent's error means."""

from typing import Final

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .client import AgentError, Conflict, Denied, Invalid, NotFound
from .const import DOMAIN

GENERAL: Final = "agent_error"
"""The translation key for a code that has no text of its own, as a newer agent may send."""

TRANSLATED: Final = frozenset(
    {
        "agent_too_new",
        "agent_too_old",
        "busy",
        "cannot_connect",
        "certificate_untrusted",
        "conflict",
        "denied",
        "failed",
        "fingerprint_mismatch",
        "internal",
        "invalid",
        "no_answer",
        "not_an_agent",
        "not_found",
        "other_agent",
        "protected",
        "rate_limited",
        "timed_out",
        "tls_failed",
        "unauthenticated",
        "unavailable",
        "undone",
    }
)
"""The codes that have a text under `exceptions` in the translations."""

_MISTAKES = (Conflict, Denied, Invalid, NotFound)


def translation_of(error: AgentError) -> tuple[str, dict[str, str]]:
    """Return the translation key of an error and its placeholders."""
    said = error.message if error.message.endswith((".", "!", "?")) else f"{error.message}."
    reason = f"{said} {error.hint}" if error.hint else error.message
    return error.code if error.code in TRANSLATED else GENERAL, {"reason": reason}


def as_home_assistant_error(error: AgentError) -> HomeAssistantError:
    """Return what to raise in an action: mistakes of the caller are told without a trace."""
    key, placeholders = translation_of(error)
    kind = ServiceValidationError if isinstance(error, _MISTAKES) else HomeAssistantError
    return kind(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )
