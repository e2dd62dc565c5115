"""What a container of the fake engine has used, as Docker's one-shot statistics tell it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

NEVER = "0001-01-01T00:00:00Z"


@dataclass
class FakeUse:
    """Counters that a test moves. `at` None: Docker reads them when it is asked."""

    cpu_ns: int = 5_000_000_000
    memory_bytes: int = 30_000_000
    cache_bytes: int = 10_000_000
    limit_bytes: int = 4096
    receive_bytes: int = 1_000_000
    transmit_bytes: int = 2_000_000
    read_bytes: int = 3_000_000
    write_bytes: int = 4_000_000
    processes: int = 7
    at: datetime | None = None

    def told(self, *, running: bool) -> dict[str, Any]:
        """Return the answer; of a container that has ended Docker tells zeros."""
        if not running:
            return {"read": NEVER, "cpu_stats": {"cpu_usage": {"total_usage": 0}}}
        return {
            "read": f"{self.at or datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}123Z",
            "preread": NEVER,
            "pids_stats": {"current": self.processes},
            "blkio_stats": {
                "io_service_bytes_recursive": [
                    {"major": 8, "minor": 0, "op": "Read", "value": self.read_bytes},
                    {"major": 8, "minor": 0, "op": "Write", "value": self.write_bytes},
                    {"major": 8, "minor": 0, "op": "Total", "value": 1},
                ],
                "io_serviced_recursive": None,
            },
            "num_procs": 0,
            "cpu_stats": {
                "cpu_usage": {"total_usage": self.cpu_ns, "percpu_usage": [self.cpu_ns, 0]},
                "system_cpu_usage": 1,
                "online_cpus": 2,
            },
            "precpu_stats": {"cpu_usage": {"total_usage": 0}},
            "memory_stats": {
                "usage": self.memory_bytes + self.cache_bytes,
                "stats": {"inactive_file": 1, "total_inactive_file": self.cache_bytes},
                "limit": self.limit_bytes,
            },
            "networks": {
                "eth0": {"rx_bytes": self.receive_bytes - 1, "tx_bytes": self.transmit_bytes},
                "eth1": {"rx_bytes": 1, "tx_bytes": 0},
            },
        }
