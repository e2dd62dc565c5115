"""A form whose answer goes to the agent, which may take its time or refuse it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import voluptuous as vol
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.data_entry_flow import AbortFlow

from .client import AgentError, CommandResult, Job
from .coordinator import HomelabCoordinator
from .jobs import async_end_of, raise_unless_well
from .provider_forms import Mistake

type Data = dict[str, Any]
type Tell = Callable[[Data], Awaitable[CommandResult | None]]


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it is shown: nothing of it is a secret.

    `lines`: what the agent calls otherwise, and the line that it is about.
    """

    step: str
    schema: vol.Schema
    shown: Data | None
    lines: Mapping[str, str] = field(default_factory=dict)


class AgentFormFlow(OptionsFlow):
    """Steps that tell the agent something and keep nothing of it."""

    _waiting: tuple[Form, asyncio.Task[AgentError | None]]
    """The form that the agent is busy with, and its end: the error where it failed."""

    async def async_step_working(self, _input: Data | None = None) -> ConfigFlowResult:
        """Show that the agent is at it, which may take minutes."""
        _, end = self._waiting
        if end.done():
            return self.async_show_progress_done(next_step_id="worked")
        return self.async_show_progress(
            step_id="working", progress_action="working", progress_task=end
        )

    async def async_step_worked(self, _input: Data | None = None) -> ConfigFlowResult:
        """Finish, or show the form once more where the agent failed."""
        form, end = self._waiting
        error = await end
        return self._finished() if error is None else self._refused(form, error)

    @property
    def _coordinator(self) -> HomelabCoordinator:
        if self.config_entry.state is not ConfigEntryState.LOADED:
            raise AbortFlow("not_connected")
        coordinator: HomelabCoordinator = self.config_entry.runtime_data
        return coordinator

    async def _ask(self, form: Form, user_input: Data | None, tell: Tell) -> ConfigFlowResult:
        """Show a form, and tell the agent what is filled in; wait where that takes longer."""
        if user_input is None:
            return self._show(form)
        try:
            result = await tell(dict(user_input))
            if result is not None:
                raise_unless_well(result)
        except Mistake as mistake:
            return self._show(form, {mistake.field: mistake.key})
        except AgentError as error:
            return self._refused(form, error)
        if result is None or result.job is None or result.outcome is not None:
            return self._finished()
        end = self.hass.async_create_background_task(
            self._end_of(result.job), f"the end of {result.job.id}"
        )
        self._waiting = form, end
        return await self.async_step_working()

    async def _end_of(self, job: Job) -> AgentError | None:
        """Return why a job failed. It is not raised: the browser may have been closed meanwhile."""
        try:
            raise_unless_well(await async_end_of(self._coordinator, job))
        except AgentError as error:
            return error
        return None

    def _refused(self, form: Form, error: AgentError) -> ConfigFlowResult:
        """Show a form once more, with what the agent says at the line that it is about."""
        named = (form.lines.get(part, part) for part in reversed((error.field or "").split(".")))
        known = {str(line) for line in form.schema.schema}
        line = next((each for each in named if each in known), "base")
        reason = said(error)
        if line != "base":
            reason = reason.removeprefix(f"{error.field}: ")
        return self._show(form, {line: "refused"}, reason)

    def _show(
        self, form: Form, errors: dict[str, str] | None = None, reason: str = ""
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=form.step,
            data_schema=self.add_suggested_values_to_schema(form.schema, form.shown),
            errors=errors,
            description_placeholders={"reason": reason},
        )

    def _finished(self) -> ConfigFlowResult:
        """End the flow; there is nothing for Home Assistant to keep."""
        return self.async_create_entry(data=dict(self.config_entry.options))


def said(error: AgentError) -> str:
    """Return what the agent says, and its hint."""
    return f"{error.message} {error.hint}" if error.hint else error.message
