"""Giving a certificate to whoever serves it: Caddy, a folder, a container."""

import asyncio
from collections.abc import Awaitable, Callable

from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.proxy.models import ProxyMode
from homelab_agent.areas.renewal.book import CertificateBook
from homelab_agent.areas.renewal.files import FULL_CHAIN, KEY, CertificateFolders
from homelab_agent.areas.renewal.kept import KeptCertificate
from homelab_agent.areas.renewal.models import AfterRenewal, HandOver
from homelab_agent.areas.renewal.needs import Proxy
from homelab_agent.platform.commands import SYSTEM
from homelab_agent.platform.errors import (
    AgentError,
    Busy,
    Conflict,
    Failed,
    Invalid,
    Protected,
    Unavailable,
)

_TOLD_WITHIN_S = 120.0
_REACHED_WITHIN_S, _TRY_AGAIN_S = 45.0, 0.5

type _Give = Callable[[KeptCertificate], Awaitable[None]]


class HandingOver:
    """Hands certificates over, as often as is needed until everybody has it."""

    def __init__(
        self,
        book: CertificateBook,
        folders: CertificateFolders,
        proxy: Proxy,
        containers: ContainerService,
    ) -> None:
        self._book = book
        self._folders = folders
        self._proxy = proxy
        self._containers = containers

    async def require_possible(self, key: str, wanted: HandOver) -> None:
        """Raise what stands against it, before anything is ordered; errors name the field."""
        if (wanted.container is None) != (wanted.after is None):
            raise Invalid(
                "A container and what it is told (restart or signal_hup) go together.",
                field="hand_over.container" if wanted.container is None else "hand_over.after",
            )
        if wanted.caddy:
            await self._require_caddy()
        self._require_own_folder(key, wanted)
        await self._folders.require_free(wanted.folder or key)
        if wanted.container is not None:
            container = self._containers.get(wanted.container)
            if container.protected_reason is not None:
                raise Protected(container.protected_reason, field="hand_over.container")

    async def _require_caddy(self) -> None:
        # Just after a start it looks as if none was set up.
        await self._proxy.until_ready()
        if self._proxy.status().mode is ProxyMode.NONE:
            raise Invalid(
                "There is no Caddy set up that could be given a certificate.",
                field="hand_over.caddy",
                hint="Set the proxy up first, or have the certificate in a folder only.",
            )

    def is_complete(self, record: KeptCertificate) -> bool:
        """Return whether everybody has what is in the files."""
        issued = record.issued
        return issued is None or record.handed == issued.fingerprint_sha256

    async def give(self, key: str) -> None:
        """Give it to all; what fails keeps none of the others from getting it.

        Raises:
            Failed: somebody did not take it; the message says who and why.
        """
        record = self._book.get(key)
        if record.issued is None:
            return
        troubles = [
            trouble
            for trouble in (
                await _tried("Caddy", self._give_caddy, record),
                await _tried("The folder", self._give_folder, record),
                await _tried(f"The container {record.hand_over.container}", self._tell, record),
            )
            if trouble
        ]
        if troubles:
            raise Failed(" ".join(troubles))
        await self._note(key, handed=record.issued.fingerprint_sha256)

    async def take_back(self, record: KeptCertificate, kept: HandOver | None = None) -> None:
        """Take it from those that are not to have it any more (`kept` are)."""
        stays = kept or HandOver()
        if record.hand_over.caddy and not stays.caddy:
            await self._proxy.take_certificate(record.key)
        folder = record.hand_over.folder
        if folder is not None and folder not in {stays.folder, record.key}:
            await self._folders.remove(folder)

    async def _give_caddy(self, record: KeptCertificate) -> None:
        if record.hand_over.caddy:
            await self._proxy.give_certificate(
                record.key,
                self._folders.file(record.key, FULL_CHAIN),
                self._folders.file(record.key, KEY),
                record.names,
            )

    async def _give_folder(self, record: KeptCertificate) -> None:
        folder = record.hand_over.folder
        if folder is not None and folder != record.key:
            await self._folders.copy(record.key, folder)

    async def _tell(self, record: KeptCertificate) -> None:
        wanted, issued = record.hand_over, record.issued
        if wanted.container is None or issued is None:
            return
        if record.told == issued.fingerprint_sha256:
            return
        deadline = asyncio.get_running_loop().time() + _REACHED_WITHIN_S
        while True:
            try:
                await self._tell_container(wanted.container, wanted.after)
            except Busy, Unavailable:
                # After a start Docker is not reached at once, and what was begun before goes on.
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(_TRY_AGAIN_S)
            else:
                break
        await self._note(record.key, told=issued.fingerprint_sha256)

    async def _tell_container(self, name: str, after: AfterRenewal | None) -> None:
        container = self._containers.get(name)
        if container.protected_reason is not None:
            raise Protected(container.protected_reason)
        if after is AfterRenewal.RESTART:
            await self._containers.command("restart", container.key, SYSTEM, wait_s=_TOLD_WITHIN_S)
        else:
            await self._containers.command(
                "kill", container.key, SYSTEM, wait_s=_TOLD_WITHIN_S, signal="SIGHUP"
            )

    async def _note(self, key: str, **what: str) -> None:
        await self._book.change(key, lambda record: record.model_copy(update=what))

    def _require_own_folder(self, key: str, wanted: HandOver) -> None:
        for other in self._book.all():
            if other.key == key:
                continue
            if {wanted.folder or key, key} & {other.key, other.hand_over.folder}:
                raise Conflict(
                    f"The folder {wanted.folder or key} belongs to the certificate {other.key}.",
                    field="hand_over.folder" if wanted.folder else "key",
                    hint="Choose another name.",
                )


async def _tried(who: str, give: _Give, record: KeptCertificate) -> str | None:
    """Return why somebody did not take it; None where all is well."""
    try:
        await give(record)
    except AgentError as error:
        remedy = f" {error.hint}" if error.hint else ""
        return f"{who} did not take it: {error.message}{remedy}"
    return None
