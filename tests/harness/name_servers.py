"""What the name servers of the tests have in common: where they listen and how they are asked."""

import asyncio
import secrets
import socket
from collections.abc import Iterable
from contextlib import suppress

DNS_PORT = 53
ASK_S = 20
_TRIES = 100


class NotAnswered(Exception):
    """A program beside the name server, as kdig or knotc, could not do it; it says why."""


def own_address() -> str:
    """Return an address of this machine, as 127.31.7.200, on which nobody listens at port 53.

    With an address of its own every server has the usual port, so that the NS and address records
    of a zone are true and whoever follows them gets there. It takes root, as in the lab.
    """
    for _ in range(_TRIES):
        numbers = ".".join(str(secrets.randbelow(253) + 1) for _ in range(3))
        address = f"127.{numbers}"
        with suppress(OSError):
            _require_free(address)
            return address
    raise NotAnswered(f"no address with a free port {DNS_PORT}; is this root, in the lab?")


async def ask(address: str, name: str, kind: str) -> tuple[str, ...]:
    """Return the values that one server gives, sorted, as in a zone file.

    Raises:
        NotAnswered: it did not answer, or not with NOERROR.
    """
    said = await run("kdig", *_asking(address), name, kind)
    if "status: NOERROR" not in said:
        raise NotAnswered(f"{address} about {kind} {name}: {said.strip()}")
    rows = (line.split(maxsplit=4) for line in said.splitlines() if line and line[0] != ";")
    return tuple(sorted(row[4] for row in rows if row[3] == kind))


async def transferred(address: str, zone: str, tsig: str | None = None) -> tuple[str, ...]:
    """Return all records of a zone by AXFR, a line each, sorted; `tsig`: algorithm:name:secret.

    Raises:
        NotAnswered: the server does not give them.
    """
    key = ("-y", tsig) if tsig else ()
    said = await run("kdig", *_asking(address), *key, zone, "AXFR")
    lines = [line for line in said.splitlines() if line and line[0] != ";"]
    if not lines:
        raise NotAnswered(f"{address} does not transfer {zone}: {said.strip()}")
    return records_of(line for line in lines if line.split()[3] != "TSIG")


def records_of(lines: Iterable[str]) -> tuple[str, ...]:
    """Return lines of a zone in one spelling of blanks, sorted, each once."""
    return tuple(sorted({"\t".join(line.split(maxsplit=4)) for line in lines}))


def without_serial(records: Iterable[str]) -> str:
    """Return a zone as one text to be compared: all but the SOA, which counts the changes."""
    return "".join(f"{line}\n" for line in records if line.split()[3] != "SOA")


async def run(*command: str) -> str:
    """Return what a program says.

    Raises:
        NotAnswered: it failed.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise NotAnswered(f"{' '.join(command)}: {said.decode().strip()}")
    return said.decode()


def _asking(address: str) -> tuple[str, ...]:
    options = ("+tcp", f"+time={ASK_S}", "+retry=0", "+noquestion", "+nostats", "+noidn")
    return (f"@{address}", "-p", str(DNS_PORT), *options)


def _require_free(address: str) -> None:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind((address, DNS_PORT))
