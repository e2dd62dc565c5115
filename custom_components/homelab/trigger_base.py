"""The base of the triggers: each fires once for each happening of its type within its target.

They need no entity. What a target includes is found out when something happens, so that new
containers of a host, a stack, an area or a label count at once.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, override

import voluptuous as vol
from homeassistant.const import CONF_FOR, CONF_OPTIONS, CONF_TARGET
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.trigger import (
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType
from homeassistant.util import dt as dt_util

from .client.kinds import CONTAINER, STACK
from .happening import HAPPENED, Happening, HappeningType
from .subjects import Subject
from .targets import HOST, selected_devices, validate_target

OF_CONTAINERS: Final = frozenset({HOST, STACK.name, CONTAINER.name})
FOR: Final = {vol.Optional(CONF_FOR): cv.positive_time_period}


def schema_with(options: Mapping[Any, Any]) -> vol.Schema:
    """Return the schema of a trigger that has these options."""
    return vol.Schema(
        {
            vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
            vol.Required(CONF_OPTIONS, default={}): dict(options),
        }
    )


class HappeningTrigger(Trigger):
    """Fires once for each happening of a type within the target."""

    happening_type: ClassVar[HappeningType]
    device_kinds: ClassVar[frozenset[str]] = OF_CONTAINERS
    schema: ClassVar[vol.Schema] = schema_with({})

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Refuse what could never fire."""
        valid: ConfigType = cls.schema(config)
        validate_target(hass, valid[CONF_TARGET], cls.device_kinds)
        return valid

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Keep target and options, which were validated."""
        super().__init__(hass, config)
        self._target: Mapping[str, Any] = config.target or {}
        self.options: Mapping[str, Any] = config.options or {}
        self._for: timedelta | None = self.options.get(CONF_FOR)

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Wait for happenings, of hosts that are set up later too."""
        waiting = _Waiting(self._hass)

        @callback
        def fire(happening: Happening) -> None:
            payload = _payload(self._hass, happening)
            run_action(payload, f"{happening.type} of {payload['name']} on {payload['host']}")

        @callback
        def on_happening(happening: Happening) -> None:
            if happening.type is not self.happening_type or not self.wants(happening):
                return
            if not self._includes(happening):
                return
            if self._for:
                waiting.add(happening, self._for, fire)
            else:
                fire(happening)

        end = async_dispatcher_connect(self._hass, HAPPENED, on_happening)

        @callback
        def detach() -> None:
            end()
            waiting.cancel()

        return detach

    def wants(self, happening: Happening) -> bool:  # noqa: ARG002 - for those with options
        """Return whether the options let a happening through."""
        return True

    def _includes(self, happening: Happening) -> bool:
        """Return whether the device, its stack or its host is targeted."""
        wanted = selected_devices(self._hass, self._target)
        return any(device.id in wanted for device in _lineage(self._hass, happening))


class _Waiting:
    """Happenings that have to last for some time before they count."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._ends: dict[tuple[str, Subject], list[CALLBACK_TYPE]] = {}

    @callback
    def add(self, happening: Happening, lasting: timedelta, fire: Any) -> None:
        """Call `fire` unless it ends before its time; one that waits already goes on waiting."""
        identity = (happening.coordinator.instance_id, happening.subject)
        if identity in self._ends:
            return

        @callback
        def review() -> None:
            if _is_over(happening):
                self._forget(identity)

        @callback
        def due(_now: datetime) -> None:
            self._forget(identity)
            # The host may have been set up anew meanwhile, and what happened then was not heard.
            known = happening.coordinator.successor
            if known is not None and happening.lasts(known):
                fire(happening)

        subject = happening.subject
        self._ends[identity] = [
            async_call_later(self._hass, lasting, due),
            happening.coordinator.async_listen((subject.kind, subject.key), review),
        ]

    @callback
    def cancel(self) -> None:
        """Wait for nothing any more."""
        for identity in tuple(self._ends):
            self._forget(identity)

    def _forget(self, identity: tuple[str, Subject]) -> None:
        for end in self._ends.pop(identity, ()):
            end()


def _is_over(happening: Happening) -> bool:
    """Return whether something does not last any more. While its agent starts nobody knows."""
    coordinator, subject = happening.coordinator, happening.subject
    if not coordinator.mirror.has((subject.kind, subject.key)):
        return coordinator.is_gone(subject)
    return not happening.lasts(coordinator)


def _lineage(hass: HomeAssistant, happening: Happening) -> list[dr.AnyDeviceEntry]:
    """Return the device of the happening and those it hangs below, up to the host."""
    registry = dr.async_get(hass)
    devices = happening.coordinator.devices
    device_id = devices.id_of_subject(happening.device) if happening.device else None
    device_id = device_id or devices.host_id
    found: list[dr.AnyDeviceEntry] = []
    while device_id is not None and (device := registry.async_get(device_id)) is not None:
        found.append(device)
        device_id = device.via_device_id if isinstance(device, dr.DeviceEntry) else None
    return found


def _payload(hass: HomeAssistant, happening: Happening) -> dict[str, Any]:
    """Return the trigger's variables: all that a message needs."""
    lineage = _lineage(hass, happening)
    device, host = (lineage[0], lineage[-1]) if lineage else (None, None)
    renamed = device.name_by_user if device and happening.device == happening.subject else None
    return {
        "device_id": device and device.id,
        "name": renamed or happening.name,
        "host": (host and (host.name_by_user or host.name)) or "",
        "key": happening.subject.key,
        "event": happening.type.value,
        "at": dt_util.as_local(happening.at).isoformat(),
        **happening.details,
    }
