"""The certificates of what monitors watch: each https address and each handshake has one."""

from collections.abc import Awaitable, Callable, Iterable

from homelab_agent.areas.certificates.models import WatchBody
from homelab_agent.areas.certificates.places import endpoint_place, url_place
from homelab_agent.areas.certificates.watch import CertificateWatch
from homelab_agent.areas.certificates.watched import Origin, Place
from homelab_agent.areas.monitors.models import MONITOR_KIND, Monitor
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.resources import Change, Overflow, Resources

_TLS = "tls"


class MonitoredCertificates:
    """Follows the monitors, and has the certificates of their services watched.

    `monitors_known` returns once all monitors are published: until then it looks as if none were.
    """

    def __init__(
        self,
        watch: CertificateWatch,
        resources: Resources,
        monitors_known: Callable[[], Awaitable[object]],
    ) -> None:
        self._monitors_known = monitors_known
        self._watch = watch
        self._resources = resources
        self._places: dict[str, Place] = {}
        """By the keys of their monitors; several may be of one certificate."""

    async def run(self) -> None:
        """Follow until cancelled."""
        await self._monitors_known()
        while True:
            with self._resources.subscribe(kinds=(MONITOR_KIND,)) as subscription:
                start = subscription.start
                self._places.clear()
                self._note(start if isinstance(start, tuple) else start.resources)
                await self._watch.found(Origin.MONITOR, self._found())
                try:
                    async for batch in subscription.batches():
                        if self._note(batch):
                            await self._watch.found(Origin.MONITOR, self._found())
                except Overflow:
                    continue

    def _found(self) -> tuple[Place, ...]:
        """Return each place once, as that of the first of its monitors."""
        found: dict[str, Place] = {}
        for monitor, place in sorted(self._places.items()):
            found.setdefault(place.key, place.model_copy(update={"monitor": monitor}))
        return tuple(found.values())

    def _note(self, changes: Iterable[Change]) -> bool:
        """Note where the changed monitors have their certificates; return whether that is new."""
        before = dict(self._places)
        for change in changes:
            place = _place(change.data) if isinstance(change.data, Monitor) else None
            if place is None:
                self._places.pop(change.key, None)
            else:
                self._places[change.key] = place
        return self._places != before


def _place(monitor: Monitor) -> Place | None:
    if monitor.type.value != _TLS:
        return url_place(monitor.target, monitor.name, monitor.container)
    host, _, port = monitor.target.rpartition(":")
    if not host or not port.isdecimal():
        return None
    try:
        body = WatchBody(
            name=monitor.name,
            host=host,
            port=int(port),
            server_name=monitor.server_name,
            start_tls=monitor.start_tls,
        )
        return endpoint_place(body, Origin.MONITOR, monitor.container)
    except ValueError, Invalid:
        return None
