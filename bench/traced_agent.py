"""Runs a Python program and writes down for what its jobs wait by themselves, one per line.

    python -m bench.traced_agent LOG PROGRAM [ARGUMENTS...]

What they wait for at a relay of the world is seen there; here are the pauses before they ask
again, with who made them, and the questions to name servers, which no relay is before.
"""

import asyncio
import runpy
import sys
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from socket import socket
from time import monotonic
from typing import Any

NAME_SERVERS = "name servers"
_IN_A_STEP = "progress_listener"
"""The context variable that is set within the steps of a job, and in the tasks they begin."""


def _is_in_a_step() -> bool:
    return any(each.name == _IN_A_STEP and value for each, value in copy_context().items())


def _caller() -> str:
    frame = sys._getframe(2)  # noqa: SLF001 - who awaits is the frame before
    return f"{'/'.join(Path(frame.f_code.co_filename).parts[-2:])}:{frame.f_lineno}"


def trace(tell: Callable[[float, float, str], None]) -> None:
    """Tell of each wait in a step: its begin and end by the monotonic clock, and what it was."""
    sleep, receive = asyncio.sleep, BaseSelectorEventLoop.sock_recv

    async def traced_sleep(delay: float, result: object = None) -> Any:
        if delay <= 0 or not _is_in_a_step():
            return await sleep(delay, result)
        began_s, caller = monotonic(), _caller()
        try:
            return await sleep(delay, result)
        finally:
            tell(began_s, monotonic(), caller)

    async def traced_receive(loop: BaseSelectorEventLoop, sock: socket, most: int) -> bytes:
        if not _is_in_a_step():
            return await receive(loop, sock, most)
        began_s = monotonic()
        try:
            return await receive(loop, sock, most)
        finally:
            tell(began_s, monotonic(), NAME_SERVERS)

    asyncio.sleep = traced_sleep
    BaseSelectorEventLoop.sock_recv = traced_receive


def main() -> None:
    """Run the program."""
    _, log, program, *arguments = sys.argv
    with Path(log).open("a", buffering=1) as lines:
        trace(lambda began_s, ended_s, what: print(began_s, ended_s, what, file=lines))
        sys.argv = [program, *arguments]
        runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
