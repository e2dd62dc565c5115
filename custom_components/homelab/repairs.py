"""Fix flows of the repair issues."""

import asyncio
from typing import Final

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from . import issues
from .client import AgentError, ContainerCommand, LogsQuery
from .client.models import UpdateBody
from .const import DOMAIN
from .container_issues import LOG_LINES, as_text
from .repairs_base import ThingFlow, coordinator_of
from .repairs_disk import DiskFlow
from .repairs_domain import flow_of

type Data = dict[str, str | int | float | None]

_MENUS: Final = {
    issues.RESTART_LOOP: ["stop", "log", "ignore"],
    issues.UNHEALTHY: ["restart", "log", "ignore"],
    issues.ROLLED_BACK: ["acknowledge", "update"],
}
_OF_DISKS: Final = frozenset({issues.DISK_FILLING, issues.DISK_FULL})

NEWS_S: Final = 2.0
"""How long after the agent has looked its news may still be on the way."""


async def async_create_fix_flow(
    _hass: HomeAssistant, _issue_id: str, data: Data | None
) -> RepairsFlow:
    """Return the flow for an issue; `data` is what the issue was raised with."""
    told = {name: str(value) for name, value in (data or {}).items()}
    if told["issue"] in _MENUS:
        return ContainerFlow(told)
    if told["issue"] in _OF_DISKS:
        return DiskFlow(told)
    return flow_of(told) or LookAgainFlow(told)


class LookAgainFlow(RepairsFlow):
    """Says what a person has to do elsewhere, and has the agent look whether that was done."""

    def __init__(self, told: dict[str, str]) -> None:
        self._told = told

    async def async_step_init(self, _input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Explain, and look again when told to. The issue is gone as soon as its cause is."""
        errors = {}
        told = self._told
        if user_input is not None:
            try:
                await self._look()
            except AgentError as error:
                errors["base"] = "look_failed"
                told = {**told, "error": error.message}
            if await self._vanishes():
                return self.async_create_entry(data={})
            errors.setdefault("base", "still_there")
        return self.async_show_form(step_id="confirm", errors=errors, description_placeholders=told)

    async def _look(self) -> None:
        coordinator = coordinator_of(self.hass, self._told)
        if coordinator is not None:
            await coordinator.client.look_at_engine()

    async def _vanishes(self) -> bool:
        """Return whether the issue is gone; the stream tells of it a moment after the answer."""
        changed = asyncio.Event()

        @callback
        def note(_event: Event[ir.EventIssueRegistryUpdatedData]) -> None:
            changed.set()

        end = self.hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, note)
        try:
            async with asyncio.timeout(NEWS_S):
                while ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id) is not None:
                    await changed.wait()
                    changed.clear()
        except TimeoutError:
            return False
        finally:
            end()
        return True


class ContainerFlow(ThingFlow):
    """Offers what can be done about one container."""

    def __init__(self, told: dict[str, str]) -> None:
        super().__init__(told)
        self.menu = _MENUS[told["issue"]]
        self._key = told["key"]

    async def async_step_stop(self, _input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Stop the container."""
        return await self._command(ContainerCommand.STOP)

    async def async_step_restart(self, _input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Restart the container."""
        return await self._command(ContainerCommand.RESTART)

    async def async_step_update(self, _input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin the update once more; the update entity shows how it goes."""
        coordinator = coordinator_of(self.hass, self.told)
        if coordinator is None:
            return self.not_connected()
        return await self.done(
            coordinator.async_run(coordinator.client.update(self._key, UpdateBody()))
        )

    async def async_step_log(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Show the last lines of the log, then offer the rest again."""
        if user_input is not None:
            return await self.async_step_init()
        coordinator = coordinator_of(self.hass, self.told)
        if coordinator is None:
            return self.not_connected()
        try:
            logs = await coordinator.client.logs(self._key, LogsQuery(tail=LOG_LINES))
        except AgentError as error:
            return self.failed(coordinator.translated(error))
        return self.async_show_form(
            step_id="log", description_placeholders={**self.told, "log": as_text(logs.lines)}
        )

    async def async_step_acknowledge(
        self, _input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Remember that somebody knows of it, over a restart too."""
        return await self.async_step_ignore()

    async def _command(self, command: ContainerCommand) -> RepairsFlowResult:
        coordinator = coordinator_of(self.hass, self.told)
        if coordinator is None:
            return self.not_connected()
        return await self.done(coordinator.async_command(self._key, command))
