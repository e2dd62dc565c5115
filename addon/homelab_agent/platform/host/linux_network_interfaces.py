"""Interfaces as /sys/class/net tells of them, and their counters. Everything here blocks."""

import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from homelab_agent.platform.host.network import (
    AddressWithPrefix,
    Interface,
    InterfaceCounts,
    InterfaceState,
    InterfaceType,
)

_LINK = re.compile(r"^\s*([^\s:]+(?::[^\s:]+)*):\s*((?:\d+\s+){15}\d+)\s*$", re.MULTILINE)
"""A name may hold colons, as old aliases have it."""

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_DOCKER_CABLE = re.compile(r"veth[0-9a-f]{7}")
_DOCKER_BRIDGE = re.compile(r"docker[0-9]+|docker_gwbridge|br-[0-9a-f]{12}")
_NO_MAC = "00:00:00:00:00:00"
_ETHERNET, _LOOPBACK = 1, 772
_TUNNELS = frozenset({512, 768, 769, 776, 778, 823, 65534})
"""The kernel's numbers for links of the kinds ppp, ipip, ip6tnl, sit, gre, ip6gre, none (tun)."""

_BY_DEVICE_TYPE = {
    "wlan": InterfaceType.WIRELESS,
    "bridge": InterfaceType.BRIDGE,
    "bond": InterfaceType.BOND,
    "vlan": InterfaceType.VLAN,
    "vxlan": InterfaceType.TUNNEL,
    "geneve": InterfaceType.TUNNEL,
    "wireguard": InterfaceType.TUNNEL,
    "gre": InterfaceType.TUNNEL,
    "ppp": InterfaceType.TUNNEL,
}
_STATES = {
    "up": InterfaceState.UP,
    "down": InterfaceState.DOWN,
    "lowerlayerdown": InterfaceState.DOWN,
    "notpresent": InterfaceState.DOWN,
    "dormant": InterfaceState.DOWN,
}
_DUPLEX = {"full": True, "half": False}
_HAVE_SPEED = frozenset({InterfaceType.ETHERNET, InterfaceType.BOND, InterfaceType.WIRELESS})


class Classes:
    """The folder /sys/class/net of the network that is looked at; `folder` None where unseen."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._cables: frozenset[str] = frozenset()

    def interfaces(
        self, names: Sequence[str], addresses: Mapping[str, tuple[AddressWithPrefix, ...]]
    ) -> tuple[Interface, ...]:
        """Return these interfaces, without the ends of containers' virtual cables."""
        # There may be hundreds of cables: of one that is known only its bridge is looked for.
        known = {name for name in names if name in self._cables and self._is_in_bridge(name)}
        cables, found = set(known), []
        for name in names:
            if name in known:
                continue
            interface = self._interface(name, addresses.get(name, ()))
            if interface is not None:
                found.append(interface)
            elif self._is_in_bridge(name):
                cables.add(name)
        self._cables = frozenset(cables)
        return tuple(found)

    def _is_in_bridge(self, name: str) -> bool:
        return os.path.lexists(f"{self._folder}/{name}/master")  # one of hundreds

    def _interface(self, name: str, addresses: tuple[AddressWithPrefix, ...]) -> Interface | None:
        if self._folder is None or not (self._folder / name).is_dir():
            return _by_name(name, addresses)
        folder = self._folder / name
        if _is_cable(folder) and _leads_to_container(folder, addresses):
            return None
        kind = _type(folder)
        return Interface(
            name=name,
            type=kind,
            state=_state(folder),
            mac=_mac(folder),
            addresses=addresses,
            mtu=_number(folder / "mtu"),
            speed_mbit=_speed(folder) if kind in _HAVE_SPEED else None,
            full_duplex=_DUPLEX.get(_text(folder / "duplex")),
            of_containers=kind is InterfaceType.BRIDGE and self._is_of_containers(folder),
        )

    def index(self, name: str) -> int | None:
        """Return the number the kernel gave an interface: never the same one twice."""
        return None if self._folder is None else _number(self._folder / name / "ifindex")

    def _is_of_containers(self, bridge: Path) -> bool:
        """Return whether nothing but virtual cables leads into a bridge."""
        try:
            members = [entry.name for entry in (bridge / "brif").iterdir()]
        except OSError:
            return False
        return all(_is_cable(bridge.parent / member) for member in members)


