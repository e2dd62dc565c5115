"""Watches the domains of one agent, and what serves them, for what a person has to mend.

An outage is none of it: that is told by events and triggers, and ends by itself or not. An issue is
what stays wrong until somebody does something: a refused key, a renewal that fails again.
"""

from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from . import issues
from .client import (
    AcmeAccount,
    DnsProvider,
    ManagedCertificate,
    ManagedOrigin,
    ManagedState,
    ProviderState,
    ProxyRoute,
    RouteState,
)
from .client.kinds import (
    ACME_ACCOUNT,
    DNS_PROVIDER,
    MANAGED_CERTIFICATE,
    PROXY,
    PROXY_ROUTE,
)
from .client.models import ACME_ACCOUNT_KEY, PROXY_KEY
from .coordinator import HomelabCoordinator
from .issue_board import IssueBoard
from .mirror import Before
from .subjects import is_there, name_of

_TRIES: Final = 2
"""A renewal that succeeds at the next try is nobody's work, while the certificate is valid."""

_OF_PROVIDERS: Final = {
    ProviderState.REFUSED: issues.PROVIDER_REFUSED,
    ProviderState.SECRET_UNREADABLE: issues.SECRET_UNREADABLE,
}
_SAYS_NOTHING: Final = frozenset(
    {ProviderState.UNKNOWN, ProviderState.UNREACHABLE, ProviderState.RATE_LIMITED}
)
_AT_WORK: Final = frozenset({ManagedState.ISSUING, ManagedState.RENEWING})
_LOST: Final = frozenset({RouteState.DRIFTED, RouteState.MISSING})
_OF_THE_WHOLE: Final = frozenset({PROXY.name, ACME_ACCOUNT.name, MANAGED_CERTIFICATE.name})
_NAMED: Final = 3
_LINES: Final = 10


class DomainIssues:
    """Raises and withdraws the issues about providers, certificates, routes and the proxy."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, coordinator: HomelabCoordinator
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._coordinator = coordinator
        self._board = IssueBoard(hass, entry, issues.OF_DOMAINS)

    @callback
    def begin(self) -> CALLBACK_TYPE:
        """Begin to watch; return what ends that. The issues stay until they are withdrawn."""
        for kind in (DNS_PROVIDER, MANAGED_CERTIFICATE, PROXY_ROUTE):
            for key in tuple(self._coordinator.mirror.keys(kind)):
                self._look(kind.name, key)
        self._look_at_the_whole()
        self._board.show()
        return self._coordinator.async_on_changes(self._on_changes)

    @callback
    def _on_changes(self, before: Before, *, just_now: bool) -> None:  # noqa: ARG002 - what is so is so
        for kind, key in before:
            self._look(kind, key)
        if any(kind in _OF_THE_WHOLE for kind, _ in before):
            self._look_at_the_whole()
        self._board.show()

    def _look(self, kind: str, key: str) -> None:
        mirror = self._coordinator.mirror
        if kind == DNS_PROVIDER.name:
            self._look_at_provider(key, mirror.get(DNS_PROVIDER, key))
        elif kind == MANAGED_CERTIFICATE.name:
            self._look_at_certificate(key, mirror.get(MANAGED_CERTIFICATE, key))
        elif kind == PROXY_ROUTE.name:
            self._look_at_route(key, mirror.get(PROXY_ROUTE, key))

    def _look_at_provider(self, key: str, provider: DnsProvider | None) -> None:
        if provider is not None and provider.state in _SAYS_NOTHING:
            return  # whether it would still refuse is not known
        present = _OF_PROVIDERS.get(provider.state) if provider else None
        for issue in _OF_PROVIDERS.values():
            if provider is None or issue != present:
                self._board.drop(issue, key)
            else:
                told = {"provider": provider.name, "reason": provider.reason or ""}
                self._board.note(issue, key, provider.name, told)

    def _look_at_certificate(self, key: str, certificate: ManagedCertificate | None) -> None:
        if certificate is not None and certificate.state in _AT_WORK:
            return  # how that ends will tell
        if certificate is None or not _needs_somebody(certificate):
            self._board.drop(issues.RENEWAL_FAILED, key)
        else:
            told = _says(certificate)
            self._board.note(issues.RENEWAL_FAILED, key, name_of(certificate), told)

    def _look_at_route(self, key: str, route: ProxyRoute | None) -> None:
        if route is not None and route.state is RouteState.UNKNOWN:
            return  # Caddy is away
        if route is None or route.state not in _LOST:
            self._board.drop(issues.ROUTE_LOST, key)
            return
        lines = route.difference[:_LINES] or (route.reason or "",)
        told = {"host": key, "difference": as_list(lines)}
        self._board.note(issues.ROUTE_LOST, key, key, told)

    def _look_at_the_whole(self) -> None:
        mirror = self._coordinator.mirror
        proxy = mirror.get(PROXY, PROXY_KEY)
        issues.review_proxy(self._hass, self._entry, proxy if is_there(proxy) else None)
        account = mirror.get(ACME_ACCOUNT, ACME_ACCOUNT_KEY)
        waits = account is not None and self._waits_for(account)
        issues.review_terms(self._hass, self._entry, account if waits else None)

    def _waits_for(self, account: AcmeAccount) -> bool:
        """Return whether a certificate can only be had once the terms are agreed to."""
        kept = self._coordinator.mirror.every(MANAGED_CERTIFICATE)
        return not account.terms_agreed and any(one.origin is ManagedOrigin.ACME for one in kept)


def _needs_somebody(certificate: ManagedCertificate) -> bool:
    failure = certificate.failure
    return failure is not None and (
        failure.attempts >= _TRIES or certificate.state is not ManagedState.FAILING
    )


def _says(certificate: ManagedCertificate) -> dict[str, str]:
    failure, days = certificate.failure, certificate.days_left
    names = ", ".join(certificate.names[:_NAMED])
    return {
        "certificate": f"{names}, …" if len(certificate.names) > _NAMED else names,
        "days": "?" if days is None else str(days),
        "step": failure.step.value.replace("_", " ") if failure else "",
        "reason": (failure.authority_says or failure.message) if failure else "",
        "what_to_do": failure.what_to_do if failure else "",
    }


def as_list(lines: tuple[str, ...]) -> str:
    """Return lines as a list that nothing in them can break."""
    return "\n".join(f"- {line.replace('`', "'")}" for line in lines)
