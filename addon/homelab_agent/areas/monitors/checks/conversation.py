"""A connection on which something is said: within a deadline, and closed whatever happens."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.failures import FAILURES, down, failed, timed_out
from homelab_agent.platform.outbound.connections import Outbound, where


@dataclass(slots=True)
class Talk:
    """An open connection. `waits_for` is told when the time is over, as in "a greeting"."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    place: str
    began: float
    waits_for: str = "answer"

    def elapsed_ms(self) -> float:
        """Return how long it is since the check began."""
        return (asyncio.get_running_loop().time() - self.began) * 1000


async def converse(
    outbound: Outbound,
    host: str,
    port: int,
    talk: Callable[[Talk], Awaitable[CheckOutcome]],
    timeout_s: float,
    *,
    allow_guarded: bool,
) -> CheckOutcome:
    """Connect and talk; raises nothing but CancelledError.

    A talk may raise `EOFError` and `asyncio.LimitOverrunError` of its reader.
    """
    place = where(host, port)
    began = asyncio.get_running_loop().time()
    current: Talk | None = None
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await outbound.open(
                host, port, timeout_s=timeout_s, allow_guarded=allow_guarded
            )
            current = Talk(reader, writer, place, began)
            return await talk(current)
    except EOFError:
        return down(CheckCode.CLOSED, f"{place} closed the connection without a whole answer.")
    except TimeoutError as error:
        if error.errno is not None:
            return failed(error, place)
        return timed_out(place, timeout_s, current.waits_for if current else "connection")
    except FAILURES as error:
        return failed(error, place)
    finally:
        if current is not None:
            # At once: what is not sent yet is of no use, and nobody is to be waited for.
            current.writer.transport.abort()
