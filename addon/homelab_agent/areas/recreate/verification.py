"""Whether a new container is well: its health check, else that it stays up, and its HTTP answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from homelab_agent.areas.recreate.hands import Hands
from homelab_agent.areas.recreate.http_check import asked_port
from homelab_agent.platform.engine.models import ContainerHealth, ContainerState, EngineContainer
from homelab_agent.platform.errors import Conflict, Failed, Invalid
from homelab_agent.platform.jobs.progress import report

STABLE_LABEL = "homelab.update.stable_s"
HTTP_LABEL = "homelab.update.http"
TIMEOUT_LABEL = "homelab.update.timeout_s"

STABLE_S = 10.0
_HTTP_S = 60.0
"""How much longer than the rest an HTTP answer may take where no label says."""

_LATE_S = 15.0
"""So late Docker may be with its answers, on a machine that has just fetched an image."""

_LONGEST_S = 3600.0
_LOOK_S = 0.25
_LOOK_LATER_S = 1.0
_OFTEN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What a container has to show. `limit_s` bounds all of it."""

    stable_s: float
    http: str | None
    limit_s: float


def demands(labels: Mapping[str, str], health_limit_s: float | None) -> Demands:
    """Read what the labels ask for.

    Raises:
        Invalid: a label makes no sense; `field` names it.
    """
    stable_s = _seconds(labels, STABLE_LABEL, STABLE_S)
    http = labels.get(HTTP_LABEL) or None
    if http:
        asked_port(http)
    needed_s = health_limit_s if health_limit_s is not None else stable_s
    usual_s = min(needed_s + (_HTTP_S if http else 0) + _LATE_S, _LONGEST_S)
    return Demands(stable_s=stable_s, http=http, limit_s=_seconds(labels, TIMEOUT_LABEL, usual_s))


async def require_provable(hands: Hands, row: EngineContainer) -> None:
    """Make sure that what the labels ask for can be shown at all, before anything is stopped.

    Raises:
        Invalid: a label makes no sense; `field` names it.
        Conflict: the HTTP check is of an address where nobody answers even now.
    """
    demands(row.labels, None)
    label = row.labels.get(HTTP_LABEL)
    if not label or row.state is not ContainerState.RUNNING:
        return
    problem = await hands.http.problem(await _addresses(hands, row, label))
    if problem is not None and not problem.reached:
        raise Conflict(
            f"{row.name} cannot be proved well: its label {HTTP_LABEL} asks for an address that "
            f"does not answer now either: {problem.why}.",
            field=HTTP_LABEL,
            hint="Give an address that answers where the agent runs, as a published port has, "
            "or remove the label.",
        )


async def _addresses(hands: Hands, row: EngineContainer, label: str) -> tuple[str, ...]:
    part = asked_port(label)
    if part is None:
        return (label,)
    port, path = part
    found = await hands.recreate.addresses(row.id, port)
    return tuple(f"http://{address}{path}" for address in found)


class Verification:
    """Watches one started container until it is well, or says why it is not."""

    def __init__(self, hands: Hands, container_id: str, name: str) -> None:
        self._hands = hands
        self._id = container_id
        self._name = name

    async def run(self) -> str:
        """Return in words how it proved itself.

        Raises:
            Failed: it ended, was restarted, is unhealthy, or did not prove itself in time.
        """
        first = await self._hands.containers.inspect(self._id)
        limit_s = await self._hands.recreate.health_limit_s(self._id)
        asked = demands(first.labels, limit_s)
        checked = limit_s is not None
        doing = "is healthy" if checked else f"runs for {asked.stable_s:g} s"
        try:
            async with asyncio.timeout(asked.limit_s):
                await self._proved(first, asked, checked=checked)
                if asked.http:
                    doing = f"{doing} and answers at {asked.http}"
                    await self._answers(first, asked.http)
        except TimeoutError:
            raise Failed(
                f"{self._name} did not prove within {asked.limit_s:g} s that it {doing}",
                hint=f"The label {TIMEOUT_LABEL} allows more time.",
            ) from None
        return doing

    async def _proved(self, first: EngineContainer, asked: Demands, *, checked: bool) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            # Before it is asked: what an answer says that is late was so then.
            passed_s = loop.time() - began
            row = await self._look(first)
            if checked and row.health is ContainerHealth.HEALTHY:
                return
            if not checked and passed_s >= asked.stable_s:
                return
            report(passed_s / (asked.limit_s if checked else asked.stable_s or 1), None)
            await asyncio.sleep(_LOOK_S if passed_s < _OFTEN_S else _LOOK_LATER_S)

    async def _answers(self, first: EngineContainer, label: str) -> None:
        while True:
            row = await self._look(first)
            problem = await self._hands.http.problem(await _addresses(self._hands, row, label))
            if problem is None:
                return
            report(None, f"Waiting for an answer: {problem.why}")
            await asyncio.sleep(_LOOK_LATER_S)

    async def _look(self, first: EngineContainer) -> EngineContainer:
        """Return the container as it is; raise `Failed` where it is not well any more."""
        row = await self._hands.containers.inspect(self._id)
        if row.state in {ContainerState.EXITED, ContainerState.DEAD}:
            memory = " (out of memory)" if row.oom_killed else ""
            raise Failed(f"{self._name} ended with exit code {row.exit_code}{memory}")
        if row.restart_count > first.restart_count or row.state is ContainerState.RESTARTING:
            raise Failed(f"{self._name} ended and was restarted")
        if row.started_at != first.started_at:
            raise Failed(f"{self._name} was restarted while it was being watched")
        if row.health is ContainerHealth.UNHEALTHY:
            raise Failed(f"{self._name} is unhealthy: its own health check says so")
        return row


def _seconds(labels: Mapping[str, str], label: str, usual_s: float) -> float:
    text = labels.get(label, "")
    if not text:
        return usual_s
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST_S:
        raise Invalid(
            f"The label {label} is {text[:40]!r}: not a number of seconds.",
            field=label,
            hint=f"Write seconds, 0 to {_LONGEST_S:g}.",
        )
    return seconds
