"""What is read out of the kernel's files about a network, also about one that is not our own."""

import asyncio
import os
import socket
import subprocess
import sys
from dataclasses import replace
from ipaddress import ip_address, ip_interface
from pathlib import Path

import pytest

import homelab_agent
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.host.linux_network import LinuxNetwork
from homelab_agent.platform.host.network import (
    DefaultRoute,
    InterfaceState,
    InterfaceType,
    MachineNetwork,
    Transport,
)
from homelab_agent.platform.host.paths import HostPaths, View
from tests.fakes.network_files import ANYWHERE, BOOT_ID, Link, NetworkFiles

CONTAINER = "3f" * 32
ESTABLISHED, TIME_WAIT, CLOSE, LISTEN = 1, 6, 7, 10

OWN = HostPaths(
    proc=Path("/proc"),
    sys=Path("/sys"),
    root=Path("/"),
    net=Path("/proc/self/net"),
    processes=View.HOST,
    network=View.HOST,
    filesystems=View.HOST,
    has_own_network=False,
    has_own_processes=False,
)

FIB_TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
     |-- 192.168.1.10
        /32 host LOCAL
     |-- 192.168.1.255
        /32 link BROADCAST
     |-- 172.17.0.1
        /32 host LOCAL
Local:
     |-- 192.168.1.10
        /32 host LOCAL
