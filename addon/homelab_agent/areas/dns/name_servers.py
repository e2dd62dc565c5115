"""Who can be asked what the name servers of a zone say: the real ones, or the demo's."""

from collections.abc import Sequence
from typing import Protocol

from homelab_agent.areas.dns.models import AuthoritativeAnswers, RecordType
from homelab_agent.platform.outbound.connections import Outbound


class NameServers(Protocol):
    """All authoritative servers of names."""

    async def answers(
        self, name: str, record_type: RecordType, *, zone: str | None, servers: tuple[str, ...]
    ) -> AuthoritativeAnswers:
        """Return what every one of them says. `zone` None: it is to be found.

        `servers`: whom to ask instead of those that the zone names. A server that does not answer
        is in the answer, with the reason.

        Raises:
            Unavailable: nobody could be found to be asked.
        """
        ...


class RealNameServers:
    """The real ones. What asks them is loaded on first use: it costs some megabytes."""

    def __init__(self, outbound: Outbound, resolvers: Sequence[str]) -> None:
        self._outbound = outbound
        self._resolvers = resolvers
        self._opened: NameServers | None = None

    async def answers(
        self, name: str, record_type: RecordType, *, zone: str | None, servers: tuple[str, ...]
    ) -> AuthoritativeAnswers:
        """See `NameServers.answers`."""
        if self._opened is None:
            from homelab_agent.areas.dns.authoritative import (  # noqa: PLC0415
                AuthoritativeServers,
            )
            from homelab_agent.areas.dns.zone_servers import ZoneServers  # noqa: PLC0415

            self._opened = AuthoritativeServers(ZoneServers(self._outbound, self._resolvers))
        return await self._opened.answers(name, record_type, zone=zone, servers=servers)
