"""Keeps certificates valid: renews what is due, and tidies up what a crash left in the DNS."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from homelab_agent.areas.renewal.issuance import Parts
from homelab_agent.areas.renewal.kept import KeptCertificate
from homelab_agent.areas.renewal.models import ManagedOrigin
from homelab_agent.areas.renewal.service import RenewalService
from homelab_agent.platform.commands import SYSTEM
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger

TICK_S = 30.0
MOST_AT_ONCE = 4
_CLEAR_WITHIN_S, _TIDY_EVERY_S = 60.0, 300.0
_YOUNGEST = timedelta(hours=1)
_YOUNGEST_PART = 10
"""Younger than an hour, or a tenth of its life, nothing is renewed unless a person says so."""

_log = get_logger(__name__)


class RenewalWatch:
    """Looks every half minute; what it starts are jobs like those of people."""

    def __init__(
        self,
        parts: Parts,
        service: RenewalService,
        *,
        begin: Callable[[], Awaitable[None]] | None = None,
        tick_s: float = TICK_S,
    ) -> None:
        self._begin = begin
        self._book = parts.book
        self._parts = parts
        self._clock = parts.clock
        self._service = service
        self._tick_s = tick_s
        self._tidy_at_s: dict[str, float] = {}

    async def run(self) -> None:
        """Keep the certificates valid until cancelled."""
        await self._book.ready()
        await self._parts.accounts.ready()
        if self._begin is not None:
            await self._begin()
        await self._remove_unfinished()
        while True:
            try:
                await self._look()
            except AgentError as error:
                # A store that is away for a while ends neither this nor the agent.
                _log.warning("certificates_not_looked_at", why=error.message)
            await asyncio.sleep(self._tick_s)

    async def _remove_unfinished(self) -> None:
        """Remove the keys that were uploaded just before a crash, and belong to nothing."""
        for folder in await self._parts.folders.unfinished():
            if self._book.find(folder) is None and not self._service.is_taken(folder):
                try:
                    await self._parts.folders.remove(folder)
                except AgentError as error:
                    _log.warning("unfinished_upload_stays", folder=folder, why=error.message)
                else:
                    _log.info("unfinished_upload_removed", folder=folder)

    async def _look(self) -> None:
        self._book.refresh()
        free = MOST_AT_ONCE - sum(map(self._is_taken, self._book.all()))
        for record in self._book.all():
            if self._is_taken(record):
                continue
            if record.txt:
                await self._tidy(record.key)
            else:
                self._tidy_at_s.pop(record.key, None)
            if free > 0 and await self._start_what_is_due(record):
                free -= 1

    async def _start_what_is_due(self, record: KeptCertificate) -> bool:
        if not self._parts.troubles.may_try(record):
            return False
        try:
            if self._is_due(record):
                await self._service.renew(record.key, SYSTEM, 0)
            elif not self._parts.handing.is_complete(record):
                await self._service.hand_over(record.key, SYSTEM, 0)
            else:
                return False
        except AgentError as error:
            _log.warning("renewal_not_begun", certificate=record.key, why=error.message)
            return False
        return True

    def _is_due(self, record: KeptCertificate) -> bool:
        if record.origin is ManagedOrigin.UPLOADED or record.revoked_at is not None:
            return False
        if record.issued is None:
            return not record.provisioned
        if record.renew_at is None:
            return False
        issued, now = record.issued, self._clock()
        life = issued.expires_at - issued.not_before
        youngest = min(_YOUNGEST, life / _YOUNGEST_PART)
        return now >= record.renew_at and now >= issued.not_before + youngest

    async def _tidy(self, key: str) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s < self._tidy_at_s.get(key, 0.0):
            return
        # A provider that is away is not asked again with every look.
        self._tidy_at_s[key] = now_s + _TIDY_EVERY_S
        try:
            async with asyncio.timeout(_CLEAR_WITHIN_S):
                await self._parts.challenges.clear(key)
        except TimeoutError:
            _log.warning("txt_left_behind", certificate=key, why="the DNS provider hangs")

    def _is_taken(self, record: KeptCertificate) -> bool:
        return self._service.is_taken(record.key)
