"""Monitors of the invented homelab: what their checks answer, and a year of their past."""

import asyncio
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched
from random import Random

from pydantic import SecretStr

from homelab_agent.areas.monitors.check_settings import (
    CheckSettings,
    CheckType,
    ContainerCheckSettings,
    DnsCheckSettings,
    HomeAssistantCheckSettings,
    HttpCheckSettings,
    PingCheckSettings,
    PlexCheckSettings,
    SunshineCheckSettings,
    TcpCheckSettings,
    TlsCheckSettings,
    VncCheckSettings,
)
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.registry import Checks
from homelab_agent.areas.monitors.condition import Remembered
from homelab_agent.areas.monitors.history_store import HistoryStore
from homelab_agent.areas.monitors.maintenance import Rule
from homelab_agent.areas.monitors.models import (
    MaintenanceBody,
    MonitorDetail,
    MonitorSettings,
    MonitorSource,
    MonitorState,
    MonitorTier,
    Repeat,
    Slo,
)
from homelab_agent.areas.monitors.responses import slot_of
from homelab_agent.areas.monitors.store import MonitorStore
from homelab_agent.areas.monitors.tally import DAY_S, HOUR_S, MINUTE_S, Tally
from homelab_agent.platform.clock import Clock

_KEPT_S = {DAY_S: 365 * DAY_S, HOUR_S: 32 * DAY_S, MINUTE_S: 25 * HOUR_S}
_AT_ONCE = 50
_PAUSE_S = 0.05
_DOWN_S = 3.2 * HOUR_S
"""For how long what is down has been down when the demo begins."""

_WHY_DOWN = "It answered 503 Service Unavailable; 200-399 is expected"

type Outage = tuple[float, float]
"""How many hours ago it began, and how long it took in minutes."""

_NOW_AND_THEN: tuple[Outage, ...] = ((310, 4), (2100, 25), (5210, 9))


@dataclass(frozen=True, slots=True)
class _Invented:
    key: str
    settings: MonitorSettings
    usual_ms: float
    outages: tuple[Outage, ...] = _NOW_AND_THEN
    is_down: bool = False


def _page(
    name: str,
    port: int,
    container: str,
    *,
    tier: MonitorTier = MonitorTier.OPTIONAL,
    slo: Slo | None = None,
    path: str = "/",
) -> MonitorSettings:
    return MonitorSettings(
        name=name,
        check=HttpCheckSettings(url=f"http://192.168.1.10:{port}{path}"),
        container=container,
        tier=tier,
        slo=slo or Slo(),
    )


def _other(
    name: str,
    check: CheckSettings,
    container: str | None = None,
    tier: MonitorTier = MonitorTier.OPTIONAL,
) -> MonitorSettings:
    return MonitorSettings(name=name, check=check, container=container, tier=tier)


_CRITICAL = MonitorTier.CRITICAL
_NEXTCLOUD = _page("Nextcloud", 8082, "cloud:nextcloud:1", tier=_CRITICAL, path="/status.php")
_DOWNLOADS_KEY = "qbittorrent"

