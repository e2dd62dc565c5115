"""What can be asked about certificates: those that are watched, and any other."""

from datetime import UTC, datetime

from homelab_agent.areas.certificates.board import CertificateBoard
from homelab_agent.areas.certificates.files import Files
from homelab_agent.areas.certificates.models import (
    Certificate,
    CertificateList,
    CertificateReport,
    CertificateSource,
    EndpointBody,
    WatchBody,
)
from homelab_agent.areas.certificates.places import endpoint_place, file_place
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.watch import CertificateWatch
from homelab_agent.areas.certificates.watched import Origin, Place
from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.errors import Conflict, Denied, Invalid, NotFound
from homelab_agent.platform.jobs.models import CommandResult

_HINTS = {
    Origin.MONITOR: "Remove its monitor.",
    Origin.FILES: "Take its folder out of the settings certificate_paths and caddy_storage.",
    Origin.MANAGED: "Delete it from the certificates that the agent keeps.",
}
_NEVER = datetime.max.replace(tzinfo=UTC)


class WatchingService:
    """Watched certificates."""

    def __init__(
        self,
        certificates: CertificateService,
        files: Files,
        board: CertificateBoard,
        watch: CertificateWatch,
    ) -> None:
        self._certificates = certificates
        self._files = files
        self._board = board
        self._watch = watch

    async def watched(self) -> CertificateList:
        """Return all that are watched, the one that ends first first."""
        await self._watch.until_ready()
        found = (self._board.shown(watched.place.key) for watched in self._board.all())
        return CertificateList(certificates=tuple(sorted(filter(None, found), key=_end)))

    async def watch(self, body: WatchBody, caller: Caller) -> CertificateList:
        """Watch what `body` names from now on, and return it as it is now.

        Raises:
            Invalid: neither or both of host and path, or no certificate there to be watched.
            Denied: the agent must not look there.
            Conflict: too many are watched already.
        """
        _require_admin_for_guarded(caller, allow_guarded=body.allow_guarded)
        if (body.host is None) == (body.path is None):
            raise Invalid("Either host or path is needed, and not both.", field="host")
        await self._watch.until_ready()
        places = [endpoint_place(body, Origin.PERSON)] if body.host else await self._in_files(body)
        for place in places:
            endpoint = place.endpoint(1)
            if endpoint is not None:
                await self._certificates.require_allowed(endpoint)
            await self._board.put(place)
            await self._watch.look_now(place.key)
        found = (self._board.shown(place.key) for place in places)
        return CertificateList(certificates=tuple(filter(None, found)))

    async def forget(self, key: str) -> CommandResult:
        """Watch it no longer.

        Raises:
            NotFound: nothing of this key is watched.
            Conflict: it was found and would be found again.
        """
        place = await self._place(key)
        if place.origin is not Origin.PERSON:
            raise Conflict(
                f"{place.name} is watched because it was found, and would be found again.",
                hint=_HINTS[place.origin],
            )
        await self._board.remove(key)
        return CommandResult(outcome=Outcome.DONE, message=f"{place.name} is not watched any more.")

    async def check(self, key: str) -> Certificate:
        """Look at one now and return it; `NotFound` where nothing of this key is watched."""
        place = await self._place(key)
        await self._watch.look_now(key)
        shown = self._board.shown(key)
        if shown is None:
            raise NotFound(f"{place.name} is not watched any more.", field="key")
        return shown

    async def read(self, endpoint: EndpointBody, caller: Caller) -> CertificateReport:
        """Read one once; `Denied` where the agent must not look there."""
        _require_admin_for_guarded(caller, allow_guarded=endpoint.allow_guarded)
        return await self._certificates.look(endpoint)

    async def _place(self, key: str) -> Place:
        await self._watch.until_ready()
        watched = self._board.get(key)
        if watched is None:
            raise NotFound(f"No certificate {key} is watched.", field="key")
        return watched.place

    async def _in_files(self, body: WatchBody) -> list[Place]:
        paths = await self._files.below(body.path or "")
        if not paths:
            raise Invalid(f"No certificate was found in {body.path}.", field="path")
        name = body.name if len(paths) == 1 else None
        return [file_place(path, CertificateSource.FILE, Origin.PERSON, name) for path in paths]


def _require_admin_for_guarded(caller: Caller, *, allow_guarded: bool) -> None:
    if allow_guarded and not caller.scope.includes(Scope.ADMIN):
        raise Denied(
            "Only an admin may have guarded addresses looked at.",
            field="allow_guarded",
            hint="Use a token with the scope admin.",
        )


def _end(certificate: Certificate) -> datetime:
    return certificate.details.expires_at if certificate.details else _NEVER
