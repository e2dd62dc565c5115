"""The machine's figures for Prometheus: what is known already. Nothing is read for it."""

from collections.abc import Iterable

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from homelab_agent.areas.host.models import (
    FILESYSTEM_KIND,
    HOST_KEY,
    HOST_POWER_KIND,
    HOST_SENSOR_KIND,
    HOST_STATS_KIND,
    Filesystem,
    HostSensor,
)
from homelab_agent.platform.metrics import PREFIX, Metrics
from homelab_agent.platform.resources import Resources

_STATS = {
    "cpu_percent": "Processor time in use; 100 is all of them",
    "load_1m": "Load of the last minute",
    "memory_used_bytes": "Memory in use without the cache",
    "memory_available_bytes": "Memory that can still be had",
    "swap_used_bytes": "Swap in use",
    "disk_read_bytes_per_s": "Read from disks",
    "disk_write_bytes_per_s": "Written to disks",
    "process_count": "Processes",
}
_POWER = {"power_w": "What the processors take", "energy_kwh": "What they have taken so far"}
_FILESYSTEM = {
    "size_bytes": "Size of a file system",
    "used_bytes": "What of it is used",
    "available_bytes": "What is left for everybody but root",
}


def export_machine(metrics: Metrics, resources: Resources) -> None:
    """Have `metrics` tell the figures as they were published last; what is unknown is left out."""

    def families() -> Iterable[Metric]:
        yield from _alone(resources, HOST_STATS_KIND, _STATS)
        yield from _alone(resources, HOST_POWER_KIND, _POWER)
        for field, description in _FILESYSTEM.items():
            family = GaugeMetricFamily(
                f"{PREFIX}_filesystem_{field}", description, labels=("mount_point",)
            )
            for each in resources.every(FILESYSTEM_KIND, Filesystem):
                if getattr(each, field) is not None:
                    family.add_metric((each.key,), getattr(each, field))
            yield family
        sensors = GaugeMetricFamily(
            f"{PREFIX}_host_sensor",
            "Degrees Celsius or turns per minute",
            labels=("sensor", "type"),
        )
        for sensor in resources.every(HOST_SENSOR_KIND, HostSensor):
            sensors.add_metric((sensor.key, sensor.type), sensor.value)
        yield sensors

    metrics.read_families(families)


def _alone(resources: Resources, kind: str, shown: dict[str, str]) -> Iterable[Metric]:
    known = resources.get(kind, HOST_KEY)
    for field, description in shown.items():
        value = getattr(known, field, None)
        if value is not None:
            yield GaugeMetricFamily(f"{PREFIX}_host_{field}", description, value=value)
