"""The invented homelab: five compose projects and a few single containers."""

import hashlib
from dataclasses import dataclass

from homelab_agent.platform.engine.models import ContainerHealth, ContainerState

_UP = ContainerState.RUNNING
_EXITED = ContainerState.EXITED
_CHECKED = ContainerHealth.HEALTHY


@dataclass(frozen=True, slots=True, kw_only=True)
class Invented:
    """One container of the invented homelab. `since_h`: hours since its state began."""

    name: str
    image: str
    project: str | None = None
    state: ContainerState = _UP
    health: ContainerHealth = ContainerHealth.NONE
    exit_code: int | None = None
    restart_count: int = 0
    restart_policy: str = "unless-stopped"
    since_h: float = 100.0
    ports: tuple[tuple[int, int | None], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    depends_on: str = ""
    lines: tuple[str, ...] = ()

    @property
    def container_id(self) -> str:
        """Its id in the demo's engine."""
        return hashlib.sha256(f"demo homelab {self.name}".encode()).hexdigest()

    @property
    def service(self) -> str:
        """Its service within its project."""
        return self.name if self.project is None else self.name.split("-")[1]


_WEB = (
    '192.168.1.{n} - "GET / HTTP/1.1" 200 {n}12',
    '192.168.1.{n} - "GET /api/status HTTP/1.1" 200 {n}',
    '192.168.1.{n} - "GET /static/app.js HTTP/1.1" 304 0',
)
_ARR = (
    "[Info] RssSyncService: Starting RSS Sync",
    "[Info] DownloadDecisionMaker: Processing {n} releases",
    "[Info] RssSyncService: RSS Sync Completed. Reports found: {n}, Reports grabbed: 0",
)
_DATABASE = (
    "[Note] InnoDB: page_cleaner: 1000ms intended loop took {n}12ms",
    "[Warning] Aborted connection {n} to db: 'nextcloud' (Got timeout reading packets)",
)

HOMELAB: tuple[Invented, ...] = (
    Invented(
        name="media-jellyfin-1",
        image="jellyfin/jellyfin:10.11",
        project="media",
        health=_CHECKED,
        since_h=311,
        ports=((8096, 8096),),
        lines=(
            "[INF] Playback reported at {n} ms by client web",
            "[INF] Scan Media Library Completed after 0 minute(s) and {n} seconds",
        ),
    ),
    Invented(
        name="media-sonarr-1",
        image="lscr.io/linuxserver/sonarr:latest",
        project="media",
        since_h=311,
        ports=((8989, 8989),),
        lines=_ARR,
    ),
    Invented(
        name="media-radarr-1",
        image="lscr.io/linuxserver/radarr:latest",
        project="media",
        since_h=311,
        ports=((7878, 7878),),
        lines=_ARR,
    ),
    Invented(
        name="media-qbittorrent-1",
        image="lscr.io/linuxserver/qbittorrent:5.1",
        project="media",
        since_h=46,
        ports=((8080, 8081), (6881, 6881)),
        lines=("(N) Session: DHT nodes {n}", "(I) Peer connected: 203.0.113.{n}"),
    ),
    Invented(
        name="cloud-nextcloud-1",
        image="nextcloud:32-apache",
        project="cloud",
        health=ContainerHealth.UNHEALTHY,
        since_h=72,
        ports=((80, 8082),),
        depends_on="db:service_healthy:false,redis:service_healthy:false",
        lines=(*_WEB, "PHP Warning: Redis connection timed out after {n} ms"),
    ),
    Invented(
        name="cloud-db-1",
        image="mariadb:11.8",
        project="cloud",
        health=_CHECKED,
        since_h=72,
        ports=((3306, None),),
        lines=_DATABASE,
    ),
    Invented(
        name="cloud-redis-1",
        image="redis:8-alpine",
        project="cloud",
        health=_CHECKED,
        since_h=72,
        ports=((6379, None),),
        lines=(
            "* {n} changes in 300 seconds. Saving...",
            "* Background saving terminated with success",
        ),
    ),
    Invented(
        name="monitoring-prometheus-1",
        image="prom/prometheus:v3.7.1",
        project="monitoring",
        since_h=520,
        ports=((9090, 9090),),
        lines=(
            'level=INFO msg="write block" mint=17{n} ulid=01K{n}',
            'level=INFO msg="Head GC completed"',
        ),
    ),
    Invented(
        name="monitoring-grafana-1",
        image="grafana/grafana:12.2.0",
        project="monitoring",
        health=_CHECKED,
        since_h=520,
        ports=((3000, 3000),),
        depends_on="prometheus:service_started:false,loki:service_started:false",
        lines=('logger=cleanup level=info msg="Completed cleanup jobs" duration={n}ms',),
    ),
    Invented(
        name="monitoring-loki-1",
        image="grafana/loki:3.5",
        project="monitoring",
        state=_EXITED,
        exit_code=137,
        restart_policy="no",
        since_h=5.5,
        lines=(
            'level=warn msg="high memory use" heap={n}0MB',
            'level=info msg="flushing stream" lines={n}',
        ),
    ),
    Invented(
        name="edge-caddy-1",
        image="caddy:2.11",
        project="edge",
        health=_CHECKED,
        since_h=900,
        ports=((80, 80), (443, 443)),
        lines=_WEB,
    ),
    Invented(
        name="edge-pihole-1",
        image="pihole/pihole:2026.10.0",
        project="edge",
        health=_CHECKED,
        since_h=900,
        ports=((53, 53), (80, 8053)),
        lines=(
            "query[A] updates.example.net from 192.168.1.{n}",
            "gravity blocked ads.example.com",
        ),
    ),
    Invented(
        name="edge-wireguard-1",
        image="lscr.io/linuxserver/wireguard:latest",
        project="edge",
        since_h=900,
        ports=((51820, 51820),),
        labels=(("homelab.protect", "true"),),
        lines=("peer laptop: handshake after {n} s", "peer phone: received {n} KiB"),
    ),
    Invented(
        name="iot-mosquitto-1",
        image=f"eclipse-mosquitto:2.0@sha256:{'7c' * 32}",
        project="iot",
        since_h=200,
        ports=((1883, 1883),),
        lines=(
            "New client connected from 192.168.1.{n} as zigbee",
            "Client zigbee closed its connection.",
        ),
    ),
    Invented(
        name="iot-zigbee2mqtt-1",
        image="ghcr.io/koenkk/zigbee2mqtt:2.6",
        project="iot",
        state=ContainerState.RESTARTING,
        exit_code=1,
        restart_count=14,
        since_h=0.01,
        ports=((8080, 8083),),
        depends_on="mosquitto:service_started:false",
        lines=(
            "error: z2m: Failed to start zigbee-herdsman",
            "error: z2m: Cannot open /dev/ttyUSB0",
        ),
    ),
    Invented(
        name="homeassistant",
        image="ghcr.io/home-assistant/home-assistant:2026.11",
        since_h=60,
        restart_policy="always",
        ports=((8123, 8123),),
        lines=(
            "INFO (MainThread) [homeassistant.core] Event {n} fired",
            "INFO (SyncWorker_1) Purged {n} rows",
        ),
    ),
    Invented(
        name="paperless",
        image="ghcr.io/paperless-ngx/paperless-ngx:2.19",
        health=_CHECKED,
        since_h=130,
        ports=((8000, 8010),),
        lines=(
            "[INFO] [paperless.consumer] Consuming scan-{n}.pdf",
            "[INFO] Document consumption finished",
        ),
    ),
    Invented(
        name="minecraft",
        image="itzg/minecraft-server:java21",
        state=ContainerState.PAUSED,
        health=_CHECKED,
        since_h=20,
        ports=((25565, 25565),),
        lines=("[Server thread/INFO]: There are {n} of a max of 20 players online",),
    ),
    Invented(
        name="restic-backup",
        image="restic/restic:0.19.1",
        state=_EXITED,
        exit_code=0,
        restart_policy="no",
        since_h=6,
        lines=("processed {n}21 files, {n}.4 GiB in 0:{n}", "snapshot saved"),
    ),
)

FLAPPING = "cloud-nextcloud-1"
"""Its health check fails and recovers."""

CRASHING = "iot-zigbee2mqtt-1"
"""It cannot start and is started again and again."""

NIGHTLY = "restic-backup"
"""A job that runs now and then and ends."""
