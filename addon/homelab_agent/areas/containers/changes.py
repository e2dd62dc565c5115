"""What one event does to a container, as far as the event itself tells."""

from homelab_agent.platform.engine.models import (
    ContainerHealth,
    ContainerState,
    EngineContainer,
    EngineEvent,
    EventAction,
)

_ALIVE = frozenset({ContainerState.RUNNING, ContainerState.PAUSED})

type _Changes = dict[str, object]


def after(row: EngineContainer, event: EngineEvent) -> EngineContainer:
    """Return the row as it is after the event; unchanged by what is older than the row.

    Times are provisional: the engine's own, a few milliseconds off, follow with the inspection.
    """
    changes: _Changes = {}
    match event.action:
        case EventAction.START:
            changes = _started(row, event)
        case EventAction.DIE:
            changes = _died(row, event)
        case EventAction.PAUSE if row.state is ContainerState.RUNNING:
            changes = {"state": ContainerState.PAUSED}
        case EventAction.UNPAUSE if row.state is ContainerState.PAUSED:
            changes = {"state": ContainerState.RUNNING}
        case EventAction.HEALTH_STATUS if row.state in _ALIVE and event.health:
            changes = {"health": event.health}
        case EventAction.RENAME if event.name:
            changes = {"name": event.name}
        case _:
            # The others tell nothing by themselves, or nothing that fits what is known.
            changes = {}
    return row.model_copy(update=changes) if changes else row


def _started(row: EngineContainer, event: EngineEvent) -> _Changes:
    if row.state in _ALIVE or (row.finished_at is not None and row.finished_at > event.at):
        return {}
    return {
        "state": ContainerState.RUNNING,
        "health": ContainerHealth.STARTING if row.has_health_check else ContainerHealth.NONE,
        "started_at": event.at,
        "exit_code": None,
    }


def _died(row: EngineContainer, event: EngineEvent) -> _Changes:
    if row.state not in _ALIVE or (row.started_at is not None and row.started_at > event.at):
        return {}
    return {
        "state": ContainerState.EXITED,
        "health": ContainerHealth.NONE,
        "exit_code": event.exit_code,
        "finished_at": event.at,
    }
