"""Who a container is, across every recreate."""

import re
from collections.abc import Iterable, Mapping

from homelab_agent.areas.containers.models import Compose
from homelab_agent.areas.recreate.models import lasting_name
from homelab_agent.platform.engine.labels import COMPOSE_PROJECT
from homelab_agent.platform.engine.models import IN_USE, EngineContainer

_SERVICE = "com.docker.compose.service"
_NUMBER = "com.docker.compose.container-number"
_ONE_OFF = "com.docker.compose.oneoff"

_INDEX = re.compile(r"[1-9][0-9]{0,5}")
_LONGEST_NAME = 255
"""Anybody may write these labels; what compose itself writes is far shorter."""


def compose_of(labels: Mapping[str, str]) -> Compose | None:
    """Return the container's place in a compose project; None outside, and for `compose run`."""
    project, service = labels.get(COMPOSE_PROJECT), labels.get(_SERVICE)
    if not project or not service or labels.get(_ONE_OFF, "").lower() == "true":
        return None
    if max(len(project), len(service)) > _LONGEST_NAME:
        return None
    number = labels.get(_NUMBER, "")
    index = int(number) if _INDEX.fullmatch(number) else 1
    return Compose(project=project, service=service, index=index)


def key_of(name: str, labels: Mapping[str, str]) -> str:
    """Return the identity of a container: its place in compose, else its name.

    Of two containers of which one is to replace the other, both have it.
    """
    place = compose_of(labels)
    return f"{place.project}:{place.service}:{place.index}" if place else lasting_name(name)


def choose(candidates: Iterable[EngineContainer]) -> EngineContainer:
    """Return the one that stands for an identity that several containers carry.

    While a container is recreated the old and the new one are the same to us: the one in use
    first, then the one that has the name, then the newest, so that the identity never vanishes.
    """
    return max(
        candidates,
        key=lambda each: (
            each.state in IN_USE,
            lasting_name(each.name) == each.name,
            each.created_at,
            each.id,
        ),
    )
