"""The kernel's files about containers, written by a test exactly as the kernel writes them."""

from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from homelab_agent.platform.engine.cgroups.containers import Cgroups
from homelab_agent.platform.engine.cgroups.search import GroupSearch
from homelab_agent.platform.engine.cgroups.tree import Mount, find_trees

V1_CONTROLLERS = ("cpuacct", "memory", "blkio", "pids")

_NET_DEV = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast"
    "|bytes    packets errs drop fifo colls carrier compressed\n"
    "    lo: 7777777    9999    0    0    0     0          0         0"
    "  7777777    9999    0    0    0     0       0          0\n"
)


@dataclass
class KernelUse:
    """What a container has used. `limit_bytes` None: no limit."""

    cpu_ns: int = 5_000_000_000
    memory_bytes: int = 40_000_000
    cache_bytes: int = 10_000_000
    limit_bytes: int | None = None
    receive_bytes: int = 1_000_000
    transmit_bytes: int = 2_000_000
    read_bytes: int = 3_000_000
    write_bytes: int = 4_000_000
    processes: int = 7


class KernelFiles:
    """A tree below `root` like /sys/fs/cgroup, and a /proc beside it."""

    def __init__(self, root: Path, version: int) -> None:
        self.version = version
        self.mount = Mount(str(root / "cgroup"), str(root / "proc"))
        self._root, self._proc = root / "cgroup", root / "proc"
        self._proc.mkdir(parents=True)
        if version == 1:
            for controller in V1_CONTROLLERS:
                (self._root / controller).mkdir(parents=True)
        else:
            self._root.mkdir()
            (self._root / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")

    def cgroups(self, *, most_open: int = 100) -> Cgroups:
        """Return what reads these files."""
        return Cgroups(GroupSearch(lambda: find_trees((self.mount,))), most_open=most_open)

    def write(self, group: str, use: KernelUse, *, pid: int | None = None) -> None:
        """Have a container's group, and its process where `pid` is given."""
        (self._write_v1 if self.version == 1 else self._write_v2)(group, use)
        if pid is not None:
            self._write_process(group, use, pid)

    def remove(self, group: str) -> None:
        """Let a group go, as the kernel does at a container's end."""
        roots = [self._root / each for each in V1_CONTROLLERS] if self.version == 1 else []
        for root in roots or [self._root]:
            rmtree(root / group)

    def spoil(self, group: str, text: bytes) -> None:
        """Write garbage into every file of a group."""
        for file in self._root.rglob(f"*{group}/*"):
            file.write_bytes(text)

    def _put(self, folder: Path, **texts: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            # Written in place: what is open already sees it, as with the kernel.
            (folder / name.replace("__", ".")).write_text(text)

    def _write_v1(self, group: str, use: KernelUse) -> None:
        limit = 9223372036854771712 if use.limit_bytes is None else use.limit_bytes
        self._put(self._root / "cpuacct" / group, cpuacct__usage=f"{use.cpu_ns}\n")
        self._put(
            self._root / "memory" / group,
            memory__usage_in_bytes=f"{use.memory_bytes}\n",
            memory__stat=(
                f"cache {use.cache_bytes}\nrss 53248\ninactive_file 0\nactive_file 155648\n"
                f"hierarchical_memory_limit {limit}\ntotal_cache {use.cache_bytes}\n"
                f"total_inactive_file {use.cache_bytes}\ntotal_active_file 155648\n"
            ),
        )
        counted = (
            f"8:0 Read {use.read_bytes - 5}\n8:0 Write {use.write_bytes}\n8:0 Sync 1\n"
            f"8:0 Async 2\n8:0 Discard 3\n8:0 Total 4\n252:1 Read 5\n252:1 Write 0\nTotal 9\n"
        )
        self._put(self._root / "blkio" / group, blkio__throttle__io_service_bytes_recursive=counted)
        self._put(self._root / "pids" / group, pids__current=f"{use.processes}\n")

    def _write_v2(self, group: str, use: KernelUse) -> None:
        limit = "max" if use.limit_bytes is None else str(use.limit_bytes)
        self._put(
            self._root / group,
            cpu__stat=(
                f"usage_usec {use.cpu_ns // 1000}\nuser_usec 1\nsystem_usec 2\nnr_periods 0\n"
                "nr_throttled 0\nthrottled_usec 0\n"
            ),
            memory__current=f"{use.memory_bytes}\n",
            memory__max=f"{limit}\n",
            memory__stat=(
                f"anon 1\nfile {use.cache_bytes}\nkernel 3\ninactive_anon 4\nactive_anon 5\n"
                f"inactive_file {use.cache_bytes}\nactive_file 6\nworkingset_refault_file 7\n"
            ),
            io__stat=(
                f"8:0 rbytes={use.read_bytes - 5} wbytes={use.write_bytes} rios=1 wios=2 "
                "dbytes=3 dios=4\n"
                "252:1 rbytes=5 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n7:0 \n"
            ),
            pids__current=f"{use.processes}\n",
        )

    def _write_process(self, group: str, use: KernelUse, pid: int) -> None:
        folder = self._proc / str(pid)
        if self.version == 1:
            lines = [f"{n}:{name}:/{group}" for n, name in enumerate(V1_CONTROLLERS, start=1)]
        else:
            lines = [f"0::/{group}"]
        self._put(folder, cgroup="\n".join(lines) + "\n")
        links = "".join(
            f"{name:>6}: {received:>7} 1 0 0 0 0 0 0 {sent:>8} 1 0 0 0 0 0 0\n"
            for name, received, sent in (
                ("eth0", use.receive_bytes - 10, use.transmit_bytes),
                ("eth1", 10, 0),
            )
        )
        self._put(folder / "net", dev=_NET_DEV + links)
