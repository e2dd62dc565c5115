"""The certificates of what monitors watch: each https address and each handshake has one."""

from collections.abc import Iterator

from homelab_agent.areas.certificates.models import StartTls, WatchBody
from homelab_agent.areas.certificates.places import endpoint_place, url_place
from homelab_agent.areas.certificates.watch import CertificateWatch
from homelab_agent.areas.certificates.watched import Origin, Place
from homelab_agent.areas.monitors.models import MONITOR_KIND, Monitor
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.resources import Overflow, Resources

_TLS = "tls"
# A monitor does not show what it speaks before the handshake; at these ports nothing else is usual.
_STARTTLS_PORTS = {
    25: StartTls.SMTP,
    143: StartTls.IMAP,
    389: StartTls.LDAP,
    587: StartTls.SMTP,
    5432: StartTls.POSTGRESQL,
}


class MonitoredCertificates:
    """Follows the monitors, and has the certificates of their services watched."""

    def __init__(self, watch: CertificateWatch, resources: Resources) -> None:
        self._watch = watch
        self._resources = resources

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            with self._resources.subscribe(kinds=(MONITOR_KIND,)) as changes:
                try:
                    await self._take()
                    async for _ in changes.batches():
                        await self._take()
                except Overflow:
                    continue

    async def _take(self) -> None:
        await self._watch.found(Origin.MONITOR, self._places())

    def _places(self) -> Iterator[Place]:
        for key in self._resources.keys(MONITOR_KIND):
            monitor = self._resources.get(MONITOR_KIND, key)
            if isinstance(monitor, Monitor) and (place := _place(monitor)):
                yield place.model_copy(update={"monitor": monitor.key})


def _place(monitor: Monitor) -> Place | None:
    if monitor.type.value != _TLS:
        return url_place(monitor.target, monitor.name, monitor.container)
    host, _, port = monitor.target.rpartition(":")
    if not host or not port.isdecimal():
        return None
    try:
        start_tls = _STARTTLS_PORTS.get(int(port))
        body = WatchBody(name=monitor.name, host=host, port=int(port), start_tls=start_tls)
        return endpoint_place(body, Origin.MONITOR, monitor.container)
    except ValueError, Invalid:
        return None
