"""The fix flow of a disk that is full or will be: a clean-up of Docker, after a look at it."""

from typing import Final

from homeassistant.components.repairs import RepairsFlowResult

from .client import AgentError
from .client.models import PruneBody, PruneKind, PruneQuery
from .repairs_base import ThingFlow, coordinator_of

_KINDS: Final = (
    PruneKind.CONTAINERS,
    PruneKind.IMAGES,
    PruneKind.NETWORKS,
    PruneKind.BUILD_CACHE,
)
"""All that holds no data."""

_NAMED: Final = 20
"""So many things are named before they are only counted."""


class DiskFlow(ThingFlow):
    """Shows what a clean-up of Docker would remove, and removes exactly that."""

    def __init__(self, told: dict[str, str]) -> None:
        super().__init__(told)
        self.menu = ["clean_up", "ignore"]
        self._hash: str | None = None

    async def async_step_clean_up(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show what would go; let it go when told to."""
        coordinator = coordinator_of(self.hass, self.told)
        if coordinator is None:
            return self.not_connected()
        objects = coordinator.client.objects
        if user_input is not None and self._hash is not None:
            body = PruneBody(kinds=_KINDS, hash=self._hash, wait_s=0)
            return await self.done(coordinator.async_see_through(objects.prune(body)))
        try:
            preview = await objects.preview_prune(PruneQuery(kinds=",".join(_KINDS)))
        except AgentError as error:
            return self.failed(coordinator.translated(error))
        if not preview.items:
            return self.async_abort(reason="nothing_to_clean", description_placeholders=self.told)
        self._hash = preview.hash
        names = [f"- {one.name.replace('`', '')}" for one in preview.items[:_NAMED]]
        if len(preview.items) > _NAMED:
            names.append("- …")
        placeholders = {
            **self.told,
            "count": str(len(preview.items)),
            "size": f"{preview.reclaimable_bytes / 1e9:.1f}",
            "things": "\n".join(names),
        }
        return self.async_show_form(step_id="clean_up", description_placeholders=placeholders)
