"""What a deployment would do, and whether it may: everything is known before anything changes."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

from homelab_agent.areas.containers.models import Container, ContainerQuery
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.stacks.compose import Compose, Deployed, Reading, Source
from homelab_agent.areas.stacks.diff import unified
from homelab_agent.areas.stacks.files import StackFiles
from homelab_agent.areas.stacks.history import History, VersionRow
from homelab_agent.areas.stacks.inventory import by_service, newest
from homelab_agent.areas.stacks.labels import Origin, config_hash_of, origin_of
from homelab_agent.areas.stacks.models import PolicyFinding, StackPlan, StackSource
from homelab_agent.areas.stacks.policy import Ground, judge
from homelab_agent.areas.stacks.reach import why_not_read
from homelab_agent.areas.stacks.text import require_no_files_of_values
from homelab_agent.areas.stacks.world import require_world
from homelab_agent.platform.engine.objects import ObjectEngine
from homelab_agent.platform.errors import AgentError, Conflict

_HASH_KEY = token_bytes(32)
"""A plan's hash covers secret values: without a key a weak one could be guessed from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is fixed for all stacks of this agent. `ask_kernel`: its ports are the host's."""

    roots: tuple[Path, ...]
    ours: tuple[Path, ...]
    sockets: tuple[Path, ...]
    in_container: bool
    machine: Path | None
    ask_kernel: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan with all that a deployment of it needs.

    `origin`: the files of a stack that is taken over; `lost` where they are out of reach.
    `rewritten` are services of which nothing changes but what compose writes into containers.
    """

    plan: StackPlan
    source: Source
    reading: Reading
    current: VersionRow | None
    origin: Deployed | None
    lost: bool
    held: tuple[str, ...]
    rewritten: tuple[str, ...]


class Planner:
    """Makes plans; changes nothing."""

    def __init__(
        self,
        compose: Compose,
        files: StackFiles,
        history: History,
        containers: ContainerService,
        objects: ObjectEngine,
        rules: Rules,
    ) -> None:
        self._compose = compose
        self._files = files
        self._history = history
        self._containers = containers
        self._objects = objects
        self._rules = rules

    async def draft(self, name: str, wanted: StackSource) -> Draft:
        """Return what deploying this text under this name would do.

        Raises:
            Invalid: the text is wrong, or asks for what is never done; `field` says where.
            Conflict: a port or a name is taken.
        """
        everything = self._containers.list(ContainerQuery()).containers
        own = [each for each in everything if each.compose and each.compose.project == name]
        current = next(iter(await self._history.versions(name)), None)
        origin = _origin(own) if current is None else None
        reachable = await _reachable(name, origin, own)
        source = await self._source(name, wanted, current, origin, reachable)
        reading = await self._compose.read(source)
        findings = [*await self._findings(name, reading, everything)]
        if origin and not reachable:
            findings.append(_cannot_go_back(name))
        before, notes = await self._before(name, own, current, reachable)
        rewritten = await self._rewritten(name, own, current, reading)
        plan = _plan(name, own, reading, findings, before, notes, rewritten)
        keys = {f"{name}:{service}:1" for service in reading.hashes} | {each.key for each in own}
        return Draft(
            plan=plan,
            source=source,
            reading=reading,
            current=current,
            origin=reachable,
            lost=origin is not None and reachable is None,
            held=tuple(sorted(keys)),
            rewritten=tuple(sorted(rewritten)),
        )

    async def running_model(self, name: str) -> str:
        """Return the model of what runs of a stack, without secrets.

        Where its files are out of reach it is what can be seen: services and their images.
        """
        own = [*self._containers.list(ContainerQuery(project=name)).containers]
        current = next(iter(await self._history.versions(name)), None)
        reachable = await _reachable(name, _origin(own) if current is None else None, own)
        return (await self._before(name, own, current, reachable))[0]

    async def file_of(self, name: str) -> tuple[str, Mapping[str, str]]:
        """Return the text of a stack that is not managed, and its values for ${NAME}.

        Raises:
            Conflict: its files cannot be read; the message says why.
        """
        own = self._containers.list(ContainerQuery(project=name)).containers
        origin = _origin(own)
        reachable = await _reachable(name, origin, own)
        if reachable is None:
            known = origin or Origin((), None)
            why = await asyncio.to_thread(why_not_read, known, by_service(own))
            raise Conflict(
                f"The compose text of {name} cannot be read. {why or ''}".strip(), field="name"
            )
        if len(reachable.files) == 1:
            text = await asyncio.to_thread(Path(reachable.files[0]).read_text)
        else:
            text = await self._compose.merged(reachable)
        return text, await self._compose.environment(reachable)

    async def _source(
        self,
        name: str,
        wanted: StackSource,
        current: VersionRow | None,
        origin: Origin | None,
        reachable: Deployed | None,
    ) -> Source:
        own_folder = self._files.folder(name)
        # What was deployed elsewhere goes on with its own folder: ./data must stay the same data.
        elsewhere = current.directory if current else (origin.working_dir if origin else None)
        directory = Path(elsewhere) if elsewhere else own_folder
        if elsewhere and not (current or reachable):
            await asyncio.to_thread(require_no_files_of_values, wanted.compose, elsewhere)
        environment = wanted.environment
        if environment is None:
            environment = {}
            if current:
                _, kept = await asyncio.to_thread(self._files.read, name, current.source)
                environment = kept.environment
            elif reachable:
                environment = await self._compose.environment(reachable)
        return Source(
            name=name,
            text=wanted.compose,
            environment=environment,
            profiles=wanted.profiles,
            directory=directory,
            staged=directory == own_folder,
        )

    async def _findings(
        self, name: str, reading: Reading, everything: tuple[Container, ...]
    ) -> tuple[PolicyFinding, ...]:
        ground = Ground(
            folder=self._files.folder(name),
            roots=self._rules.roots,
            ours=self._rules.ours,
            sockets=self._rules.sockets,
            in_container=self._rules.in_container,
            machine=self._rules.machine,
        )
        judged = await asyncio.to_thread(judge, reading.model, ground)
        foreign = await require_world(
            name,
            reading.model,
            everything,
            self._objects,
            ask_kernel=self._rules.ask_kernel,
        )
        return (*judged, *foreign)

    async def _rewritten(
        self,
        name: str,
        own: list[Container],
        current: VersionRow | None,
        reading: Reading,
    ) -> frozenset[str]:
        """Return the services of which compose sees no change, but would write something else."""
        if current is None:
            # What is taken over runs on as it is.
            return frozenset()
        _, kept = await asyncio.to_thread(self._files.read, name, current.source)
        same = by_service(own).keys() & reading.injected.keys() - _changed(own, reading)
        return frozenset(each for each in same if reading.injected[each] != kept.injected.get(each))

    async def _before(
        self,
        name: str,
        own: list[Container],
        current: VersionRow | None,
        reachable: Deployed | None,
    ) -> tuple[str, tuple[str, ...]]:
        """Return the model that the new one is compared with, and what is to be said of it."""
        if current:
            _, kept = await asyncio.to_thread(self._files.read, name, current.source)
            return kept.model, ()
        if not own:
            return "", ()
        note = f"{name} was deployed elsewhere: with this the agent takes it over."
        if reachable:
            try:
                return await self._compose.shown(reachable), (note,)
            except AgentError as error:
                return _known(own), (note, f"Its files make no sense here: {error.message}")
        return _known(own), (
            note,
            "Its own files are out of reach: services and images are all that can be compared.",
        )