"""
IF_INET6 = (
    "00000000000000000000000000000001 01 80 10 80       lo\n"
    "20010db800000000a1b2c3d4e5f60718 02 40 00 01     eth0\n"
    "20010db8000000000000000000000099 02 40 00 a0     eth0\n"
    "20010db8000000000000000000000010 02 40 00 80     eth0\n"
)


@pytest.fixture
def files(tmp_path: Path) -> NetworkFiles:
    return NetworkFiles(tmp_path)


@pytest.fixture
def network(files: NetworkFiles) -> MachineNetwork:
    return LinuxNetwork(files.paths)


async def test_interfaces_say_what_they_are_and_the_ends_of_containers_cables_are_left_out(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    files.write_links(
        Link("lo", 1, files={"type": "772", "operstate": "unknown", "carrier": "1"}),
        Link("eth0", 2, files={"device": "folder", "speed": "1000", "duplex": "full"}),
        Link("wlan0", 3, files={"uevent": "DEVTYPE=wlan", "operstate": "down", "speed": "-1"}),
        Link("docker0", 4, files={"uevent": "DEVTYPE=bridge", "brif/veth1": "folder"}),
        Link("br0", 5, files={"uevent": "DEVTYPE=bridge", "brif/eth0": "folder"}),
        Link("bond0", 6, files={"uevent": "DEVTYPE=bond"}),
        Link("eth0.10", 7, other_end=2, files={"uevent": "DEVTYPE=vlan"}),
        Link("wg0", 8, files={"uevent": "DEVTYPE=wireguard", "type": "65534", "address": ""}),
        Link("veth1", 9, other_end=40, files={"master": "docker0"}),
        Link("dummy0", 10, files={"operstate": "unknown"}),
    )
    found = {each.name: each for each in (await network.look()).interfaces}
    assert {name: each.type for name, each in found.items()} == {
        "lo": InterfaceType.LOOPBACK,
        "eth0": InterfaceType.ETHERNET,
        "wlan0": InterfaceType.WIRELESS,
        "docker0": InterfaceType.BRIDGE,
        "br0": InterfaceType.BRIDGE,
        "bond0": InterfaceType.BOND,
        "eth0.10": InterfaceType.VLAN,
        "wg0": InterfaceType.TUNNEL,
        "dummy0": InterfaceType.OTHER,
    }
    assert found["lo"].state is InterfaceState.UP
    assert found["wlan0"].state is InterfaceState.DOWN
    assert (found["eth0"].speed_mbit, found["eth0"].full_duplex) == (1000, True)
    assert (found["wlan0"].speed_mbit, found["wlan0"].full_duplex) == (None, None)
    assert found["eth0"].mac == "02:00:00:00:00:02"
    assert found["wg0"].mac is None
    assert found["docker0"].of_containers
    assert not found["br0"].of_containers


async def test_a_machine_that_is_itself_at_the_end_of_a_virtual_cable_keeps_it(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    # As in an LXC container that runs Docker.
    files.write_links(Link("eth0", 2, other_end=30), Link("veth9", 3, other_end=31))
    files.write("fib_trie", FIB_TRIE)
    files.write_routes(("eth0", "192.168.1.0", ANYWHERE, "255.255.255.0", 0))
    assert [each.name for each in (await network.look()).interfaces] == ["eth0"]


async def test_a_cable_that_is_taken_out_of_its_bridge_and_used_here_is_shown(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    files.write_links(Link("veth7", 3, other_end=31, files={"master": "docker0"}))
    for _ in range(3):
        assert (await network.look()).interfaces == ()
    (files.sys / "class/net/veth7/master").unlink()
    files.write("fib_trie", FIB_TRIE)
    files.write_routes(("veth7", "192.168.1.0", ANYWHERE, "255.255.255.0", 0))
    assert [each.name for each in (await network.look()).interfaces] == ["veth7"]


async def test_addresses_of_a_network_that_is_not_our_own_come_from_its_files(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    files.write_links(Link("lo", 1), Link("eth0", 2), Link("docker0", 3))
    files.write("fib_trie", FIB_TRIE)
    files.write("if_inet6", IF_INET6)
    files.write_routes(
        ("eth0", ANYWHERE, "192.168.1.1", ANYWHERE, 100),
        ("wlan0", ANYWHERE, "192.168.7.1", ANYWHERE, 600),
        ("eth0", "192.168.1.0", ANYWHERE, "255.255.255.0", 100),
        ("docker0", "172.17.0.0", ANYWHERE, "255.255.0.0", 0),
    )
    view = await network.look()
    assert {each.name: each.addresses for each in view.interfaces} == {
        "lo": (ip_interface("127.0.0.1/8"), ip_interface("::1/128")),
        "eth0": (
            ip_interface("192.168.1.10/24"),
            ip_interface("2001:db8::10/64"),
            ip_interface("2001:db8::a1b2:c3d4:e5f6:718/64"),  # temporary
            ip_interface("2001:db8::99/64"),  # deprecated
        ),
        "docker0": (ip_interface("172.17.0.1/16"),),
    }
    assert view.route_ipv4 == DefaultRoute("eth0", ip_address("192.168.1.1"))
    assert view.route_ipv6 is None
    assert "--network host" in (network.hint or "")


async def test_the_preferred_way_out_is_the_one_that_can_be_used(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    nothing, router = "0" * 32, "fe80000000000000000000000000000a"
    files.write(
        "ipv6_route",
        # The kernel keeps a way that refuses everything on the loopback.
        f"{nothing} 00 {nothing} 00 {nothing} ffffffff 00000001 00000000 00200200       lo\n"
        f"{nothing} 00 {nothing} 00 {router} 00000400 00000001 00000000 00000003     eth0\n"
        f"{nothing} 00 {nothing} 00 {nothing} 00000100 00000001 00000000 00000001     ppp0\n",
    )
    view = await network.look()
    assert view.route_ipv6 == DefaultRoute("ppp0", None)
    assert view.route_ipv4 is None


async def test_name_servers_are_those_that_are_really_asked(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    resolv = files.root / "etc/resolv.conf"
    resolv.write_text("# made by hand\nnameserver 192.168.1.1\nnameserver fe80::1%eth0\n")
    assert (await network.look()).dns_servers == ("192.168.1.1", "fe80::1")
    resolv.write_text("nameserver 127.0.0.53\noptions edns0\n")
    upstream = files.root / "run/systemd/resolve/resolv.conf"
    upstream.parent.mkdir(parents=True)
    upstream.write_text("nameserver 9.9.9.9\n")
    assert (await network.look()).dns_servers == ("9.9.9.9",)


async def test_counters_of_an_interface_that_was_made_anew_are_others(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    files.write_links(
        Link("eth0", 2, received=2**40, sent=7, receive_errors=3, transmit_drops=4),
        Link("wg0", 5, received=5),
    )
    first = (await network.traffic(("eth0", "gone"))).counts
    assert set(first) == {"eth0"}
    assert (first["eth0"].receive_bytes, first["eth0"].transmit_bytes) == (2**40, 7)
    assert (first["eth0"].receive_errors, first["eth0"].transmit_errors) == (3, 0)
    assert (first["eth0"].receive_drops, first["eth0"].transmit_drops) == (0, 4)
    assert first["eth0"].epoch.startswith(BOOT_ID)
    files.write_links(Link("eth0", 9, received=1))
    assert (await network.traffic(("eth0",))).counts["eth0"].epoch != first["eth0"].epoch


async def test_what_listens_is_found_without_reading_twenty_thousand_connections(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    files.write_sockets(
        "tcp",
        ("127.0.0.1", 5432, ANYWHERE, 0, LISTEN, 11),
        (ANYWHERE, 8080, ANYWHERE, 0, LISTEN, 12),
        *(("10.0.0.1", 8080, "10.0.0.2", 1024 + n, ESTABLISHED, 100 + n) for n in range(2000)),
    )
    files.write_sockets(
        "tcp6",
        ("::", 22, "::", 0, LISTEN, 13),
        ("::ffff:127.0.0.1", 6379, "::", 0, LISTEN, 14),
    )
    found = {(each.transport, str(each.address), each.port) for each in await network.listening()}
    assert found == {
        (Transport.TCP, "127.0.0.1", 5432),
        (Transport.TCP, ANYWHERE, 8080),
        (Transport.TCP, "::", 22),
        (Transport.TCP, "127.0.0.1", 6379),
    }


async def test_a_client_of_a_name_server_is_told_apart_from_a_service(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    (files.proc / "sys/net/ipv4").mkdir(parents=True)
    (files.proc / "sys/net/ipv4/ip_local_port_range").write_text("40000\t60999\n")
    files.write_sockets(
        "udp",
        (ANYWHERE, 53, ANYWHERE, 0, CLOSE, 21),
        (ANYWHERE, 40001, ANYWHERE, 0, CLOSE, 22),
        ("10.0.0.1", 40002, "9.9.9.9", 53, ESTABLISHED, 23),
    )
    found = {each.port: each.is_ephemeral for each in await network.listening()}
    assert found == {53: False, 40001: True}
    (connection,) = await network.connections()
    assert (connection.local_port, str(connection.remote_address)) == (40002, "9.9.9.9")


async def test_connections_are_counted_by_state(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    files.write_sockets(
        "tcp",
        (ANYWHERE, 80, ANYWHERE, 0, LISTEN, 1),
        ("10.0.0.1", 80, "10.0.0.2", 5, ESTABLISHED, 2),
        ("10.0.0.1", 80, "10.0.0.2", 6, ESTABLISHED, 3),
        ("10.0.0.1", 80, "10.0.0.2", 7, TIME_WAIT, 0),
        ("10.0.0.1", 80, "10.0.0.2", 8, 8, 4),
        ("10.0.0.1", 80, "10.0.0.2", 9, 12, 0),
    )
    files.write_sockets("tcp6", ("::", 443, "::", 0, LISTEN, 5))
    files.write_sockets("udp", (ANYWHERE, 53, ANYWHERE, 0, CLOSE, 6))
    counts = await network.count_sockets()
    assert (counts.listening, counts.established, counts.time_wait) == (2, 2, 1)
    assert (counts.close_wait, counts.other, counts.udp) == (1, 1, 1)
    states = sorted(each.state for each in await network.connections())
    assert states == ["CLOSE_WAIT", "ESTABLISHED", "ESTABLISHED", "SYN_RECV", "TIME_WAIT"]


async def test_a_socket_belongs_to_the_oldest_process_that_holds_it_but_not_to_the_first_of_all(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    files.write_process(1, "systemd", 31, 32)
    files.write_process(900, "nginx", 31, cgroup=f"0::/system.slice/docker-{CONTAINER}.scope\n")
    files.write_process(901, "nginx-worker", 31)
    owners = await network.owners({31, 32, 33})
    assert (owners[31].process, owners[31].pid) == ("nginx", 900)
    assert owners[31].container_id == CONTAINER
    assert (owners[32].process, owners[32].container_id) == ("systemd", None)
    assert 33 not in owners


async def test_in_its_own_control_groups_the_agent_still_knows_its_own_container(
    files: NetworkFiles,
) -> None:
    """With cgroup v2 a container's own group has no name to what runs in it."""
    files.own_id = CONTAINER
    files.write_process(700, "homelab-agent", 31, cgroup="0::/\n")
    files.write_process(800, "sshd", 32, cgroup="0::/../../system.slice/ssh.service\n")
    (files.proc / "self").symlink_to("700")
    owners = await LinuxNetwork(files.paths).owners({31, 32})
    assert {each.pid: each.container_id for each in owners.values()} == {700: CONTAINER, 800: None}


