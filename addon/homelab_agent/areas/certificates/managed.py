"""The certificates that the agent itself keeps: obtained, or given to it."""

import asyncio
from collections.abc import Iterable

from homelab_agent.areas.certificates.board import CertificateBoard
from homelab_agent.areas.certificates.places import managed_place
from homelab_agent.areas.certificates.watch import CertificateWatch
from homelab_agent.areas.certificates.watched import Origin, Place
from homelab_agent.areas.renewal.models import (
    MANAGED_CERTIFICATE_EVENT_KIND,
    MANAGED_CERTIFICATE_KIND,
    ManagedCertificate,
    ManagedCertificateEvent,
    ManagedState,
)
from homelab_agent.platform.resources import Change, Overflow, Resources

SETTLE_S = 20.0
"""So much later than all else they are found after a start: most are seen elsewhere, too."""

HANDED_OVER_S = 30.0
"""So long after a renewal whoever serves the certificate has it."""

_KINDS = (MANAGED_CERTIFICATE_KIND, MANAGED_CERTIFICATE_EVENT_KIND)


class ManagedCertificates:
    """Follows the certificates that the agent keeps, and has them watched."""

    def __init__(
        self,
        board: CertificateBoard,
        watch: CertificateWatch,
        resources: Resources,
        *,
        settle_s: float = SETTLE_S,
    ) -> None:
        self._board = board
        self._watch = watch
        self._resources = resources
        self._settle_s = settle_s
        self._places: dict[str, Place] = {}

    async def run(self) -> None:
        """Follow until cancelled."""
        await asyncio.sleep(self._settle_s)
        while True:
            with self._resources.subscribe(kinds=_KINDS) as subscription:
                start = subscription.start
                self._places.clear()
                self._note(start if isinstance(start, tuple) else start.resources)
                await self._watch.found(Origin.MANAGED, self._places.values())
                try:
                    async for batch in subscription.batches():
                        if self._note(batch):
                            await self._watch.found(Origin.MANAGED, self._places.values())
                        self._look_at_what_happened(batch)
                except Overflow:
                    continue

    def _note(self, changes: Iterable[Change]) -> bool:
        """Note what the agent keeps now; return whether that is new."""
        before = dict(self._places)
        for change in changes:
            if change.kind != MANAGED_CERTIFICATE_KIND:
                continue
            kept = change.data
            if isinstance(kept, ManagedCertificate) and _is_good_for_use(kept):
                self._places[change.key] = managed_place(kept)
            else:
                self._places.pop(change.key, None)
        return self._places != before

    def _look_at_what_happened(self, changes: Iterable[Change]) -> None:
        """Have one that was renewed looked at, also where its predecessor is shown."""
        for change in changes:
            place = self._places.get(change.key)
            if not isinstance(change.data, ManagedCertificateEvent) or place is None:
                continue
            self._watch.request(place.key)
            kept = self._board.get(place.key)
            for each in self._board.all():
                if kept and each.details and kept.knows(each.details.fingerprint_sha256):
                    self._watch.request(each.place.key, in_s=HANDED_OVER_S)


def _is_good_for_use(kept: ManagedCertificate) -> bool:
    return kept.fingerprint_sha256 is not None and kept.state is not ManagedState.REVOKED