_MONITORS: tuple[_Invented, ...] = (
    _Invented(
        "home-assistant",
        _other(
            "Home Assistant",
            HomeAssistantCheckSettings(
                url="http://192.168.1.10:8123", token=SecretStr("invented-token")
            ),
            "homeassistant",
            _CRITICAL,
        ),
        14,
        ((26, 2), (700, 6)),
    ),
    _Invented("nextcloud", _NEXTCLOUD, 180, ((90, 12), (900, 40)), is_down=True),
    _Invented(
        "nextcloud-database",
        _other("Nextcloud database", ContainerCheckSettings(container="cloud:db:1"), "cloud:db:1"),
        2,
    ),
    _Invented("jellyfin", _page("Jellyfin", 8096, "media:jellyfin:1", path="/health"), 22),
    _Invented("sonarr", _page("Sonarr", 8989, "media:sonarr:1"), 31),
    _Invented("radarr", _page("Radarr", 7878, "media:radarr:1"), 29),
    _Invented(
        _DOWNLOADS_KEY,
        _page("qBittorrent", 8081, "media:qbittorrent:1"),
        45,
        ((46, 38), (118, 22), (260, 51), (3000, 90)),
    ),
    _Invented("grafana", _page("Grafana", 3000, "monitoring:grafana:1", path="/api/health"), 9),
    _Invented("prometheus", _page("Prometheus", 9090, "monitoring:prometheus:1"), 6, ()),
    _Invented(
        "pi-hole",
        _other(
            "Pi-hole",
            DnsCheckSettings(name="example.com", server="192.168.1.10"),
            "edge:pihole:1",
            _CRITICAL,
        ),
        4,
        ((1500, 3),),
    ),
    _Invented(
        "reverse-proxy",
        _other(
            "Reverse proxy",
            TlsCheckSettings(host="home.example.org"),
            "edge:caddy:1",
            _CRITICAL,
        ),
        38,
        ((4000, 17),),
    ),
    _Invented(
        "router", _other("Router", PingCheckSettings(host="192.168.1.1"), tier=_CRITICAL), 0.8
    ),
    _Invented(
        "mosquitto",
        _other("Mosquitto", TcpCheckSettings(host="192.168.1.10", port=1883), "iot:mosquitto:1"),
        1.3,
        (),
    ),
    _Invented("paperless", _page("Paperless", 8010, "paperless"), 95),
    _Invented(
        "workshop-screen", _other("Workshop screen", VncCheckSettings(host="192.168.1.33")), 11
    ),
    _Invented(
        "living-room-plex", _other("Plex", PlexCheckSettings(url="http://192.168.1.20:32400")), 17
    ),
    _Invented("gaming-pc", _other("Gaming PC", SunshineCheckSettings(host="192.168.1.40")), 13),
)

_WINDOW = "backup"


class _DemoCheck:
    """Answers what the invented service of these settings would."""

    def __init__(self, check_type: CheckType) -> None:
        self.type = check_type
        self._dice = Random(check_type.value)  # noqa: S311  # nothing secret is drawn

    async def run(
        self,
        settings: CheckSettings,
        timeout_s: float,  # noqa: ARG002  # nobody is waited for
        *,
        allow_guarded: bool,  # noqa: ARG002  # nobody is asked
    ) -> CheckOutcome:
        """See `Check.run`."""
        known = next((each for each in _MONITORS if each.settings.check == settings), None)
        if known is not None and known.is_down:
            return CheckOutcome(
                ok=False,
                code="wrong_status",
                reason=_WHY_DOWN,
                status=503,
            )
        usual_ms = known.usual_ms if known else 25.0
        return CheckOutcome(
            ok=True,
            response_ms=round(usual_ms * self._dice.lognormvariate(0, 0.25), 1),
            status=200 if isinstance(settings, HttpCheckSettings) else None,
            certificate_days_left=61 if isinstance(settings, TlsCheckSettings) else None,
            warning="It asks for no password" if isinstance(settings, VncCheckSettings) else None,
            details=(
                (MonitorDetail(name="sessions", value=2),)
                if isinstance(settings, PlexCheckSettings)
                else ()
            ),
        )

    def target(self, settings: CheckSettings) -> str:
        """See `Check.target`."""
        match settings:
            case HttpCheckSettings() | PlexCheckSettings() | HomeAssistantCheckSettings():
                return settings.url
            case DnsCheckSettings():
                return f"{settings.name} {settings.record} at {settings.server or 'the system'}"
            case PingCheckSettings():
                return settings.host
            case ContainerCheckSettings():
                return settings.container
            case _:
                return f"{settings.host}:{settings.port}"


def demo_checks() -> Checks:
    """Return checks that ask nobody."""
    return Checks(tuple(_DemoCheck(check_type) for check_type in CheckType))


