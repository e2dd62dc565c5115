"""Monitors that could be made: for published ports that look like pages, and are not watched."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from homelab_agent.areas.containers.models import Container
from homelab_agent.areas.monitors.check_settings import (
    ContainerCheckSettings,
    HttpCheckSettings,
    PlexCheckSettings,
    TcpCheckSettings,
    TlsCheckSettings,
    VncCheckSettings,
)
from homelab_agent.areas.monitors.labels import is_declined
from homelab_agent.areas.monitors.models import MonitorSettings, Proposal
from homelab_agent.areas.monitors.published import published_host
from homelab_agent.platform.engine.models import ContainerState

_TLS_PORTS = frozenset({443, 8443, 9443})
_HTTP_PORTS = frozenset(
    {80, 81, 1880, 3000, 3001, 4533, 5000, 5055, 5601, 6767, 7878, 8000, 8006, 8080, 8081, 8082}
    | {8083, 8086, 8088, 8090, 8096, 8112, 8123, 8181, 8200, 8265, 8384, 8686, 8787, 8888, 8989}
    | {9000, 9001, 9090, 9091, 9117, 9696, 13378, 19999, 32400, 2283, 3100, 7575, 61208}
)
"""What the images of homelabs serve pages at."""

_PLEX_PORT = 32400
_VNC_PORTS = range(5900, 5910)


def proposals(
    containers: Iterable[Container], watched: Iterable[MonitorSettings], machine: str | None
) -> tuple[Proposal, ...]:
    """Return what is not watched yet, by name and port.

    `machine` is the machine's address as seen from here; None where no way leads there.
    """
    ports = {(settings.container, port) for settings in watched for port in _ports(settings)}
    found = [
        proposal
        for container in containers
        if container.state is ContainerState.RUNNING and not is_declined(container.labels)
        for proposal in _of(container, ports, machine)
    ]
    return tuple(sorted(found, key=lambda each: (each.container_name, each.why)))


def _of(
    container: Container, watched: set[tuple[str | None, int]], machine: str | None
) -> list[Proposal]:
    seen: set[int] = set()
    found: list[Proposal] = []
    for port in container.ports:
        outside, host = port.host_port, published_host(port, machine)
        if outside is None or host is None or outside in seen:
            continue
        seen.add(outside)
        # A monitor of nobody's in particular may be of this one.
        if watched & {
            (container.key, outside),
            (container.key, port.container_port),
            (None, outside),
        }:
            continue
        settings = _settings(container, port.container_port, host, outside)
        if settings is not None:
            found.append(
                Proposal(
                    container=container.key,
                    container_name=container.name,
                    settings=settings,
                    why=f"It publishes port {port.container_port} as {outside}",
                )
            )
    return found


def _settings(container: Container, inside: int, host: str, outside: int) -> MonitorSettings | None:
    shown = f"[{host}]" if ":" in host else host
    check: HttpCheckSettings | PlexCheckSettings | VncCheckSettings
    if inside == _PLEX_PORT:
        check = PlexCheckSettings(url=f"http://{shown}:{outside}")
    elif inside in _VNC_PORTS:
        check = VncCheckSettings(host=host, port=outside)
    elif inside in _TLS_PORTS:
        check = HttpCheckSettings(url=f"https://{shown}:{outside}/", verify_tls=False)
    elif inside in _HTTP_PORTS:
        check = HttpCheckSettings(url=f"http://{shown}:{outside}/", status=("200-499",))
    else:
        return None
    return MonitorSettings(name=container.name[:64], check=check, container=container.key)


def _ports(settings: MonitorSettings) -> set[int]:
    check = settings.check
    match check:
        case HttpCheckSettings() | PlexCheckSettings():
            return _port_of(check.url)
        case TcpCheckSettings() | TlsCheckSettings() | VncCheckSettings():
            return {check.port}
        case ContainerCheckSettings() | _:
            return set()


def _port_of(url: str) -> set[int]:
    try:
        port = urlsplit(url).port
    except ValueError:
        return set()
    return {port} if port is not None else set()
