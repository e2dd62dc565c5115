"""The processes of the invented machine."""

from datetime import datetime, timedelta

from homelab_agent.platform.host.machine import ProcessReading

_MIB = 1024**2
_ROWS = (
    # pid, parent, name, command, user, share of a core, memory in MiB, threads
    (1, 0, "systemd", "/sbin/init", "root", 0.0005, 14, 1),
    (412, 1, "systemd-journal", "/usr/lib/systemd/systemd-journald", "root", 0.001, 48, 1),
    (803, 1, "sshd", "sshd: /usr/sbin/sshd -D [listener]", "root", 0.0001, 9, 1),
    (911, 1, "dockerd", "/usr/bin/dockerd -H fd://", "root", 0.015, 96, 18),
    (934, 1, "containerd", "/usr/bin/containerd", "root", 0.012, 58, 16),
    (1020, 1, "smbd", "/usr/sbin/smbd --foreground --no-process-group", "root", 0.004, 31, 1),
    (1401, 934, "python3", "python3 -m homeassistant --config /config", "root", 0.11, 612, 74),
    (1512, 934, "postgres", "postgres -c shared_buffers=256MB", "postgres", 0.05, 310, 1),
    (
        1688,
        934,
        "Plex Media Serv",
        "/usr/lib/plexmediaserver/Plex Media Server",
        "plex",
        0.2,
        420,
        32,
    ),
    (1731, 934, "caddy", "caddy run --config /etc/caddy/Caddyfile", "root", 0.01, 52, 11),
    (1850, 934, "mysqld", "mysqld --user=mysql --password=hunter2secret", "mysql", 0.03, 390, 41),
    (2302, 803, "bash", "-bash", "ada", 0.0001, 6, 1),
    (2388, 2302, "rsync", "rsync -a /mnt/media/ nas.home.example:/backup/", "ada", 0.07, 12, 1),
)


def demo_processes(up_s: float, booted_at: datetime) -> tuple[ProcessReading, ...]:
    """Return them as of `up_s` seconds after the boot."""
    return tuple(
        ProcessReading(
            pid=pid,
            parent_pid=parent,
            name=name,
            command=tuple(command.split()),
            user=user,
            state="running" if share > 0.1 else "sleeping",  # noqa: PLR2004 - those that do most
            cpu_s=share * up_s,
            memory_bytes=memory * _MIB,
            threads=threads,
            started_at=booted_at + timedelta(seconds=pid / 50),
            is_kernel=False,
            container_id=None,
        )
        for pid, parent, name, command, user, share, memory, threads in _ROWS
    )
