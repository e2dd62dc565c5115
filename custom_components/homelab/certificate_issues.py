"""Watches the certificates of one agent for those that end soon, have ended or are refused."""

from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from . import issues
from .client import Certificate, ExpiryStage, Verdict
from .client.kinds import CERTIFICATE
from .coordinator import HomelabCoordinator
from .issue_board import IssueBoard
from .mirror import Before

_SOON: Final = frozenset({ExpiryStage.DAYS_7, ExpiryStage.DAYS_3, ExpiryStage.DAYS_1})
_REFUSED: Final = frozenset(
    {
        Verdict.NOT_YET_VALID,
        Verdict.WRONG_NAME,
        Verdict.WEAK_KEY,
        Verdict.WEAK_SIGNATURE,
        Verdict.INCOMPLETE_CHAIN,
        Verdict.UNTRUSTED,
    }
)
"""Mistakes. One's own authority, or none at all, is what many a homelab wants."""


class CertificateIssues:
    """Raises and withdraws the issues about single certificates: one at most for each."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, coordinator: HomelabCoordinator
    ) -> None:
        self._coordinator = coordinator
        self._board = IssueBoard(hass, entry, issues.OF_CERTIFICATES)

    @callback
    def begin(self) -> CALLBACK_TYPE:
        """Begin to watch; return what ends that. The issues stay until they are withdrawn."""
        for certificate in self._coordinator.mirror.every(CERTIFICATE):
            self._look(certificate.key)
        self._board.show()
        return self._coordinator.async_on_changes(self._on_changes)

    @callback
    def _on_changes(self, before: Before, *, just_now: bool) -> None:  # noqa: ARG002 - what is so is so
        for kind, key in before:
            if kind == CERTIFICATE.name:
                self._look(key)
        self._board.show()

    def _look(self, key: str) -> None:
        certificate = self._coordinator.mirror.get(CERTIFICATE, key)
        was_refused = self._board.has(issues.CERTIFICATE_PROBLEM, key)
        if was_refused and certificate and certificate.verdict is Verdict.UNREACHABLE:
            return  # whether it is still refused is not known
        present = _issue_of(certificate) if certificate else None
        for issue in issues.OF_CERTIFICATES:
            if certificate is None or issue != present:
                self._board.drop(issue, key)
            else:
                self._board.note(issue, key, certificate.name, _says(certificate))


def _issue_of(certificate: Certificate) -> str | None:
    refused = issues.CERTIFICATE_PROBLEM if certificate.verdict in _REFUSED else None
    if certificate.kept_valid:
        return refused  # that the agent cannot renew it is an issue of its own
    if ExpiryStage.EXPIRED is certificate.stage or certificate.verdict is Verdict.EXPIRED:
        return issues.CERTIFICATE_EXPIRED
    if refused is not None:
        return refused
    return issues.CERTIFICATE_EXPIRING if certificate.stage in _SOON else None


def _says(certificate: Certificate) -> dict[str, str]:
    details, days = certificate.details, certificate.days_left
    return {
        "certificate": certificate.name,
        "days": "?" if days is None else str(days),
        "ends": dt_util.as_local(details.expires_at).strftime("%Y-%m-%d %H:%M") if details else "?",
        "reason": certificate.reason or "",
    }
