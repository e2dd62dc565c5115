"""The kernel's files about a network, written by a test as the kernel writes them."""

import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address
from pathlib import Path

from homelab_agent.platform.host.paths import HostPaths, View

BOOT_ID = "0a3e4f8c-1111-4222-8333-444455556666"
ANYWHERE = "0.0.0.0"  # noqa: S104  # nothing is bound

_DEV = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast"
    "|bytes    packets errs drop fifo colls carrier compressed\n"
)
_SOCKETS = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"
    "   uid  timeout inode\n"
)
_ROUTE = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


@dataclass
class Link:
    """An interface: its counters, and what its folder in /sys/class/net says."""

    name: str
    index: int
    received: int = 0
    sent: int = 0
    receive_errors: int = 0
    transmit_drops: int = 0
    other_end: int | None = None
    files: dict[str, str] = field(default_factory=dict)


class NetworkFiles:
    """A /proc and a /sys below `root`; process 1 has this network, we have one of our own."""

    own_id: str | None = None
    """Of the container that the agent runs in."""

    def __init__(self, root: Path, *, own_network: bool = True) -> None:
        self.proc, self.sys, self.root = root / "proc", root / "sys", root / "root"
        self.net = self.proc / "1/net"
        for folder in (self.net, self.sys / "class/net", self.root / "etc"):
            folder.mkdir(parents=True)
        (self.proc / "sys/kernel/random").mkdir(parents=True)
        self.boot(BOOT_ID)
        self.write_links()
        self._own_network = own_network

    @property
    def paths(self) -> HostPaths:
        """Where all of it is."""
        return HostPaths(
            proc=self.proc,
            sys=self.sys,
            root=self.root,
            net=self.net,
            processes=View.HOST,
            network=View.HOST,
            filesystems=View.HOST,
            has_own_network=self._own_network,
            has_own_processes=False,
            own_id=self.own_id,
        )

    def boot(self, boot_id: str) -> None:
        """Let the machine have started anew."""
        (self.proc / "sys/kernel/random/boot_id").write_text(f"{boot_id}\n")

    def write_links(self, *links: Link) -> None:
        """Have these interfaces, and no others."""
        lines = [
            f"{link.name:>6}: {link.received:>7} 10 {link.receive_errors} 0 0 0 0 0 "
            f"{link.sent:>8} 20 0 {link.transmit_drops} 0 0 0 0\n"
            for link in links
        ]
        self.write("dev", _DEV + "".join(lines))
        for link in links:
            folder = self.sys / "class/net" / link.name
            folder.mkdir(exist_ok=True)
            files = {
                "ifindex": str(link.index),
                "iflink": str(link.other_end or link.index),
                "type": "1",
                "uevent": f"INTERFACE={link.name}\nIFINDEX={link.index}\n",
                "operstate": "up",
                "address": f"02:00:00:00:00:{link.index:02x}",
                "mtu": "1500",
                **link.files,
            }
            for name, text in files.items():
                if text == "folder":
                    (folder / name).mkdir(parents=True, exist_ok=True)
                else:
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (folder / name).write_text(f"{text}\n")

    def write(self, name: str, text: str) -> None:
        """Write one file of /proc/net."""
        (self.net / name).write_text(text)

    def write_routes(self, *rows: tuple[str, str, str, str, int]) -> None:
        """Have IPv4 routes: interface, destination, gateway, mask, metric."""
        lines = []
        for name, to, gateway, mask, metric in rows:
            flags = "0001" if gateway == ANYWHERE else "0003"
            lines.append(
                f"{name}\t{_digits(to)}\t{_digits(gateway)}\t{flags}"
                f"\t0\t0\t{metric}\t{_digits(mask)}\t0\t0\t0\n"
            )
        self.write("route", _ROUTE + "".join(lines))

    def write_sockets(self, name: str, *rows: tuple[str, int, str, int, int, int]) -> None:
        """Have sockets: local address and port, remote ones, state, inode."""
        lines = [
            f"{number:>4}: {_digits(local)}:{port:04X} {_digits(peer)}:{peer_port:04X} {state:02X} "
            f"00000000:00000000 00:00000000 00000000  1000        0 {inode} 1 0 100\n"
            for number, (local, port, peer, peer_port, state, inode) in enumerate(rows)
        ]
        self.write(name, _SOCKETS + "".join(lines))

    def write_process(
        self, pid: int, name: str, *inodes: int, cgroup: str = "0::/system.slice\n"
    ) -> None:
        """Have a process that holds these sockets."""
        folder = self.proc / str(pid)
        (folder / "fd").mkdir(parents=True, exist_ok=True)
        (folder / "comm").write_text(f"{name}\n")
        (folder / "cgroup").write_text(cgroup)
        (folder / "fd/0").symlink_to("/dev/null")
        for number, inode in enumerate(inodes, start=3):
            (folder / f"fd/{number}").symlink_to(f"socket:[{inode}]")


def _digits(text: str) -> str:
    address = ip_address(text)
    if isinstance(address, IPv4Address):
        return f"{struct.unpack('=I', address.packed)[0]:08X}"
    return "".join(f"{word:08X}" for word in struct.unpack("=4I", address.packed))
