"""Runs inside a network of a test's own: makes load there, or reads it in two ways at once.

`load`: listens and connects, sends without end; prints "ready", ends with its input.
`read`: what the agent's own eyes see between two looks of `ip` and `ss`, as one JSON document.
`view`: what they see of the machine from wherever this runs.
"""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

CONNECTIONS = 150
TIME_WAITS = 40
CLOSE_WAITS = 5
BUSY = 4
ROUNDS = 5


def command(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


async def load(peer: str, connections: int) -> None:
    """Hold sockets of every kind, and send through the loopback and to `peer` all the time."""
    async with contextlib.AsyncExitStack() as stack:
        server = await asyncio.start_server(_swallow, "127.0.0.1", 0)
        stack.push_async_callback(_close, server)
        port = server.sockets[0].getsockname()[1]
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
        for _ in range(TIME_WAITS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write_eof()
            await reader.read()  # until the other side has closed, too
            writer.close()
        kept = [
            *_listeners(stack),
            *(_half_closed(stack) for _ in range(CLOSE_WAITS)),
            *_udp_sockets(stack, peer),
        ]
        pumps = [asyncio.create_task(_pump(writer)) for _, writer in held[:BUSY]]
        pumps.append(asyncio.create_task(_send_datagrams(peer)))
        print("ready", len(kept), flush=True)  # noqa: T201  # what the test waits for
        await asyncio.to_thread(sys.stdin.read)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for _, writer in held:
            writer.transport.abort()


def _listeners(stack: contextlib.ExitStack | contextlib.AsyncExitStack) -> list[socket.socket]:
    made = []
    for address in ("127.0.0.1", "0.0.0.0", "::1", "::"):  # noqa: S104  # in a network of its own
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        made.append(stack.enter_context(socket.create_server((address, 0), family=family)))
    both = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    made.append(stack.enter_context(both))
    return made


def _half_closed(stack: contextlib.AsyncExitStack) -> socket.socket:
    """Have a connection whose other side has said that it will send no more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = stack.enter_context(socket.create_connection(server.getsockname()))
        theirs, _ = server.accept()
        stack.enter_context(theirs)
        theirs.shutdown(socket.SHUT_WR)
        return ours


def _udp_sockets(stack: contextlib.AsyncExitStack, peer: str) -> list[socket.socket]:
    made = []
    for port in (5353, 1900):
        made.append(stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
        made[-1].bind(("", port))
    made.append(stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
    made[-1].connect((peer, 9))
    return made


async def _swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while await reader.read(1 << 16):
            pass
    writer.close()


async def _close(server: asyncio.Server) -> None:
    server.close()


async def _pump(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 100_000)
        await writer.drain()
        await asyncio.sleep(0.002)


async def _send_datagrams(peer: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((peer, 9))
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                sender.send(b"y" * 1000)
            await asyncio.sleep(0.002)


async def read() -> dict[str, Any]:
    """Return what the agent's eyes see, and what `ip` and `ss` say in the same second."""
    from homelab_agent.platform.host.linux_network import LinuxNetwork  # noqa: PLC0415
    from homelab_agent.platform.host.paths import find_paths  # noqa: PLC0415

    network = LinuxNetwork(find_paths())
    view = await network.look()
    names = [each.name for each in view.interfaces]
    rounds = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        before = _links()
        ours = {
            name: [counts.receive_bytes, counts.transmit_bytes, counts.receive_drops]
            for name, counts in (await network.traffic(names)).counts.items()
        }
        after = _links()
        rounds.append(
            {"before": before, "ours": ours, "after": after, "s": time.monotonic() - began}
        )
    listening = await network.listening()
    owners = await network.owners([each.inode for each in listening])
    counts, ss_states, ss_summary = await network.count_sockets(), _states(), command("ss", "-s")
    return {
        "rounds": rounds,
        "interfaces": {
            each.name: {
                "mac": each.mac,
                "mtu": each.mtu,
                "state": each.state,
                "addresses": sorted(str(address) for address in each.addresses),
            }
            for each in view.interfaces
        },
        "ip_addr": json.loads(command("ip", "-j", "addr")),
        "gateways": [
            str(route.gateway) if route else None for route in (view.route_ipv4, view.route_ipv6)
        ],
        "ip_route": [
            json.loads(command("ip", "-j", version, "route", "show", "default"))
            for version in ("-4", "-6")
        ],
        "neighbours": sorted(
            [str(each.address), each.mac] for each in await network.neighbours() if each.mac
        ),
        "ip_neigh": json.loads(command("ip", "-j", "neigh")),
        "ports": sorted(
            [each.transport, str(each.address), each.port, owner.pid if owner else None]
            for each in listening
            for owner in (owners.get(each.inode),)
        ),
        "ss_ports": sorted(_ports()),
        "counts": {
            name: getattr(counts, name)
            for name in ("established", "listening", "time_wait", "close_wait", "other", "udp")
        },
        "ss_states": ss_states,
        "ss_summary": ss_summary,
        "cost_ms": {
            "count": await _cost_ms(network.count_sockets),
            "listening": await _cost_ms(network.listening),
            "look": await _cost_ms(network.look),
        },
    }


async def view() -> dict[str, Any]:
    """Return what is seen from here."""
    from homelab_agent.platform.host.linux_network import LinuxNetwork  # noqa: PLC0415
    from homelab_agent.platform.host.paths import find_paths  # noqa: PLC0415

    network = LinuxNetwork(find_paths())
    seen, listening = await network.look(), await network.listening()
    owners = await network.owners([each.inode for each in listening])
    return {
        "is_of_container": network.is_of_container,
        "hint": network.hint,
        "addresses": {each.name: sorted(map(str, each.addresses)) for each in seen.interfaces},
        "macs": {each.name: each.mac for each in seen.interfaces},
        "gateway": str(seen.route_ipv4.gateway) if seen.route_ipv4 else None,
        "processes": {
            str(each.port): owners[each.inode].process if each.inode in owners else None
            for each in listening
        },
    }


def _links() -> dict[str, list[int]]:
    found = {}
    for link in json.loads(command("ip", "-s", "-j", "link")):
        received, sent = link["stats64"]["rx"], link["stats64"]["tx"]
        found[link["ifname"]] = [received["bytes"], sent["bytes"], received["dropped"]]
    return found


def _states() -> dict[str, int]:
    states: dict[str, int] = {}
    for line in command("ss", "-H", "-tan").splitlines():
        state = line.split()[0]
        states[state] = states.get(state, 0) + 1
    states["udp"] = len(command("ss", "-H", "-uan").splitlines())
    return states


def _ports() -> list[list[Any]]:
    found: list[list[Any]] = []
    for line in command("ss", "-H", "-tulpn").splitlines():
        transport, _state, _, _, local, *_ = line.split()
        address, _, port = local.rpartition(":")
        # "*" is a socket for both IP versions.
        address = "::" if address == "*" else address.strip("[]").partition("%")[0]
        pid = line.partition("pid=")[2].partition(",")[0]
        found.append([transport, str(ip_address(address)), int(port), int(pid) if pid else None])
    return found


async def _cost_ms(read_it: Callable[[], Any]) -> float:
    """Return what the fastest of a few reads costs in processor time of this process."""
    costs = []
    for _ in range(ROUNDS):
        began = time.process_time()
        await read_it()
        costs.append((time.process_time() - began) * 1000)
    return round(min(costs), 2)


if __name__ == "__main__":
    if sys.argv[1] == "load":
        asyncio.run(load(sys.argv[2], int(sys.argv[3])))
    else:
        answer = asyncio.run(read() if sys.argv[1] == "read" else view())
        print(json.dumps(answer))  # noqa: T201  # the answer