async def test_neighbours_of_a_network_that_is_not_our_own_come_from_its_table(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    files.write(
        "arp",
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "192.168.1.1      0x1         0x2         02:00:00:00:00:01     *        eth0\n"
        "192.168.1.9      0x1         0x0         00:00:00:00:00:00     *        eth0\n",
    )
    first, second = await network.neighbours()
    assert (str(first.address), first.mac) == ("192.168.1.1", "02:00:00:00:00:01")
    assert (second.state, second.mac) == ("FAILED", None)


async def test_a_proc_that_was_unmounted_is_told_and_not_an_empty_network(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    (files.net / "dev").unlink()
    with pytest.raises(Unavailable) as unavailable:
        await network.look()
    assert "host_proc" in (unavailable.value.hint or "")


async def test_garbage_in_the_kernels_files_stops_nothing(
    files: NetworkFiles, network: MachineNetwork
) -> None:
    for name in ("route", "ipv6_route", "if_inet6", "fib_trie", "arp", "tcp", "udp6"):
        files.write(name, "one line\n\x00\xff of: garbage \n")
    with (files.net / "dev").open("ab") as devices:
        devices.write(b"a\xff\xfe:" + b" 1" * 16 + b"\n")
    assert (await network.look()).route_ipv4 is None
    assert await network.traffic(["a\ufffd\ufffd"])
    assert await network.listening() == ()
    assert await network.neighbours() == ()
    files.write("route", "heading\n" + "x " * 11)
    with pytest.raises(Unavailable):
        await network.look()


async def test_a_container_without_the_machines_files_says_so() -> None:
    nothing = View.CONTAINER
    paths = replace(OWN, processes=nothing, network=nothing, has_own_network=True)
    network = LinuxNetwork(paths)
    assert network.is_of_container
    assert "/host/proc" in (network.hint or "")
    assert "lo" in {each.name for each in (await network.look()).interfaces}


async def test_without_the_machines_sys_our_own_is_not_taken_for_it(files: NetworkFiles) -> None:
    paths = replace(files.paths, sys=Path("/sys"), filesystems=View.CONTAINER)
    files.write_links(
        Link("lo", 1), Link("eth0", 2), Link("br-0123456789ab", 3), Link("veth01234ab", 4)
    )
    view = await LinuxNetwork(paths).look()
    assert [(each.name, each.type, each.mac, each.mtu) for each in view.interfaces] == [
        ("lo", InterfaceType.LOOPBACK, None, None),
        ("eth0", InterfaceType.OTHER, None, None),
        ("br-0123456789ab", InterfaceType.BRIDGE, None, None),
    ]
    assert view.dns_servers == ()


async def test_our_own_network_shows_a_real_listening_socket_and_its_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        network = LinuxNetwork(OWN)
        (found,) = [each for each in await network.listening() if each.port == port]
        assert found.address == ip_address("127.0.0.1")
        owners = await network.owners((found.inode,))
    assert owners[found.inode].process


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_an_agent_that_may_not_look_at_other_processes_says_what_would_let_it(
    tmp_path: Path,
) -> None:
    files = NetworkFiles(tmp_path / "machine", own_network=False)
    files.write_process(1, "systemd", 31)
    network = LinuxNetwork(files.paths)
    await network.look()
    assert network.hint is None
    # Nobody but root may look there, and the kernel refuses that even to root without a right.
    refused = await asyncio.to_thread(_hint_without_rights, files.proc)
    assert "SYS_PTRACE" in refused


def _hint_without_rights(proc: Path) -> str:
    (proc / "1/fd").chmod(0o700)
    for folder in (proc, *proc.parents[:3]):
        folder.chmod(0o755)
    program = (
        "import asyncio, os, sys; os.setgid(65534); os.setuid(65534); "
        "from pathlib import Path; from dataclasses import replace; "
        "from homelab_agent.platform.host.linux_network import LinuxNetwork; "
        "from homelab_agent.platform.host.paths import find_paths; "
        "paths = replace(find_paths(), proc=Path(sys.argv[1])); network = LinuxNetwork(paths); "
        "asyncio.run(network.look()); print(network.hint)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(proc)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(homelab_agent.__file__).parents[1],
    )
    return found.stdout
