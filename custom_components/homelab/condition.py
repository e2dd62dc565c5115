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
from .targets import HOST, Target, targets_of, validate_target

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
    def _each(self, target: Target) -> dict[str, bool]:
        """Return of each thing that a device stands for, by key, whether it is so."""

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Return whether it is so for any or for all that are targeted."""
        found: dict[tuple[int, str], bool] = {}
        for target in targets_of(self._hass, self._target):
            known = target.coordinator.engine_connected
            for key, met in self._each(target).items():
                found[id(target.coordinator), key] = known and met
        return bool(found) and self._combine(found.values())


class ContainerIsRunning(_OfDevices):
    """Containers run; those of a host or a stack are all its containers."""

    device_kinds = frozenset({HOST, STACK.name, CONTAINER.name})

    @override
    def _each(self, target: Target) -> dict[str, bool]:
        containers = ((key, target.coordinator.container(key)) for key in target.containers())
        return {
            key: found is not None and found.state is ContainerState.RUNNING
            for key, found in containers
        }


class StackIsHealthy(_OfDevices):
    """All of a stack runs and nothing of it is unhealthy."""

    device_kinds = frozenset({HOST, STACK.name})

    @override
    def _each(self, target: Target) -> dict[str, bool]:
        mirror = target.coordinator.mirror
        if target.subject is None:
            stacks = mirror.every(STACK)
        else:
            found = mirror.get(STACK, target.subject.key) if target.kind == STACK.name else None
            stacks = [] if found is None else [found]
        return {stack.key: stack.state is StackState.RUNNING for stack in stacks}


async def async_get_conditions(_hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions of this integration."""
    return {"container_is_running": ContainerIsRunning, "stack_is_healthy": StackIsHealthy}
