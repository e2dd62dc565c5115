"""How an area declares a kind of job: its steps, and what happens to it after a crash."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import JsonValue

from homelab_agent.platform.model import Model


class Recovery(StrEnum):
    """What becomes of a job that a crash interrupted.

    GO_ON: the interrupted step is done again, so every `do` must stand being repeated.
    UNDO: what was begun is undone; right for steps that must not be done twice.
    """

    GO_ON = "go_on"
    UNDO = "undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext[Arguments: Model]:
    """What a step knows.

    `data` is what this and the earlier steps put into their results. `again`: this very step was
    begun before a crash (or undone in part), and nobody knows how far it came.
    """

    job_id: str
    arguments: Arguments
    data: Mapping[str, JsonValue]
    again: bool


@dataclass(frozen=True, slots=True)
class StepResult:
    """How a step went. `data` is journaled for later steps and for undoing.

    `needed` False: it was so already, nothing was changed and nothing is to be undone.
    """

    data: Mapping[str, JsonValue] = field(default_factory=dict)
    needed: bool = True
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Step[Arguments: Model]:
    """One step. `undo` must stand being repeated, and being called when `do` came only half way.

    A step without `undo` leaves nothing behind that would have to be undone.
    """

    name: str
    do: Callable[[StepContext[Arguments]], Awaitable[StepResult]]
    undo: Callable[[StepContext[Arguments]], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class JobKind[Arguments: Model]:
    """A kind of job. `name` is also the action under which its end is audited.

    `steps` may depend on the arguments, and on nothing else: after a crash they are made anew
    from the journaled arguments. `holds` names what else the job keeps others from, besides its
    target; while one of those is held by another job, it does not begin.
    """

    name: str
    arguments: type[Arguments]
    steps: tuple[Step[Arguments], ...] | Callable[[Arguments], tuple[Step[Arguments], ...]]
    recovery: Recovery
    holds: Callable[[Arguments], Iterable[str]] | None = None

    def __post_init__(self) -> None:
        if not callable(self.steps):
            self._checked(self.steps)

    def steps_for(self, arguments: Arguments) -> tuple[Step[Arguments], ...]:
        """Return the steps of a job with these arguments."""
        return self._checked(self.steps(arguments)) if callable(self.steps) else self.steps

    def held_by(self, target: str, arguments: Arguments) -> frozenset[str]:
        """Return all targets that a job with these arguments keeps for itself."""
        return frozenset({target, *(self.holds(arguments) if self.holds else ())})

    def _checked(self, steps: tuple[Step[Arguments], ...]) -> tuple[Step[Arguments], ...]:
        names = [step.name for step in steps]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"{self.name}: a job needs steps, each with a name of its own")
        return steps
