"""Triggers: a container dies, a service is down, a certificate ends soon, a domain is ill."""

from collections.abc import Mapping
from typing import ClassVar, Final, override

import voluptuous as vol
from homeassistant.core import HomeAssistant
from homeassistant.helpers.trigger import Trigger, TriggerConfig

from .client import ExpiryStage, Reach
from .client.kinds import CERTIFICATE, DYNAMIC_ADDRESS, MANAGED_CERTIFICATE, STACK
from .happening import Happening, HappeningType
from .subjects import Subject
from .targets import CONF_TIER, HOST, OF_DOMAINS, OF_MONITORS, TIERS
from .trigger_base import FOR, HappeningTrigger, schema_with

CONF_BELOW: Final = "below"
CONF_DAYS: Final = "days"
CONF_REACH: Final = "reach"

TOLD_AGAIN_AFTER_S: Final = 86400.0
"""A figure that wavers around a limit is not told each time."""

_TIER: Final = {vol.Optional(CONF_TIER): vol.In(TIERS)}
_OF_STACKS: Final = frozenset({HOST, STACK.name})
_OF_CERTIFICATES: Final = OF_MONITORS | OF_DOMAINS | {CERTIFICATE.name, MANAGED_CERTIFICATE.name}
"""One that the agent keeps is shown by the device of its domain, or by its own."""

_RUNGS: Final[Mapping[int, ExpiryStage]] = {
    30: ExpiryStage.DAYS_30,
    14: ExpiryStage.DAYS_14,
    7: ExpiryStage.DAYS_7,
    3: ExpiryStage.DAYS_3,
    1: ExpiryStage.DAYS_1,
    0: ExpiryStage.EXPIRED,
}
"""The rungs of the ladder, each with the days that are left then."""
_REACHES: Final = (Reach.PUBLIC.value, Reach.NETWORK.value, Reach.MACHINE.value)
"""From the farthest on."""


class ContainerDied(HappeningTrigger):
    """A container ended by itself with an error."""

    happening_type = HappeningType.CONTAINER_DIED
    schema = schema_with(FOR)


class ContainerUnhealthy(HappeningTrigger):
    """A container's health check fails now."""

    happening_type = HappeningType.CONTAINER_UNHEALTHY
    schema = schema_with(FOR)


class ContainerRestartLoop(HappeningTrigger):
    """A container ends again and again as soon as it is started."""

    happening_type = HappeningType.CONTAINER_RESTART_LOOP


class ContainerRecovered(HappeningTrigger):
    """A container that had died, was unhealthy or restarted again and again is well again."""

    happening_type = HappeningType.CONTAINER_RECOVERED
    schema = schema_with(FOR)


class UpdateAvailable(HappeningTrigger):
    """There is a newer image for a container."""

    happening_type = HappeningType.UPDATE_AVAILABLE


class UpdateRolledBack(HappeningTrigger):
    """An update did not prove itself and was taken back."""

    happening_type = HappeningType.UPDATE_ROLLED_BACK


class StackDegraded(HappeningTrigger):
    """Some of a stack does not run, or is unhealthy."""

    happening_type = HappeningType.STACK_DEGRADED
    device_kinds = _OF_STACKS
    schema = schema_with(FOR)


class _OfMonitors(HappeningTrigger):
    """Fires for monitors, of one tier where one is chosen."""

    device_kinds = OF_MONITORS
    schema = schema_with({**_TIER, **FOR})

    @override
    def wants(self, happening: Happening) -> bool:
        tier = self.options.get(CONF_TIER)
        return tier is None or happening.details["tier"] == tier


class MonitorDown(_OfMonitors):
    """A service is down, and that is confirmed."""

    happening_type = HappeningType.MONITOR_DOWN


class MonitorRecovered(_OfMonitors):
    """A service that was down is up again."""

    happening_type = HappeningType.MONITOR_RECOVERED


class CertificateExpiring(HappeningTrigger):
    """A certificate came to the next rung of the ladder, or ended."""

    happening_type = HappeningType.CERTIFICATE_EXPIRING
    device_kinds = _OF_CERTIFICATES
    schema = schema_with(
        {vol.Required(CONF_DAYS, default=30): vol.All(vol.Coerce(int), vol.In(list(_RUNGS)))}
    )

    @override
    def wants(self, happening: Happening) -> bool:
        """Return whether it came to the chosen rung or one below it."""
        first: int = self.options[CONF_DAYS]
        counting = {stage.value for days, stage in _RUNGS.items() if days <= first}
        return happening.details["stage"] in counting