class DemoMonitors:
    """Puts the invented monitors into a store that has none."""

    def __init__(self, store: MonitorStore, history: HistoryStore, clock: Clock) -> None:
        self._store = store
        self._history = history
        self._clock = clock
        self._ids: dict[str, int] = {}

    async def monitors(self) -> None:
        """Add the monitors and a maintenance window."""
        if await self._store.monitors():
            return
        now = self._clock()
        for each in _MONITORS:
            since = now - timedelta(hours=min((hours for hours, _ in each.outages), default=900))
            status = Remembered(state=MonitorState.UP, since=since)
            if each.is_down:
                began = now - timedelta(seconds=_DOWN_S)
                status = Remembered(
                    state=MonitorState.DOWN,
                    since=began,
                    failing_since=began,
                    reason=_WHY_DOWN,
                    code="wrong_status",
                    told=True,
                )
            self._ids[each.key] = await self._store.add(
                each.key, MonitorSource.PERSON, each.settings, status
            )
        body = MaintenanceBody(
            name="Backup",
            starts_at=now.replace(minute=0, second=0, microsecond=0),
            duration_s=3 * HOUR_S,
            repeat=Repeat.WEEKLY,
            monitors=(_DOWNLOADS_KEY,),
        )
        await self._store.add_window(Rule(_WINDOW, body))

    async def past(self) -> None:
        """Add what they would have measured within the last year."""
        if not self._ids:
            return
        now_ms = round(self._clock().timestamp() * 1000)
        pasts = [_Past(each, self._ids[each.key], now_ms) for each in _MONITORS]
        for starts in batched(_starts(now_ms), _AT_ONCE, strict=False):
            tallies = {
                (length_s, start_s, past.monitor_id): past.tally(length_s, start_s)
                for length_s, start_s in starts
                for past in pasts
            }
            await self._history.add(tallies)
            # Others have to write as well.
            await asyncio.sleep(_PAUSE_S)


def _starts(now_ms: int) -> Iterator[tuple[int, int]]:
    now_s = now_ms // 1000
    for length_s, kept_s in _KEPT_S.items():
        for start_s in range((now_s - kept_s) // length_s * length_s, now_s, length_s):
            yield length_s, start_s


class _Past:
    """What one monitor would have measured."""

    def __init__(self, each: _Invented, monitor_id: int, now_ms: int) -> None:
        self.monitor_id = monitor_id
        self._each = each
        self._now_ms = now_ms
        self._dice = Random(each.key)  # noqa: S311  # nothing secret is drawn
        self._outages = [
            (now_ms - round(hours * HOUR_S * 1000), round(minutes * 60_000))
            for hours, minutes in each.outages
        ]
        if each.is_down:
            self._outages.append((now_ms - round(_DOWN_S * 1000), round(_DOWN_S * 1000)))

    def tally(self, length_s: int, start_s: int) -> Tally:
        """Return what it would have measured from a start on, until now at the latest."""
        end_ms = min((start_s + length_s) * 1000, self._now_ms)
        return _tally(self._each, start_s * 1000, end_ms, self._outages, self._dice)


def _tally(
    each: _Invented, start_ms: int, end_ms: int, outages: list[tuple[int, int]], dice: Random
) -> Tally:
    down_ms = sum(
        max(0, min(end_ms, began_ms + took_ms) - max(start_ms, began_ms))
        for began_ms, took_ms in outages
    )
    interval_ms = round(each.settings.interval_s * 1000)
    tally = Tally()
    tally.up_ms, tally.down_ms = end_ms - start_ms - down_ms, down_ms
    tally.checks = max(1, (end_ms - start_ms) // interval_ms)
    tally.errors = min(tally.checks, math.ceil(down_ms / interval_ms))
    left = tally.checks - tally.errors
    # Busy in the evening, quiet at night.
    busy = 1 + 0.3 * math.sin(start_ms / 3_600_000 / 24 * math.tau)
    while left > 0:
        many = min(left, max(1, tally.checks // 12))
        slot = slot_of(each.usual_ms * busy * dice.lognormvariate(0, 0.3))
        tally.responses[slot] = tally.responses.get(slot, 0) + many
        left -= many
    return tally
