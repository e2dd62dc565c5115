"""Conditions: a container runs, a stack is healthy.

What cannot be known right now, because the agent or its Docker is away, is not so.
"""

from abc import abstractmethod
from typing import Any, ClassVar, Final, Unpack, override

import voluptuous as vol
from homeassistant.const import CONF_OPTIONS, CONF_TARGET
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import (
    ATTR_BEHAVIOR,
    BEHAVIOR_ALL,
    BEHAVIOR_ANY,
    Condition,
    ConditionCheckParams,
    ConditionConfig,
)
from homeassistant.helpers.typing import ConfigType

from .client import ContainerState, StackState
from .client.kinds import CONTAINER, STACK
from .targets import HOST, Target, kind_of, selected_devices, target_of, validate_target

_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
        vol.Required(CONF_OPTIONS, default={}): {
            vol.Required(ATTR_BEHAVIOR, default=BEHAVIOR_ANY): vol.In([BEHAVIOR_ANY, BEHAVIOR_ALL])
        },
    }
)


class _OfDevices(Condition):
    """Asks each thing within the target; a target without any is not met."""

    device_kinds: ClassVar[frozenset[str]]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Refuse what could never be met."""
        valid: ConfigType = _SCHEMA(config)
        validate_target(hass, valid[CONF_TARGET], cls.device_kinds)
        return valid

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Keep target and behaviour, which were validated."""
        super().__init__(hass, config)
        self._target: dict[str, Any] = config.target or {}
        self._combine = all if (config.options or {})[ATTR_BEHAVIOR] == BEHAVIOR_ALL else any

    @abstractmethod
    def _each(self, target: Target) -> list[bool]:
        """Return of each thing that a device of a reachable host stands for whether it is so."""

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Return whether it is so for any or for all that are targeted."""
        devices = selected_devices(self._hass, self._target)
        found = [met for device_id in devices for met in self._of(device_id)]
        return bool(found) and self._combine(found)

    def _of(self, device_id: str) -> list[bool]:
        if kind_of(self._hass, device_id) not in self.device_kinds:
            return []
        target = target_of(self._hass, device_id)
        if target is None or not target.coordinator.engine_connected:
            return [False]
        return self._each(target)


class ContainerIsRunning(_OfDevices):
    """Containers run; those of a host or a stack are all its containers."""

    device_kinds = frozenset({HOST, STACK.name, CONTAINER.name})

    @override
    def _each(self, target: Target) -> list[bool]:
        containers = [target.coordinator.container(key) for key in target.containers()]
        if not containers and target.subject is not None:
            return [False]
        return [found is not None and found.state is ContainerState.RUNNING for found in containers]


class StackIsHealthy(_OfDevices):
    """All of a stack runs and nothing of it is unhealthy."""

    device_kinds = frozenset({HOST, STACK.name})

    @override
    def _each(self, target: Target) -> list[bool]:
        coordinator = target.coordinator
        stacks = (
            coordinator.mirror.every(STACK)
            if target.subject is None
            else [coordinator.stack(target.subject.key)]
        )
        return [stack is not None and stack.state is StackState.RUNNING for stack in stacks]


async def async_get_conditions(_hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions of this integration."""
    return {"container_is_running": ContainerIsRunning, "stack_is_healthy": StackIsHealthy}
