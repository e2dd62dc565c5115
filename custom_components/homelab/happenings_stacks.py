"""What happens to stacks: they are degraded."""

from typing import override

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from .client import Stack, StackState
from .client.kinds import STACK
from .coordinator import HomelabCoordinator
from .happening import Happening, HappeningType, Watch
from .mirror import Before, ResourceId
from .subjects import Subject


class StackWatch(Watch):
    """Watches stacks."""

    @override
    @callback
    def look(self, resource: ResourceId, before: Before, *, just_now: bool) -> None:
        """Tell of a stack of which some does not run any more."""
        kind, key = resource
        if kind != STACK.name or not just_now:
            return
        stack, old = self._coordinator.stack(key), before[resource]
        was = old.state if isinstance(old, Stack) else None
        if stack is None or stack.state is not StackState.DEGRADED:
            return
        if was not in {None, StackState.DEGRADED}:
            self._degraded(stack)

    def _degraded(self, stack: Stack) -> None:
        def still_degraded(now: HomelabCoordinator) -> bool:
            known = now.stack(stack.key)
            return known is not None and known.state is StackState.DEGRADED

        subject = Subject(STACK.name, stack.key)
        self._tell(
            Happening(
                type=HappeningType.STACK_DEGRADED,
                coordinator=self._coordinator,
                subject=subject,
                device=subject,
                name=stack.name,
                at=dt_util.utcnow(),
                details={
                    "reason": stack.problem,
                    "running": stack.running,
                    "total": stack.total,
                },
                lasts=still_degraded,
            )
        )
