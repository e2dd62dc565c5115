"""Docker's event lines, and the few of them that matter to us."""

import json
import re
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from homelab_agent.platform.engine.models import ContainerHealth, EngineEvent, EventAction

FILTERS = json.dumps({"type": ["container"], "event": sorted(EventAction)})
"""What the engine is asked for. An engine that knows no `event` filter sends more than that."""

_NOISE = (b'"Action":"exec_', b'"Action":"top"', b'"Action":"attach"', b'"Action":"resize"')
"""Dropped unread: a health check each second floods the stream, and its text may hold secrets."""

_COMPOSE = "com.docker.compose."

_NUMBER = re.compile(r"-?[0-9]{1,10}")
"""Docker mixes a container's labels into the attributes, so anything may be in there."""

_LAST_NS = 2**63
_SECOND_NS = 1_000_000_000


class _Actor(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str = Field(alias="ID")
    attributes: dict[str, str] = Field(default_factory=dict, alias="Attributes")


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore")

    type: str = Field(alias="Type")
    action: str = Field(alias="Action")
    actor: _Actor = Field(alias="Actor")
    time: int = 0
    time_ns: int = Field(default=0, alias="timeNano")


def parse_event(line: bytes) -> EngineEvent | None:
    """Return the event a line holds, or None where it is noise or garbage."""
    if any(sign in line for sign in _NOISE):
        return None
    try:
        read = _Line.model_validate_json(line)
    except ValidationError:
        return None
    verb, _, text = read.action.partition(":")
    action = _ACTIONS.get(verb)
    if action is None or read.type != "container":
        return None
    time_ns = read.time_ns or read.time * _SECOND_NS
    if not 0 <= time_ns < _LAST_NS:
        return None
    return EngineEvent(
        action=action,
        container_id=read.actor.id,
        name=read.actor.attributes.get("name", "").removeprefix("/"),
        at=datetime.fromtimestamp(time_ns / _SECOND_NS, UTC),
        time_ns=time_ns,
        health=_health(action, text.strip()),
        exit_code=_number(read, "exitCode") if action is EventAction.DIE else None,
        signal=_number(read, "signal") if action is EventAction.KILL else None,
        labels={k: v for k, v in read.actor.attributes.items() if k.startswith(_COMPOSE)},
    )


def since_text(time_ns: int) -> str:
    """Return a time as Docker's `since` takes it."""
    return f"{time_ns // _SECOND_NS}.{time_ns % _SECOND_NS:09d}"


_ACTIONS = {str(action): action for action in EventAction} | {
    # Podman's words.
    "died": EventAction.DIE,
    "remove": EventAction.DESTROY,
}


def _health(action: EventAction, text: str) -> ContainerHealth | None:
    if action is not EventAction.HEALTH_STATUS:
        return None
    try:
        return ContainerHealth(text)
    except ValueError:
        return None


def _number(line: _Line, attribute: str) -> int | None:
    text = line.actor.attributes.get(attribute, "")
    return int(text) if _NUMBER.fullmatch(text) else None
