"""Running a program inside of a container, over Docker's API."""

import asyncio
from typing import override

from pydantic import BaseModel, Field, JsonValue

from homelab_agent.platform.engine.docker.answers import read_document
from homelab_agent.platform.engine.docker.errors import Call
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.execution import Ended, Execution, ExecutionEngine
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.errors import Failed, TimedOut

_NOT_FOUND_THERE = frozenset({126, 127})
"""What Docker says in place of a program that is not there or cannot be run."""

_LOOKS = 40
_PAUSE_S = 0.05
_LONGEST_REASON = 300


class _Made(BaseModel):
    id: str = Field(alias="Id")


class _State(BaseModel):
    code: int | None = Field(alias="ExitCode")


class DockerExecution(ExecutionEngine):
    """Implements `ExecutionEngine` on a transport that belongs to somebody else."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @override
    async def execute(self, container_id: str, execution: Execution) -> Ended:
        program = execution.command[0]
        call = Call(f"run {program} in {container_id}", EngineRight.EXECUTE, changes=True)
        wanted: dict[str, JsonValue] = {
            "Cmd": list(execution.command),
            "Env": [f"{name}={value}" for name, value in execution.environment.items()],
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": False,
        }
        answer = await self._transport.change(f"containers/{container_id}/exec", call, body=wanted)
        made = read_document(_Made, call, answer)
        said = await self._transport.converse(
            f"exec/{made.id}/start",
            call,
            execution.given,
            keep_bytes=execution.keep_bytes,
            deadline_s=execution.within_s,
        )
        code = await self._code(made.id, call)
        if code in _NOT_FOUND_THERE:
            why = said.decode(errors="replace").strip()[-_LONGEST_REASON:]
            raise Failed(f"{program} cannot be run in this container: {why or 'nobody says why'}")
        return Ended(code, said)

    async def _code(self, execution_id: str, call: Call) -> int:
        """Return how it ended, which Docker may know a moment after the last of its output."""
        for _ in range(_LOOKS):
            answer = await self._transport.read(f"exec/{execution_id}/json", call)
            code = read_document(_State, call, answer).code
            if code is not None:
                return code
            await asyncio.sleep(_PAUSE_S)
        raise TimedOut("Docker does not tell how a program in a container ended.")
