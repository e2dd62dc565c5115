"""The processes of the invented machine; some are those of the invented containers."""

from datetime import datetime, timedelta
from typing import NamedTuple

from homelab_agent.platform.engine.demo.homelab import HOMELAB
from homelab_agent.platform.host.machine import ProcessReading

_MIB = 1024**2
_BUSY = 0.1
_CONTAINER_IDS = {each.name: each.container_id for each in HOMELAB}


class _Row(NamedTuple):
    """`share` of a core, memory in MiB."""

    pid: int
    parent_pid: int
    name: str
    command: str
    user: str
    share: float
    memory: int
    threads: int
    container: str | None = None


_ROWS = (
    _Row(1, 0, "systemd", "/sbin/init", "root", 0.0005, 14, 1),
    _Row(412, 1, "systemd-journal", "/usr/lib/systemd/systemd-journald", "root", 0.001, 48, 1),
    _Row(803, 1, "sshd", "sshd: /usr/sbin/sshd -D [listener]", "root", 0.0001, 9, 1),
    _Row(911, 1, "dockerd", "/usr/bin/dockerd -H fd://", "root", 0.015, 96, 18),
    _Row(934, 1, "containerd", "/usr/bin/containerd", "root", 0.012, 58, 16),
    _Row(1020, 1, "smbd", "/usr/sbin/smbd --foreground", "root", 0.004, 31, 1),
    _Row(
        *(1401, 1390, "python3", "python3 -m homeassistant --config /config", "root"),
        *(0.11, 612, 74, "homeassistant"),
    ),
    _Row(
        *(1512, 1500, "mariadbd", "mariadbd --user=mysql --password=not-for-everybody", "mysql"),
        *(0.05, 310, 41, "cloud-db-1"),
    ),
    _Row(
        *(1688, 1675, "jellyfin", "/jellyfin/jellyfin --datadir /config", "1000"),
        *(0.2, 420, 32, "media-jellyfin-1"),
    ),
    _Row(
        *(1731, 1720, "caddy", "caddy run --config /etc/caddy/Caddyfile", "root"),
        *(0.01, 52, 11, "edge-caddy-1"),
    ),
    _Row(
        *(1850, 1840, "prometheus", "/bin/prometheus --config.file=/etc/prometheus.yml", "nobody"),
        *(0.03, 390, 14, "monitoring-prometheus-1"),
    ),
    _Row(2302, 803, "bash", "-bash", "ada", 0.0001, 6, 1),
    _Row(2388, 2302, "rsync", "rsync -a /mnt/media/ nas.home.example:/backup/", "ada", 0.07, 12, 1),
)


def demo_processes(up_s: float, booted_at: datetime) -> tuple[ProcessReading, ...]:
    """Return them as of `up_s` seconds after the boot."""
    return tuple(
        ProcessReading(
            pid=row.pid,
            parent_pid=row.parent_pid,
            name=row.name,
            command=tuple(row.command.split()),
            user=row.user,
            state="running" if row.share > _BUSY else "sleeping",
            cpu_s=row.share * up_s,
            memory_bytes=row.memory * _MIB,
            threads=row.threads,
            started_at=booted_at + timedelta(seconds=row.pid / 50),
            is_kernel=False,
            container_id=_CONTAINER_IDS[row.container] if row.container else None,
        )
        for row in _ROWS
    )
