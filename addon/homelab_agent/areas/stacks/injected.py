"""Files that compose itself writes into containers: configs and secrets that no file holds.

They are in no description of a container, so one that is made anew without compose lacks them,
and compose itself does not see when they change.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from homelab_agent.areas.stacks.labels import SERVICE
from homelab_agent.areas.stacks.text import content_of, services_in
from homelab_agent.platform.engine.labels import COMPOSE_PROJECT
from homelab_agent.platform.engine.models import EngineContainer
from homelab_agent.platform.errors import NotFound
from homelab_agent.platform.logging import get_logger

_log = get_logger(__name__)

_TEXT, _VALUE = "content", "environment"

type RunningModel = Callable[[str], Awaitable[str]]
"""Returns the model of what runs of a stack, as text."""

_FOLDERS = {"configs": PurePosixPath("/"), "secrets": PurePosixPath("/run/secrets")}
"""Where they are put that name no place of their own."""


class _Injection(NamedTuple):
    path: str
    entry: Mapping[str, object]
    source: Mapping[str, object]


class InjectedFiles:
    """Finds them by the stack's compose text."""

    def __init__(self, running_model: RunningModel) -> None:
        self._running_model = running_model

    async def of(self, row: EngineContainer) -> tuple[str, ...]:
        """Return the paths in a container; nothing where its compose text is out of reach."""
        project, service = row.labels.get(COMPOSE_PROJECT), row.labels.get(SERVICE)
        if not project or not service:
            return ()
        try:
            model = await self._running_model(project)
        except NotFound as error:
            # Somebody removed the text that was deployed; that is no reason not to update.
            _log.warning("stack_text_is_gone", stack=project, why=error.message)
            return ()
        return injected_paths(model, service)


def injected_paths(model: str, service: str) -> tuple[str, ...]:
    """Return what compose writes into the containers of a service, by a normalised model."""
    content = content_of(model)
    own = dict(services_in(content)).get(service)
    if own is None or not isinstance(content, dict):
        return ()
    return tuple(each.path for each in _injections(own, content))


def injected_digests(model: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, str]:
    """Return for each service what changes with all that compose writes into its containers."""
    found: dict[str, str] = {}
    for name, service in services_in(model):
        written = [
            (each.path, each.entry, each.source, environment.get(str(each.source.get(_VALUE))))
            for each in _injections(service, model)
        ]
        if written:
            text = json.dumps(written, sort_keys=True)
            found[name] = hashlib.sha256(text.encode()).hexdigest()
    return found


def _injections(service: Mapping[str, object], model: Mapping[str, object]) -> Iterator[_Injection]:
    for kind, folder in _FOLDERS.items():
        entries, sources = service.get(kind), model.get(kind)
        for entry in entries if isinstance(entries, list) else ():
            name = entry.get("source") if isinstance(entry, dict) else None
            source = sources.get(name) if isinstance(sources, dict) else None
            if isinstance(source, dict) and (_TEXT in source or _VALUE in source):
                path = str(folder / str(entry.get("target") or name))
                yield _Injection(path, entry, source)
