"""Asks authorities when they want their certificates renewed (ARI, RFC 9773)."""

import asyncio

from homelab_agent.areas.renewal.accounts import Accounts
from homelab_agent.areas.renewal.authority import Authority, AuthorityAway, RenewalInfo
from homelab_agent.areas.renewal.book import CertificateBook
from homelab_agent.areas.renewal.files import CERTIFICATE, CertificateFolders
from homelab_agent.areas.renewal.kept import KeptCertificate
from homelab_agent.areas.renewal.models import ManagedOrigin
from homelab_agent.areas.renewal.timing import dice, in_window
from homelab_agent.platform.clock import Clock, Steady
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger

TICK_S = 15.0
FIRST_WITHIN_S = 10.0
AFTER_TROUBLE_S = 3600.0

_log = get_logger(__name__)


class RenewalWindows:
    """Has a loop of its own, so that an authority that hangs keeps nothing from being renewed."""

    def __init__(
        self,
        book: CertificateBook,
        accounts: Accounts,
        folders: CertificateFolders,
        authority: Authority,
        clock: Clock,
        steady: Steady,
    ) -> None:
        self._book = book
        self._accounts = accounts
        self._folders = folders
        self._authority = authority
        self._clock = clock
        self._steady = steady
        self._ask_at_s: dict[str, float] = {}

    async def run(self) -> None:
        """Ask whenever the authorities want to be asked again, until cancelled."""
        await self._book.ready()
        await self._accounts.ready()
        await asyncio.sleep(FIRST_WITHIN_S * dice())
        while True:
            silent: set[str] = set()
            for record in self._book.all():
                if record.directory in silent or not self._is_asked_for(record):
                    continue
                if not await self._ask(record):
                    silent.add(record.directory or "")
            await asyncio.sleep(TICK_S)

    def _is_asked_for(self, record: KeptCertificate) -> bool:
        issued = record.issued
        if issued is None or record.origin is ManagedOrigin.UPLOADED or record.revoked_at:
            return False
        # After its end nobody may ask any more (RFC 9773, 4.3).
        if record.directory is None or self._clock() >= issued.expires_at:
            return False
        return self._steady() >= self._ask_at_s.get(issued.fingerprint_sha256, 0.0)

    async def _ask(self, record: KeptCertificate) -> bool:
        """Ask about one; return whether the authority answers."""
        issued, directory = record.issued, record.directory
        if issued is None or directory is None:
            return True
        certificate_pem = await self._folders.read(record.key, CERTIFICATE)
        self._ask_at_s[issued.fingerprint_sha256] = self._steady() + AFTER_TROUBLE_S
        if certificate_pem is None:
            return True
        try:
            info = await self._authority.renewal_info(
                directory, self._accounts.authority_pem(directory), certificate_pem
            )
        except AgentError as error:
            _log.info("no_renewal_information", certificate=record.key, why=error.message)
            return not isinstance(error, AuthorityAway)
        if info is None or info.start >= issued.expires_at:
            return True
        self._ask_at_s[issued.fingerprint_sha256] = self._steady() + info.ask_again_s
        await self._keep(record, info)
        return True

    async def _keep(self, record: KeptCertificate, info: RenewalInfo) -> None:
        window, renew_at = in_window(record, info)
        if info.explanation and window != record.window:
            _log.info("renewal_explained", certificate=record.key, at=info.explanation)

        def with_window(now: KeptCertificate) -> KeptCertificate:
            if now.issued != record.issued:
                return now
            return now.model_copy(update={"window": window, "renew_at": renew_at})

        try:
            await self._book.change(record.key, with_window)
        except AgentError as error:
            _log.warning("window_not_kept", certificate=record.key, why=error.message)
