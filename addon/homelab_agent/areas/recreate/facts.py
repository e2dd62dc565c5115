"""What the steps of a job have found out about each container, as the journal keeps it."""

import hashlib
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from homelab_agent.areas.recreate.models import RecreateAction, RecreateTarget
from homelab_agent.platform.engine.models import IN_USE
from homelab_agent.platform.engine.recreate import Original
from homelab_agent.platform.model import Model

LOOK = "look at"
IMAGE = "get image for"
CREATE = "create"
STOP = "stop"
START = "start"
VERIFY = "verify"
KEEP = "keep"

_LONGEST_LABEL = 40


class Found(Model):
    """How a container was before anything was done. `local_id`: which image its name meant then."""

    original: Original
    local_id: str | None = None

    @property
    def ran(self) -> bool:
        """Whether it is to run afterwards."""
        return self.original.state in IN_USE


class NewImage(Model):
    """What a container is made from, and which image that is."""

    image: str
    image_id: str
    version: str | None = None
    old_version: str | None = None


class Facts:
    """What is known so far in one job; `data` is what its steps journaled."""

    def __init__(self, targets: Sequence[RecreateTarget], data: Mapping[str, JsonValue]) -> None:
        self._targets = {target.key: target for target in targets}
        self._data = data

    def found(self, target: RecreateTarget) -> Found | None:
        """Return how a container was; None before it was looked at."""
        value = self._data.get(step_name(LOOK, target))
        return None if value is None else Found.model_validate(value)

    def image(self, target: RecreateTarget) -> NewImage | None:
        """Return what a container is made from; None before that is known."""
        value = self._data.get(step_name(IMAGE, target))
        return None if value is None else NewImage.model_validate(value)

    def new_id(self, target: RecreateTarget) -> str | None:
        """Return the id of the new container; None before it was made."""
        value = self._data.get(step_name(CREATE, target))
        return value if isinstance(value, str) else None

    def is_needed(self, target: RecreateTarget) -> bool:
        """Return whether there is anything to do about a container."""
        if any(self.is_needed(self._targets[key]) for key in target.uses):
            return True
        if target.only_with_them:
            return False
        found, image = self.found(target), self.image(target)
        if target.action is not RecreateAction.UPDATE or found is None or image is None:
            return True
        original = found.original
        return (image.image_id, image.image) != (original.image_id, original.image)

    def replaced(self, target: RecreateTarget) -> dict[str, str]:
        """Return the containers that one uses, by their old ids, and their new ones."""
        used = (self._targets[key] for key in target.uses)
        return {each.container_id: new for each in used if (new := self.new_id(each))}


def step_name(verb: str, target: RecreateTarget) -> str:
    """Return what a step about one container is called; it has to fit into the journal."""
    name = target.name
    if len(name) > _LONGEST_LABEL:
        name = f"{name[:_LONGEST_LABEL]}~{hashlib.sha256(name.encode()).hexdigest()[:6]}"
    return f"{verb} {name}"
