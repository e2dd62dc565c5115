"""The engine of an invented homelab on a busy machine: its answers arrive late."""

import asyncio
from collections.abc import Mapping
from typing import override

from homelab_agent.platform.engine.demo.containers import DemoEngine
from homelab_agent.platform.engine.models import EngineContainer


class LateEngine(DemoEngine):
    """What it says of a container was so when it was asked, `late_s` before.

    `labels`: what every container has besides its own. `stops_after`: with this question about it a
    container ends, which only later answers tell.
    """

    def __init__(self, *, late_s: float, labels: Mapping[str, str], stops_after: int) -> None:
        super().__init__(pace_s=0)
        self._late_s = late_s
        self._labels = labels
        self._left = stops_after

    @override
    async def inspect(self, container_id: str) -> EngineContainer:
        row = await super().inspect(container_id)
        self._left -= 1
        if self._left == 0:
            await self.stop(container_id, None)
        await asyncio.sleep(self._late_s)
        return row.model_copy(update={"labels": {**row.labels, **self._labels}})
