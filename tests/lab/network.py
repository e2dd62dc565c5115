"""A network of the test's own: one namespace on a cable that can be pulled out and put back."""

import asyncio
import os
from ipaddress import ip_network
from types import TracebackType
from typing import Self

ADDRESSES = ip_network("10.231.0.0/16")


class CommandFailed(Exception):
    """A command ended with an error; the message holds its output."""


async def run(*command: str) -> str:
    """Run a command and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise CommandFailed(f"{' '.join(command)}: {output.decode().strip()}")
    return output.decode()


class PrivateNetwork:
    """A namespace with an address of its own, seen from here through a veth pair."""

    def __init__(self) -> None:
        # Runs of several people beside each other must not share addresses.
        first = 4 * (os.getpid() % (ADDRESSES.num_addresses // 4))
        self.outer_address = str(ADDRESSES[first + 1])
        self.inner_address = str(ADDRESSES[first + 2])
        self.name = f"homelab-{os.getpid()}"
        self._outer = f"hl{os.getpid()}o"
        self._inner = f"hl{os.getpid()}i"

    @property
    def prefix(self) -> tuple[str, ...]:
        """What to write before a command so that it runs inside."""
        return ("ip", "netns", "exec", self.name)

    async def __aenter__(self) -> Self:
        await run("ip", "netns", "add", self.name)
        await run("ip", "link", "add", self._outer, "type", "veth", "peer", "name", self._inner)
        await run("ip", "link", "set", self._inner, "netns", self.name)
        await run("ip", "addr", "add", f"{self.outer_address}/30", "dev", self._outer)
        await run("ip", "link", "set", self._outer, "up")
        await run(*self.prefix, "ip", "link", "set", "lo", "up")
        await run(*self.prefix, "ip", "addr", "add", f"{self.inner_address}/30", "dev", self._inner)
        await run(*self.prefix, "ip", "link", "set", self._inner, "up")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The pair goes with the namespace that holds its other end.
        await run("ip", "netns", "del", self.name)

    async def cut(self) -> None:
        """Pull the cable out: packets vanish, nobody is told."""
        await run("ip", "link", "set", self._outer, "down")

    async def mend(self) -> None:
        """Put the cable back."""
        await run("ip", "link", "set", self._outer, "up")