def read_counts(
    text: str, interfaces: Collection[str], classes: Classes, boot_id: str
) -> Mapping[str, InterfaceCounts]:
    """Return what these interfaces have counted, out of /proc/net/dev."""
    found: dict[str, InterfaceCounts] = {}
    for name, columns in _LINK.findall(text):
        if name not in interfaces:
            continue
        # bytes packets errs drop fifo frame compressed multicast, and the same for what is sent
        counts = [int(column) for column in columns.split()]
        found[name] = InterfaceCounts(
            epoch=f"{boot_id}:{classes.index(name) or ''}",
            receive_bytes=counts[0],
            transmit_bytes=counts[8],
            receive_errors=counts[2],
            transmit_errors=counts[10],
            receive_drops=counts[3],
            transmit_drops=counts[11],
        )
    return found


def interface_names(text: str) -> tuple[str, ...]:
    """Return the interfaces that /proc/net/dev lists."""
    return tuple(name for name, _ in _LINK.findall(text))


def _type(folder: Path) -> InterfaceType:
    number = _number(folder / "type")
    by_device = _BY_DEVICE_TYPE.get(_device_type(folder))
    if number == _LOOPBACK:
        return InterfaceType.LOOPBACK
    if by_device is not None:
        return by_device
    if number in _TUNNELS or (folder / "tun_flags").exists():
        return InterfaceType.TUNNEL
    if (folder / "phy80211").exists():
        return InterfaceType.WIRELESS
    is_link = number == _ETHERNET and ((folder / "device").exists() or _is_cable(folder))
    return InterfaceType.ETHERNET if is_link else InterfaceType.OTHER


def _by_name(name: str, addresses: tuple[AddressWithPrefix, ...]) -> Interface | None:
    """Return what an interface's name tells where nothing else does: Docker's names are known."""
    if _DOCKER_CABLE.fullmatch(name):
        return None
    of_containers = _DOCKER_BRIDGE.fullmatch(name) is not None
    kind = InterfaceType.BRIDGE if of_containers else InterfaceType.OTHER
    return Interface(
        name=name,
        type=InterfaceType.LOOPBACK if name == "lo" else kind,
        addresses=addresses,
        of_containers=of_containers,
    )


def _state(folder: Path) -> InterfaceState:
    told = _STATES.get(_text(folder / "operstate"))
    if told is not None:
        return told
    # Loopback, tunnels and others never say more than "unknown".
    match _text(folder / "carrier"):
        case "1":
            return InterfaceState.UP
        case "0" | "":
            return InterfaceState.DOWN
        case _:
            return InterfaceState.UNKNOWN


def _mac(folder: Path) -> str | None:
    text = _text(folder / "address")
    return text if _MAC.fullmatch(text) and text != _NO_MAC else None


def _speed(folder: Path) -> int | None:
    speed = _number(folder / "speed")
    return speed if speed is not None and speed > 0 and not _is_cable(folder) else None


def _is_cable(folder: Path) -> bool:
    """Return whether this is one end of a virtual cable (veth)."""
    index, other_end = _number(folder / "ifindex"), _number(folder / "iflink")
    return (
        index != other_end
        and not _device_type(folder)
        and _number(folder / "type") == _ETHERNET
        and not (folder / "device").exists()
    )


def _leads_to_container(folder: Path, addresses: tuple[AddressWithPrefix, ...]) -> bool:
    """Return whether a cable's other end is somebody else's; our own end has a real address."""
    if (folder / "master").exists():
        return True
    return all(address.ip.is_link_local for address in addresses)


def _device_type(folder: Path) -> str:
    for line in _text(folder / "uevent").splitlines():
        if line.startswith("DEVTYPE="):
            return line.removeprefix("DEVTYPE=")
    return ""


def _number(file: Path) -> int | None:
    text = _text(file)
    return int(text) if text.removeprefix("-").isdigit() else None


def _text(file: Path) -> str:
    """Return a small file; "" where it is not there or the driver has nothing to say."""
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""
