"""The files about one container, kept open: reading an open one again costs a seventh."""

import os
from time import monotonic_ns

from homelab_agent.platform.engine.cgroups import text as cgroup_text
from homelab_agent.platform.engine.cgroups.tree import Tree
from homelab_agent.platform.engine.stats import Sample, StatsSource

_READ_BYTES = 16 * 1024
_PAGE_BYTES = 2048
"""The list of interfaces comes page by page; what is shorter than this is all of it."""

FILES_OF_A_CONTAINER = 7

type _Pair = tuple[int | None, int | None]
_UNKNOWN: _Pair = (None, None)


class ContainerFiles:
    """Reads what one container uses. `pid` None leaves the network out."""

    def __init__(self, tree: Tree, group: str, pid: int | None) -> None:
        self._descriptors: list[int] = []
        self._is_v2 = tree.source is StatsSource.CGROUP_V2
        self._source = tree.source
        try:
            self._open(tree, group, pid)
        except BaseException:
            self.close()
            raise

    def read(self) -> Sample:
        """Read all of them; raise OSError when the container is gone."""
        return self._read_v2() if self._is_v2 else self._read_v1()

    def close(self) -> None:
        """Close all of them."""
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _open(self, tree: Tree, group: str, pid: int | None) -> None:
        cpu, memory = f"{tree.cpu}/{group}", f"{tree.memory}/{group}"
        block, pids = f"{tree.block}/{group}", f"{tree.pids}/{group}"
        self._network = None if pid is None else self._keep(f"{tree.proc}/{pid}/net/dev")
        self._pids = self._keep(f"{pids}/pids.current")
        self._memory_stat = self._keep(f"{memory}/memory.stat")
        if self._is_v2:
            self._cpu = self._keep_surely(f"{cpu}/cpu.stat")
            self._memory = self._keep(f"{memory}/memory.current")
            self._limit = self._keep(f"{memory}/memory.max")
            self._block = self._keep(f"{block}/io.stat")
        else:
            self._cpu = self._keep_surely(f"{cpu}/cpuacct.usage")
            self._memory = self._keep(f"{memory}/memory.usage_in_bytes")
            counted = f"{block}/blkio.throttle.io_service_bytes"
            self._block = self._keep(f"{counted}_recursive") or self._keep(counted)

    def _keep(self, path: str) -> int | None:
        """Open a file that may be missing: not every controller is switched on everywhere."""
        try:
            return self._keep_surely(path)
        except FileNotFoundError, PermissionError, NotADirectoryError:
            return None

    def _keep_surely(self, path: str) -> int:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._descriptors.append(descriptor)
        return descriptor

    def _read_v2(self) -> Sample:
        taken_ns = monotonic_ns()
        cpu_us = cgroup_text.field(os.pread(self._cpu, _READ_BYTES, 0), b"usage_usec")
        used, stat = _text(self._memory), _text(self._memory_stat)
        limit = cgroup_text.number(_text(self._limit))
        block: _Pair = _UNKNOWN
        if self._block is not None:
            block = cgroup_text.io_stat(_text(self._block))
        received, sent = self._read_network()
        return Sample(
            self._source,
            taken_ns,
            None if cpu_us is None else cpu_us * 1000,
            _working_set(cgroup_text.number(used), cgroup_text.field(stat, b"inactive_file")),
            limit,
            received,
            sent,
            *block,
            cgroup_text.number(_text(self._pids)),
        )

    def _read_v1(self) -> Sample:
        taken_ns = monotonic_ns()
        cpu_ns = cgroup_text.number(os.pread(self._cpu, _READ_BYTES, 0))
        used, stat = _text(self._memory), _text(self._memory_stat)
        cache = cgroup_text.field(stat, b"total_inactive_file")
        limit = cgroup_text.field(stat, b"hierarchical_memory_limit")
        received, sent = self._read_network()
        return Sample(
            self._source,
            taken_ns,
            cpu_ns,
            _working_set(cgroup_text.number(used), cache),
            cgroup_text.limit(limit),
            received,
            sent,
            *(cgroup_text.blkio(_text(self._block)) or _UNKNOWN),
            cgroup_text.number(_text(self._pids)),
        )

    def _read_network(self) -> _Pair:
        if self._network is None:
            return _UNKNOWN
        text = os.pread(self._network, _READ_BYTES, 0)
        if len(text) > _PAGE_BYTES:
            while more := os.pread(self._network, _READ_BYTES, len(text)):
                text += more
        return cgroup_text.network(text) or _UNKNOWN


def _text(descriptor: int | None) -> bytes:
    return b"" if descriptor is None else os.pread(descriptor, _READ_BYTES, 0)


def _working_set(used: int | None, cache: int | None) -> int | None:
    return None if used is None else max(used - (cache or 0), 0)
