"""Asks now and then which address the internet sees."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Protocol

from homelab_agent.areas.network.address_memory import AddressMemory
from homelab_agent.areas.network.address_sources import Answer, IpVersion
from homelab_agent.areas.network.address_vote import agree, clock_offset_s
from homelab_agent.areas.network.models import PublicAddress
from homelab_agent.areas.network.status_board import NOT_ASKED_YET, StatusBoard
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger

FIRST_AFTER_S = 3.0
FIRST_RETRY_S = 30.0
_JITTER = 0.1
_MOST_DOUBLINGS = 16

_log = get_logger(__name__)


class Sources(Protocol):
    """Who can be asked."""

    async def ask(self, version: IpVersion) -> tuple[Answer, ...]:
        """Return what each source said."""


class AddressWatch:
    """Publishes the public addresses. `interval_s` 0: nobody is ever asked."""

    def __init__(
        self,
        sources: Sources,
        board: StatusBoard,
        memory: AddressMemory,
        clock: Clock,
        *,
        interval_s: float,
        first_after_s: float = FIRST_AFTER_S,
    ) -> None:
        self._sources = sources
        self._board = board
        self._memory = memory
        self._clock = clock
        self._interval_s = interval_s
        self._first_after_s = first_after_s
        self._dice = Random()  # noqa: S311 - nothing secret is drawn
        self._last: dict[IpVersion, PublicAddress] = {}
        self._shown = dict.fromkeys(IpVersion, NOT_ASKED_YET)

    async def run(self) -> None:
        """Watch until cancelled."""
        if not self._interval_s:
            never = PublicAddress(reason="It is never asked for (public_address_interval_s is 0).")
            self._board.put_public(never, never, None)
            return
        await self._load()
        await asyncio.sleep(self._first_after_s * self._dice.uniform(1, 2))
        failures = 0
        while True:
            failures = 0 if await self.check() else min(failures + 1, _MOST_DOUBLINGS)
            await asyncio.sleep(self._pause_s(failures))

    async def check(self) -> bool:
        """Ask over both IP versions, publish; return whether nothing was found to be missing.

        A network without IPv6, or without IPv4, is as it should be.
        """
        before = dict(self._shown)
        asked = await asyncio.gather(*(self._sources.ask(version) for version in IpVersion))
        for version, answers in zip(IpVersion, asked, strict=True):
            self._shown[version] = await self._judge(version, answers)
        offset_s = clock_offset_s([answer for answers in asked for answer in answers])
        self._board.put_public(self._shown[IpVersion.IPV4], self._shown[IpVersion.IPV6], offset_s)
        lost = [v for v in IpVersion if before[v].address and not self._shown[v].address]
        return not lost and any(each.address for each in self._shown.values())

    async def _judge(self, version: IpVersion, answers: Sequence[Answer]) -> PublicAddress:
        verdict = agree(answers, version)
        now = self._clock()
        if verdict.address is None:
            _log.debug("public_address_unknown", version=int(version), why=verdict.reason)
            return PublicAddress(reason=verdict.reason, checked_at=now)
        last, address = self._last.get(version), str(verdict.address)
        is_new = last is None or last.address != address
        found = PublicAddress(
            address=address,
            agreed_by=verdict.agreed_by,
            since=now if last is None or is_new else last.since,
            checked_at=now,
        )
        self._last[version] = found
        if is_new:
            await self._keep(version, found)
        return found

    async def _load(self) -> None:
        for version in IpVersion:
            try:
                known = await self._memory.load(version)
            except AgentError as error:
                _log.warning("public_address_not_read", why=error.message)
                continue
            if known is not None:
                self._last[version] = known

    async def _keep(self, version: IpVersion, address: PublicAddress) -> None:
        try:
            await self._memory.save(version, address)
        except AgentError as error:
            _log.warning("public_address_not_kept", why=error.message)

    def _pause_s(self, failures: int) -> float:
        pause_s = self._interval_s
        if failures:
            pause_s = min(pause_s, FIRST_RETRY_S * 2 ** (failures - 1))
        return pause_s * self._dice.uniform(1 - _JITTER, 1 + _JITTER)