class CertificateChanged(HappeningTrigger):
    """A certificate was replaced by another."""

    happening_type = HappeningType.CERTIFICATE_CHANGED
    device_kinds = _OF_CERTIFICATES


class _OfFigures(HappeningTrigger):
    """Fires when a figure falls to a limit, and for the same thing not again within a day."""

    limit_option: ClassVar[str]

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Nothing was told yet."""
        super().__init__(hass, config)
        self._told: dict[tuple[str, Subject], float] = {}

    @override
    def wants(self, happening: Happening) -> bool:
        """Return whether the limit was reached just now."""
        if happening.fall is None or not happening.fall.passes(self.options[self.limit_option]):
            return False
        identity = (happening.coordinator.instance_id, happening.subject)
        now = self._hass.loop.time()
        told = self._told.get(identity)
        if told is not None and now - told < TOLD_AGAIN_AFTER_S:
            return False
        self._told[identity] = now
        return True


class SloBudgetLow(_OfFigures):
    """Little is left of what may go wrong with a service."""

    happening_type = HappeningType.SLO_BUDGET_LOW
    device_kinds = OF_MONITORS
    limit_option = CONF_BELOW
    schema = schema_with(
        {
            **_TIER,
            vol.Required(CONF_BELOW, default=20): vol.All(vol.Coerce(float), vol.Range(0, 100)),
        }
    )

    @override
    def wants(self, happening: Happening) -> bool:
        """Return whether it is of the tier and fell below the limit."""
        tier = self.options.get(CONF_TIER)
        return (tier is None or happening.details["tier"] == tier) and super().wants(happening)


class DiskFilling(_OfFigures):
    """A file system will be full soon."""

    happening_type = HappeningType.DISK_FILLING
    device_kinds = frozenset({HOST})
    limit_option = CONF_DAYS
    schema = schema_with(
        {vol.Required(CONF_DAYS, default=7): vol.All(vol.Coerce(float), vol.Range(0, 365))}
    )


class PortOpened(HappeningTrigger):
    """Something listens at a port."""

    happening_type = HappeningType.PORT_OPENED
    schema = schema_with({vol.Required(CONF_REACH, default=Reach.NETWORK.value): vol.In(_REACHES)})

    @override
    def wants(self, happening: Happening) -> bool:
        """Return whether it can be reached from as far as chosen, or from farther."""
        nearest = _REACHES.index(self.options[CONF_REACH])
        return happening.details["reach"] in _REACHES[: nearest + 1]


class DomainUnhealthy(HappeningTrigger):
    """A domain does not work as it should."""

    happening_type = HappeningType.DOMAIN_UNHEALTHY
    device_kinds = OF_DOMAINS
    schema = schema_with(FOR)


class DomainRecovered(HappeningTrigger):
    """A domain that did not work works again."""

    happening_type = HappeningType.DOMAIN_RECOVERED
    device_kinds = OF_DOMAINS
    schema = schema_with(FOR)


class DomainProvisioned(HappeningTrigger):
    """Something was put at a domain with HTTPS, and is served there."""

    happening_type = HappeningType.DOMAIN_PROVISIONED
    device_kinds = OF_DOMAINS


class AddressChanged(HappeningTrigger):
    """A name that follows an address leads to another one now."""

    happening_type = HappeningType.ADDRESS_CHANGED
    device_kinds = OF_DOMAINS | {DYNAMIC_ADDRESS.name}


class CertificateRenewalFailed(HappeningTrigger):
    """A certificate that the agent keeps could not be issued or renewed."""

    happening_type = HappeningType.CERTIFICATE_RENEWAL_FAILED
    device_kinds = OF_DOMAINS | {MANAGED_CERTIFICATE.name}


_TRIGGERS: Final[dict[str, type[Trigger]]] = {
    trigger.happening_type.value: trigger
    for trigger in (
        ContainerDied,
        ContainerUnhealthy,
        ContainerRestartLoop,
        ContainerRecovered,
        UpdateAvailable,
        UpdateRolledBack,
        StackDegraded,
        MonitorDown,
        MonitorRecovered,
        SloBudgetLow,
        CertificateExpiring,
        CertificateChanged,
        DiskFilling,
        PortOpened,
        DomainUnhealthy,
        DomainRecovered,
        DomainProvisioned,
        AddressChanged,
        CertificateRenewalFailed,
    )
}


async def async_get_triggers(_hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers of this integration."""
    return _TRIGGERS
