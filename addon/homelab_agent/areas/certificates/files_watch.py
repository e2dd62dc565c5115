"""Follows files: they are cheap to look at, and are renewed without anybody saying so."""

import asyncio

from homelab_agent.areas.certificates.board import CertificateBoard
from homelab_agent.areas.certificates.confined import Stamp
from homelab_agent.areas.certificates.files import Files
from homelab_agent.areas.certificates.watch import CertificateWatch
from homelab_agent.areas.certificates.watched import Origin
from homelab_agent.platform.surviving import surviving

SCAN_S = 60.0


class FilesWatch:
    """Has new files watched, and those that changed looked at."""

    def __init__(
        self,
        files: Files,
        board: CertificateBoard,
        watch: CertificateWatch,
        *,
        every_s: float = SCAN_S,
    ) -> None:
        self._files = files
        self._board = board
        self._watch = watch
        self._every_s = every_s
        self._stamps: dict[str, Stamp | None] = {}

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            with surviving("certificate_scan"):
                await self.scan()
            await asyncio.sleep(self._every_s)

    async def scan(self) -> None:
        """Compare with what was there at the last scan."""
        await self._watch.found(Origin.FILES, await self._files.found())
        paths = {
            watched.place.key: watched.place.path
            for watched in self._board.all()
            if watched.place.path
        }
        for key in self._stamps.keys() - paths.keys():
            del self._stamps[key]
        for key, path in paths.items():
            stamp = await self._files.stamp(path)
            if self._stamps.get(key, stamp) != stamp:
                self._watch.request(key)
            self._stamps[key] = stamp
