"""Conditions: a container runs, a stack is healthy, a service is up, a domain works.

What cannot be known right now, because the agent or its Docker is away, is not so.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Unpack, override

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

from .client import ContainerState, DomainStatus, MonitorState, StackState
from .client.kinds import CONTAINER, DOMAIN, MONITOR, STACK
from .coordinator import HomelabCoordinator
from .targets import (
    CONF_TIER,
    HOST,
    OF_DOMAINS,
    OF_MONITORS,
    TIERS,
    Target,
    kind_of,
    selected_devices,
    target_of,
    validate_target,
)

_BEHAVIOR: Any = {
    vol.Required(ATTR_BEHAVIOR, default=BEHAVIOR_ANY): vol.In([BEHAVIOR_ANY, BEHAVIOR_ALL])
}


def _schema(options: Mapping[Any, Any]) -> vol.Schema:
    return vol.Schema(
        {
            vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
            vol.Required(CONF_OPTIONS, default={}): {**_BEHAVIOR, **options},
        }
    )


class _OfDevices(Condition):
    """Asks each thing within the target; a target without any is not met."""

    device_kinds: ClassVar[frozenset[str]]
    schema: ClassVar[vol.Schema] = _schema({})

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Refuse what could never be met."""
        valid: ConfigType = cls.schema(config)
        validate_target(hass, valid[CONF_TARGET], cls.device_kinds)
        return valid

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Keep target and behaviour, which were validated."""
        super().__init__(hass, config)
        self._target: dict[str, Any] = config.target or {}
        self._options: Mapping[str, Any] = config.options or {}
        self._combine = all if self._options[ATTR_BEHAVIOR] == BEHAVIOR_ALL else any

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
        if target is None or not self._is_known(target.coordinator):
            return [False]
        return self._each(target)

    def _is_known(self, coordinator: HomelabCoordinator) -> bool:
        """Return whether what the agent tells is true right now."""
        return coordinator.engine_connected


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


class _OfMonitors(_OfDevices):
    """Asks monitors; those of a container, a stack or a host are all of its monitors."""

    device_kinds = OF_MONITORS
    schema = _schema({vol.Optional(CONF_TIER): vol.In(TIERS)})
    state: ClassVar[MonitorState]

    @override
    def _each(self, target: Target) -> list[bool]:
        found = [target.coordinator.mirror.get(MONITOR, key) for key in target.monitors()]
        tier = self._options.get(CONF_TIER)
        return [
            monitor is not None and monitor.state is self.state
            for monitor in found
            if monitor is None or tier is None or monitor.tier == tier
        ]

    @override
    def _is_known(self, coordinator: HomelabCoordinator) -> bool:
        # Monitors go on without Docker.
        return coordinator.connected


class MonitorIsUp(_OfMonitors):
    """Services are up."""

    state = MonitorState.UP


class MonitorIsDown(_OfMonitors):
    """Services are down, and that is confirmed."""

    state = MonitorState.DOWN


class DomainIsHealthy(_OfDevices):
    """Domains work as they should; those of a host are all of its domains."""

    device_kinds = OF_DOMAINS

    @override
    def _each(self, target: Target) -> list[bool]:
        found = (target.coordinator.mirror.get(DOMAIN, key) for key in target.domains())
        return [domain is not None and domain.status is DomainStatus.HEALTHY for domain in found]

    @override
    def _is_known(self, coordinator: HomelabCoordinator) -> bool:
        # Domains do not need Docker.
        return coordinator.connected


async def async_get_conditions(_hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions of this integration."""
    return {
        "container_is_running": ContainerIsRunning,
        "stack_is_healthy": StackIsHealthy,
        "monitor_is_up": MonitorIsUp,
        "monitor_is_down": MonitorIsDown,
        "domain_is_healthy": DomainIsHealthy,
    }
