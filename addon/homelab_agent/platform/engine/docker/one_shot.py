"""Statistics asked of Docker: one sample of a container each, a few at once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, Field, ValidationError

from homelab_agent.platform.engine.cgroups.search import Place
from homelab_agent.platform.engine.docker.errors import Call, unreadable
from homelab_agent.platform.engine.docker.few_at_once import few_at_once
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.engine.stats import Sample, StatsSource, StatsTarget

_AT_ONCE = 8
_DEADLINE_S = 5.0
_EPOCH = datetime.fromtimestamp(0, UTC)
_PARAMETERS = {"stream": "false", "one-shot": "true"}


class _CpuUsage(BaseModel):
    total_usage: int | None = None


class _Cpu(BaseModel):
    cpu_usage: _CpuUsage = Field(default_factory=_CpuUsage)


class _MemoryStat(BaseModel):
    inactive_file: int | None = None
    total_inactive_file: int | None = None


class _Memory(BaseModel):
    usage: int | None = None
    limit: int | None = None
    stats: _MemoryStat | None = None


class _Interface(BaseModel):
    rx_bytes: int
    tx_bytes: int


class _BlockEntry(BaseModel):
    op: str
    value: int


class _Block(BaseModel):
    io_service_bytes_recursive: list[_BlockEntry] | None = None


class _Processes(BaseModel):
    current: int | None = None


class _Stats(BaseModel):
    """The answer of GET /containers/{id}/stats. What a container that has ended gives is empty."""

    read: datetime
    cpu_stats: _Cpu = Field(default_factory=_Cpu)
    memory_stats: _Memory = Field(default_factory=_Memory)
    networks: dict[str, _Interface] | None = None
    blkio_stats: _Block = Field(default_factory=_Block)
    pids_stats: _Processes = Field(default_factory=_Processes)

    def sample(self, place: Place) -> Sample | None:
        cpu_ns = self.cpu_stats.cpu_usage.total_usage
        if self.read.year <= 1 or not cpu_ns:
            return None
        received, sent = self._network(place)
        read, written = self._block_bytes()
        return Sample(
            StatsSource.ONE_SHOT,
            (self.read - _EPOCH) // timedelta(microseconds=1) * 1000,
            cpu_ns,
            self._working_set(),
            self.memory_stats.limit or None,
            received,
            sent,
            read,
            written,
            self.pids_stats.current,
        )

    def _working_set(self) -> int | None:
        used, stats = self.memory_stats.usage, self.memory_stats.stats
        if used is None:
            return None
        cache = stats and (stats.total_inactive_file or stats.inactive_file)
        return max(used - (cache or 0), 0)

    def _network(self, place: Place) -> tuple[int | None, int | None]:
        if place.network_mode == "none":
            return 0, 0
        if self.networks is None or not place.has_own_network:
            return None, None
        interfaces = self.networks.values()
        return sum(each.rx_bytes for each in interfaces), sum(each.tx_bytes for each in interfaces)

    def _block_bytes(self) -> tuple[int | None, int | None]:
        entries = self.blkio_stats.io_service_bytes_recursive
        if not entries:  # nothing was read or written yet, or nothing is counted
            return None, None
        read = sum(each.value for each in entries if each.op.lower() == "read")
        return read, sum(each.value for each in entries if each.op.lower() == "write")


class OneShot:
    """Asks Docker for one sample of each container."""

    def __init__(self, transport: Transport, *, deadline_s: float = _DEADLINE_S) -> None:
        self._transport = transport
        self._deadline_s = deadline_s

    async def read(self, places: Mapping[StatsTarget, Place]) -> dict[StatsTarget, Sample]:
        """Return a sample of each container that Docker can tell of in time."""

        async def read_one(target: StatsTarget) -> Sample | None:
            return await self._one(target, places[target])

        return await few_at_once(places, read_one, at_once=_AT_ONCE, deadline_s=self._deadline_s)

    async def _one(self, target: StatsTarget, place: Place) -> Sample | None:
        call = Call(f"tell what the container {target.id} uses", EngineRight.CONTAINERS_READ)
        path = f"containers/{target.id}/stats"
        body = await self._transport.read(path, call, _PARAMETERS, often=True)
        try:
            return _Stats.model_validate_json(body).sample(place)
        except (ValidationError, OverflowError) as error:
            raise unreadable(call, str(error)) from None
