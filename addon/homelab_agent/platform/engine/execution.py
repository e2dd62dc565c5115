"""Running a program inside of a container."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What to run: a program and its arguments, never a shell's line.

    `given` is its standard input. `within_s`: after that nobody waits for it any more; whether it
    ends is its own matter, as Docker cannot end it. `keep_bytes`: so much of the end of what it
    writes is kept.
    """

    command: Sequence[str]
    given: bytes
    environment: Mapping[str, str]
    within_s: float
    keep_bytes: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and the last of what it wrote to both outputs."""

    code: int
    said: bytes


class ExecutionEngine(Protocol):
    """Runs programs inside of containers."""

    async def execute(self, container_id: str, execution: Execution) -> Ended:
        """Run a program to its end.

        Raises the errors of `Engine`; `Conflict` where the container does not run, `Failed` where
        the program is not there, `TimedOut` where it did not end.
        """
