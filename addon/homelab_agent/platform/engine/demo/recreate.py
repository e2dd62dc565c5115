"""Replacing containers of the invented homelab; one of them has an update that does not work."""

from collections.abc import Mapping, Sequence
from typing import override

from homelab_agent.platform.engine.demo.containers import DemoEngine
from homelab_agent.platform.engine.demo.homelab import FLAPPING
from homelab_agent.platform.engine.recreate import Original, RecreateEngine, RestartPolicy
from homelab_agent.platform.errors import Conflict

_HEALTH_LIMIT_S = 60.0

NO_LUCK = FLAPPING
"""Its newer image never becomes healthy, so that its update is taken back."""


class DemoRecreate(RecreateEngine):
    """Implements `RecreateEngine`."""

    def __init__(self, engine: DemoEngine) -> None:
        self._engine = engine

    @override
    async def look(self, container_id: str) -> Original:
        row = await self._engine.inspect(container_id)
        return Original(
            id=row.id,
            name=row.name,
            image=row.image,
            image_id=row.image_id,
            state=row.state,
            restart_policy=RestartPolicy(name=row.restart_policy),
        )

    @override
    async def uses(self) -> dict[str, frozenset[str]]:
        return {row.id: frozenset() for row in await self._engine.list_containers()}

    @override
    async def create(
        self,
        original: Original,
        *,
        name: str,
        image: str,
        image_id: str,
        replaced: Mapping[str, str],
    ) -> str:
        doomed = original.name == NO_LUCK and image_id != original.image_id
        return self._engine.add(
            original.id, name=name, image=image, image_id=image_id, doomed=doomed
        )

    @override
    async def copy_files(self, from_id: str, to_id: str, paths: Sequence[str]) -> None:
        pass

    @override
    async def start_helper(
        self,
        like_id: str,
        *,
        name: str,
        image: str,
        command: Sequence[str],
        labels: Mapping[str, str],
    ) -> str:
        raise Conflict("The demo homelab runs no commands.")

    @override
    async def set_restart_policy(self, container_id: str, policy: RestartPolicy) -> None:
        self._engine.set_restart_policy(container_id, policy.name)

    @override
    async def rename(self, container_id: str, name: str) -> None:
        self._engine.rename(container_id, name)

    @override
    async def remove(self, container_id: str, *, own_volumes: bool) -> None:
        self._engine.remove(container_id)

    @override
    async def health_limit_s(self, container_id: str) -> float | None:
        row = await self._engine.inspect(container_id)
        return _HEALTH_LIMIT_S if row.has_health_check else None

    @override
    async def addresses(self, container_id: str, port: int) -> tuple[str, ...]:
        return ()
