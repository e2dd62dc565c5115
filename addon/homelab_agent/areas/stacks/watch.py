"""Follows the container resources and publishes the stacks they make."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

from homelab_agent.areas.containers.models import (
    CONTAINER_KIND,
    ENGINE_KEY,
    ENGINE_KIND,
    Container,
    EngineConnection,
    EngineStatus,
)
from homelab_agent.areas.stacks.inventory import describe
from homelab_agent.areas.stacks.labels import Origin, origin_of
from homelab_agent.areas.stacks.models import STACK_KIND, Stack
from homelab_agent.areas.stacks.reach import why_out_of_reach
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Change, Overflow, Resources

_LOOK_AGAIN_S = 300.0
"""How often it is looked whether compose files came into reach or went out of it."""


class StackWatch:
    """All stacks as of the containers last known, and the versions that are managed."""

    def __init__(self, resources: Resources, *, look_again_s: float = _LOOK_AGAIN_S) -> None:
        self._resources = resources
        self._look_again_s = look_again_s
        self._containers: dict[str, Container] = {}
        self._members: dict[str, set[str]] = {}
        self._managed: dict[str, int] = {}
        self._reach: dict[Origin, str | None] = {}
        self._running_known = asyncio.Event()
        self._managed_known = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._look_again())

    async def until_shown(self) -> None:
        """Return when what is managed is shown, and what runs where the engine answers by now."""
        await self._managed_known.wait()
        if _is_connected(self._resources.get(ENGINE_KIND, ENGINE_KEY)):
            await self._running_known.wait()

    def containers(self, name: str) -> tuple[Container, ...]:
        """Return the containers of a stack, by key."""
        keys = sorted(self._members.get(name, ()))
        return tuple(self._containers[key] for key in keys)

    def all_containers(self) -> Iterable[Container]:
        """Return every container that belongs to a stack."""
        return self._containers.values()

    async def manage(self, versions: Mapping[str, int]) -> None:
        """Take over which stacks the agent manages, with their current versions."""
        touched = {
            name
            for name in self._managed.keys() | versions.keys()
            if self._managed.get(name) != versions.get(name)
        }
        self._managed = dict(versions)
        await self._publish(touched)
        self._managed_known.set()

    async def _follow(self) -> None:
        while True:
            try:
                with self._resources.subscribe(kinds=(CONTAINER_KIND, ENGINE_KIND)) as subscription:
                    start = subscription.start
                    await self._begin(start if isinstance(start, tuple) else start.resources)
                    async for batch in subscription.batches():
                        await self._publish(self._take(batch))
                        self._note_engine(batch)
            except Overflow:
                continue

    async def _begin(self, resources: tuple[Change, ...]) -> None:
        before = set(self._members)
        self._containers, self._members = {}, {}
        await self._publish(before | self._take(resources) | self._managed.keys())
        self._note_engine(resources)

    def _note_engine(self, changes: tuple[Change, ...]) -> None:
        # It is said to be there after all of its containers were.
        if any(_is_connected(each.data) for each in changes):
            self._running_known.set()

    def _take(self, changes: tuple[Change, ...]) -> set[str]:
        """Take the changes over; return the stacks that they are about."""
        touched: set[str] = set()
        for change in changes:
            if change.kind != CONTAINER_KIND:
                continue
            touched |= self._forget(change.key)
            container = change.data
            if isinstance(container, Container) and container.compose:
                project = container.compose.project
                self._containers[change.key] = container
                self._members.setdefault(project, set()).add(change.key)
                touched.add(project)
        return touched

    def _forget(self, key: str) -> set[str]:
        known = self._containers.pop(key, None)
        if known is None or known.compose is None:
            return set()
        project = known.compose.project
        self._members[project].discard(key)
        if not self._members[project]:
            del self._members[project]
        return {project}

    async def _publish(self, names: Iterable[str]) -> None:
        names = set(names)
        # While it is looked, other containers may come.
        while unknown := self._origins(names) - self._reach.keys():
            self._reach |= await asyncio.to_thread(_reach_of, unknown)
        for name in names:
            stack = self._stack(name)
            if stack is None:
                self._resources.remove(STACK_KIND, name)
            else:
                self._resources.publish(STACK_KIND, name, stack)

    def _origins(self, names: Iterable[str]) -> set[Origin]:
        return {origin_of(each.labels) for name in names for each in self.containers(name)}

    def _stack(self, name: str) -> Stack | None:
        containers, version = self.containers(name), self._managed.get(name)
        if not containers and version is None:
            return None
        return describe(name, containers, version=version, reason=self._reach.__getitem__)

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(self._look_again_s)
            self._reach = await asyncio.to_thread(_reach_of, self._origins(self._members))
            await self._publish(self._members)


def _is_connected(data: Model | None) -> bool:
    return isinstance(data, EngineStatus) and data.connection is EngineConnection.CONNECTED


def _reach_of(origins: Iterable[Origin]) -> dict[Origin, str | None]:
    return {each: why_out_of_reach(tuple(map(Path, each.config_files))) for each in origins}
