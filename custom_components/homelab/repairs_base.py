"""What the fix flows of the repairs share."""

from collections.abc import Awaitable

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from .client import CommandResult
from .const import DOMAIN
from .coordinator import HomelabConfigEntry, HomelabCoordinator


class ThingFlow(RepairsFlow):
    """Offers what can be done about one thing; `told` is what the issue was raised with."""

    menu: list[str]

    def __init__(self, told: dict[str, str]) -> None:
        self.told = told

    async def async_step_init(self, _input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Offer what there is to do."""
        return self.async_show_menu(
            step_id="init", menu_options=self.menu, description_placeholders=self.told
        )

    async def async_step_ignore(self, _input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Show the issue no more until it comes anew."""
        ir.async_ignore_issue(self.hass, DOMAIN, self.issue_id, ignore=True)
        return self.async_abort(reason="ignored", description_placeholders=self.told)

    async def done(self, asked: Awaitable[CommandResult]) -> RepairsFlowResult:
        """Give a command and end the flow with how it went."""
        try:
            await asked
        except HomeAssistantError as error:
            return self.failed(error)
        return self.async_create_entry(data={})

    def failed(self, error: Exception) -> RepairsFlowResult:
        """End the flow and say why it could not be done."""
        placeholders = {**self.told, "error": str(error)}
        return self.async_abort(reason="failed", description_placeholders=placeholders)

    def not_connected(self) -> RepairsFlowResult:
        """End the flow: there is nobody to do it."""
        return self.async_abort(reason="not_connected", description_placeholders=self.told)


def coordinator_of(hass: HomeAssistant, told: dict[str, str]) -> HomelabCoordinator | None:
    """Return the host that an issue is about, where it is set up."""
    entry: HomelabConfigEntry | None = hass.config_entries.async_get_entry(told["entry_id"])
    if entry is None or entry.state is not ConfigEntryState.LOADED:
        return None
    return entry.runtime_data