def _plan(
    name: str,
    own: list[Container],
    reading: Reading,
    findings: list[PolicyFinding],
    before: str,
    notes: tuple[str, ...],
    rewritten: frozenset[str],
) -> StackPlan:
    there, new = _hashes(own), reading.hashes
    images = sorted(image for image in _images(reading).values())
    bound = json.dumps(
        [name, reading.digest, there, [each.model_dump() for each in findings]], sort_keys=True
    )
    return StackPlan(
        name=name,
        hash=hashlib.blake2b(bound.encode(), key=_HASH_KEY, digest_size=16).hexdigest(),
        new=not own and not before,
        diff=unified(before, reading.shown, old_name="now", new_name="then"),
        created=tuple(sorted(new.keys() - there.keys())),
        changed=tuple(sorted(_changed(own, reading) | rewritten)),
        removed=tuple(sorted(there.keys() - new.keys())),
        images=tuple(dict.fromkeys(images)),
        findings=tuple(findings),
        notes=notes,
    )


def _hashes(own: Sequence[Container]) -> dict[str, str | None]:
    return {
        service: config_hash_of(newest(each).labels) for service, each in by_service(own).items()
    }


def _changed(own: Sequence[Container], reading: Reading) -> frozenset[str]:
    there, new = _hashes(own), reading.hashes
    return frozenset(key for key in new.keys() & there.keys() if new[key] != there[key])


def _images(reading: Reading) -> dict[str, str]:
    services = reading.model["services"]
    return {
        name: str(service.get("image", ""))
        for name, service in (services.items() if isinstance(services, dict) else ())
        if isinstance(service, dict)
    }


def _origin(own: list[Container] | tuple[Container, ...]) -> Origin | None:
    return origin_of(newest(own).labels) if own else None


async def _reachable(name: str, origin: Origin | None, own: Sequence[Container]) -> Deployed | None:
    """Return the files that a stack was deployed from elsewhere, where they can be used."""
    if origin is None or origin.working_dir is None:
        return None
    if await asyncio.to_thread(why_not_read, origin, by_service(own)):
        return None
    environment = origin.environment_files
    if not environment:
        default = Path(origin.working_dir) / ".env"
        environment = (str(default),) if await asyncio.to_thread(default.is_file) else ()
    return Deployed(
        name=name,
        files=origin.config_files,
        directory=origin.working_dir,
        environment_files=environment,
    )


def _known(own: list[Container]) -> str:
    lines = [
        f"  {service}:\n    image: {newest(members).image}"
        for service, members in sorted(by_service(own).items())
    ]
    return "services:\n" + "\n".join(lines) + "\n"


def _cannot_go_back(name: str) -> PolicyFinding:
    return PolicyFinding(
        service=None,
        field="name",
        message=(
            f"{name} runs from files that are out of reach: should this deployment fail, the "
            "agent cannot put back what runs now."
        ),
    )
