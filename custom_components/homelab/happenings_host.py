"""What happens to the machine: a disk will be full soon, a port is open."""

from typing import override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .client.kinds import (
    CONTAINER,
    DISK_FORECAST,
    FILESYSTEM,
    PORT_EVENT,
)
from .client.models import DiskForecast, PortEvent, PortEventType
from .coordinator import HomelabCoordinator
from .happening import EventWatch, Fall, Figures, Happening, HappeningType, Watch
from .mirror import Before, ResourceId
from .subjects import Subject


class DiskWatch(Watch):
    """Watches how full disks become."""

    def __init__(self, hass: HomeAssistant, coordinator: HomelabCoordinator) -> None:
        super().__init__(hass, coordinator)
        self._days = Figures()

    @override
    @callback
    def begin(self) -> list[CALLBACK_TYPE]:
        """Take note of what is foreseen already."""
        for forecast in self._coordinator.mirror.every(DISK_FORECAST):
            self._days.take(forecast.key, forecast.days_until_full)
        return []

    @override
    @callback
    def look(self, resource: ResourceId, before: Before, *, just_now: bool) -> None:
        """Tell of a disk that fills sooner than it seemed."""
        kind, key = resource
        forecast = self._coordinator.mirror.get(DISK_FORECAST, key)
        if kind != DISK_FORECAST.name or forecast is None:
            return
        fall = self._days.take(key, forecast.days_until_full)
        if fall is not None:
            self._fills_sooner(forecast, fall)

    def _fills_sooner(self, forecast: DiskForecast, fall: Fall) -> None:
        filesystem = self._coordinator.mirror.get(FILESYSTEM, forecast.key)
        growth = forecast.growth_bytes_per_day
        since, until = forecast.observed_from, forecast.observed_until
        self._tell(
            Happening(
                type=HappeningType.DISK_FILLING,
                coordinator=self._coordinator,
                subject=Subject(DISK_FORECAST.name, forecast.key),
                device=None,
                name=forecast.key,
                at=dt_util.utcnow(),
                details={
                    "days_until_full": fall.now,
                    "full_at": forecast.full_at and forecast.full_at.isoformat(),
                    "growth_bytes_per_day": growth,
                    "available_bytes": filesystem and filesystem.available_bytes,
                    "size_bytes": filesystem and filesystem.size_bytes,
                    "used_percent": filesystem and filesystem.used_percent,
                    "observed_from": since and since.isoformat(),
                    "observed_until": until and until.isoformat(),
                    "samples": forecast.samples,
                },
                fall=fall,
            )
        )


class PortWatch(EventWatch[PortEvent]):
    """Watches ports."""

    event_kind = PORT_EVENT

    @override
    @callback
    def happened(self, event: PortEvent) -> None:
        """Tell of a port that something listens at now."""
        if event.type is not PortEventType.OPENED:
            return
        container = self._coordinator.container(event.container or "")
        self._tell(
            Happening(
                type=HappeningType.PORT_OPENED,
                coordinator=self._coordinator,
                subject=Subject(PORT_EVENT.name, event.key),
                device=Subject(CONTAINER.name, container.key) if container else None,
                name=f"{event.transport}/{event.port}",
                at=event.at,
                details={
                    "port": event.port,
                    "transport": event.transport.value,
                    "address": event.address,
                    "reach": event.reach.value,
                    "process": event.process,
                    "container": container.name if container else event.container,
                },
            )
        )
