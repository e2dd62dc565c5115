"""Stacks made of the containers that carry compose's labels, and of what the agent manages."""

from collections.abc import Callable, Iterable, Sequence

from homelab_agent.areas.containers.models import Container
from homelab_agent.areas.stacks.labels import Origin, dependencies_of, origin_of
from homelab_agent.areas.stacks.models import Stack, StackService, StackState
from homelab_agent.platform.engine.models import ContainerHealth, ContainerState

type FilesReason = Callable[[Origin], str | None]

UP = frozenset({ContainerState.RUNNING, ContainerState.PAUSED})

_WORST_FIRST = (
    ContainerHealth.UNHEALTHY,
    ContainerHealth.STARTING,
    ContainerHealth.HEALTHY,
    ContainerHealth.NONE,
)
_TOLD_TO_END = frozenset({0, 130, 137, 143})
"""Exit codes of what ended well, or was told to end by Ctrl-C, a kill or a stop."""

_MOST_PROBLEMS = 3


ENDS_FOR_GOOD = frozenset({"no", "on-failure"})
"""The restart policies with which a container that ended well is not started again."""


def is_finished(container: Container) -> bool:
    """Return whether it did what it had to do once: it ended well and is not to start again."""
    return (
        container.state is ContainerState.EXITED
        and container.exit_code == 0
        and container.restart_policy in ENDS_FOR_GOOD
    )


def describe(
    name: str, containers: Sequence[Container], *, version: int | None, reason: FilesReason
) -> Stack:
    """Return the stack. `version` is None for one that the agent does not manage."""
    origin = origin_of(newest(containers).labels) if containers else Origin((), None)
    state, problem = _judge(containers)
    up = [each for each in containers if each.state in UP]
    return Stack(
        key=name,
        name=name,
        state=state,
        problem=problem,
        services=_services(containers),
        running=len(up),
        total=len(containers),
        managed=version is not None,
        config_files=origin.config_files,
        working_dir=origin.working_dir,
        files_reason=None if version is not None else reason(origin),
        version=version,
        protected_reason=protection_of(containers),
    )


def by_service(containers: Iterable[Container]) -> dict[str, list[Container]]:
    """Return the containers of each service, by name and number."""
    found: dict[str, list[Container]] = {}
    for each in sorted(containers, key=lambda one: (_service(one), _number(one))):
        found.setdefault(_service(each), []).append(each)
    return found


def newest(containers: Sequence[Container]) -> Container:
    """Return the container that was made last: its labels are of the last deployment."""
    return max(containers, key=lambda each: (each.created_at, each.key))


def protection_of(containers: Iterable[Container]) -> str | None:
    """Return why a stack of these must not be stopped; None where nothing protects it."""
    for each in containers:
        if each.protected_reason:
            return f"It contains {each.name}, which is protected. {each.protected_reason}"
    return None


def _services(containers: Sequence[Container]) -> tuple[StackService, ...]:
    return tuple(
        StackService(
            name=name,
            image=newest(members).image,
            running=sum(each.state in UP for each in members),
            total=len(members),
            health=min((each.health for each in members), key=_WORST_FIRST.index),
            containers=tuple(each.key for each in members),
            depends_on=tuple(sorted(dependencies_of(newest(members).labels))),
        )
        for name, members in by_service(containers).items()
    )


def _judge(containers: Sequence[Container]) -> tuple[StackState, str | None]:
    if not containers:
        return StackState.UNKNOWN, None
    problems = [text for each in containers if (text := _problem(each))]
    if not any(each.state in UP or each.state is ContainerState.RESTARTING for each in containers):
        # Stopped as a whole is no trouble, but who ended with an error is named all the same.
        crashed = [text for each in containers if _crashed(each) and (text := _problem(each))]
        return StackState.STOPPED, _sentence(crashed)
    return (StackState.DEGRADED if problems else StackState.RUNNING), _sentence(problems)


def _problem(container: Container) -> str | None:
    found = _trouble(container)
    return f"{_called(container)} {found}" if found else None


def _trouble(container: Container) -> str | None:
    code = "" if container.exit_code is None else f" with code {container.exit_code}"
    again_and_again = f"ends again and again{code}"
    match container.state:
        case ContainerState.RUNNING:
            unhealthy = container.health is ContainerHealth.UNHEALTHY
            looping = again_and_again if container.restart_loop else None
            found = "is unhealthy" if unhealthy else looping
        case ContainerState.RESTARTING:
            found = again_and_again
        case ContainerState.PAUSED:
            found = "is paused"
        case ContainerState.CREATED:
            found = "was never started"
        case _:
            found = None if is_finished(container) else f"exited{code}"
    return found


def _crashed(container: Container) -> bool:
    return container.exit_code is not None and container.exit_code not in _TOLD_TO_END


def _sentence(problems: Sequence[str]) -> str | None:
    if not problems:
        return None
    more = len(problems) - _MOST_PROBLEMS
    ending = f"; and {more} more" if more > 0 else ""
    return "; ".join(problems[:_MOST_PROBLEMS]) + ending


def _called(container: Container) -> str:
    number = _number(container)
    return _service(container) if number == 1 else f"{_service(container)} ({number})"


def _service(container: Container) -> str:
    return container.compose.service if container.compose else container.name


def _number(container: Container) -> int:
    return container.compose.index if container.compose else 1
