"""The buttons of what the agent looks after: monitors, domains, addresses, certificates."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import (
    Domain,
    Kind,
    ManagedCertificate,
    ManagedOrigin,
    RouteState,
    ServiceType,
)
from .client.kinds import DOMAIN, DYNAMIC_ADDRESS, MANAGED_CERTIFICATE, MONITOR, PROXY_ROUTE
from .client.models import CheckNowBody, RenewBody
from .coordinator import HomelabCoordinator
from .entity import ServiceEntity
from .subjects import Thing

type Ask = Callable[[HomelabCoordinator, str], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class AskDescription(ButtonEntityDescription):
    """A button that has something done about a thing of a `kind`, by its key.

    `of`: what is known under the same key and decides by `usable_fn` whether there is something
    to do now; the thing itself where none is given. `applies_fn`: whether a thing has the button.
    """

    kind: Kind[Any]
    ask_fn: Ask
    of: Kind[Any] | None = None
    usable_fn: Callable[[Any], bool] | None = None
    applies_fn: Callable[[Any], bool] = lambda _: True


def _is_page(domain: Domain) -> bool:
    return domain.service_type is ServiceType.WEB


def _is_ordered(certificate: ManagedCertificate) -> bool:
    return certificate.origin is ManagedOrigin.ACME


_LOST: Final = frozenset({RouteState.DRIFTED, RouteState.MISSING})

SERVICE_BUTTONS: Final = (
    AskDescription(
        key="check_now",
        translation_key="check_now",
        entity_category=EntityCategory.DIAGNOSTIC,
        kind=MONITOR,
        ask_fn=lambda coordinator, key: coordinator.async_ask(
            coordinator.client.monitors.check(key, CheckNowBody())
        ),
    ),
    AskDescription(
        key="check_domain",
        translation_key="check_domain",
        entity_category=EntityCategory.DIAGNOSTIC,
        kind=DOMAIN,
        ask_fn=lambda coordinator, key: coordinator.async_ask(coordinator.client.domains.look(key)),
    ),
    AskDescription(
        key="restore_route",
        translation_key="restore_route",
        entity_category=EntityCategory.CONFIG,
        kind=DOMAIN,
        ask_fn=lambda coordinator, key: coordinator.async_see_through(
            coordinator.client.proxy.restore(key)
        ),
        of=PROXY_ROUTE,
        applies_fn=_is_page,
        usable_fn=lambda route: route.state in _LOST,
    ),
    AskDescription(
        key="update_address",
        translation_key="update_address",
        entity_category=EntityCategory.DIAGNOSTIC,
        kind=DYNAMIC_ADDRESS,
        ask_fn=lambda coordinator, key: coordinator.async_ask(
            coordinator.client.dynamic_addresses.update(key)
        ),
    ),
    AskDescription(
        key="renew_certificate",
        translation_key="renew_certificate",
        entity_category=EntityCategory.CONFIG,
        kind=MANAGED_CERTIFICATE,
        ask_fn=lambda coordinator, key: coordinator.async_see_through(
            coordinator.client.renewal.renew(key, RenewBody(wait_s=0))
        ),
        applies_fn=_is_ordered,
    ),
)


def follow_services(
    coordinator: HomelabCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> Iterator[CALLBACK_TYPE]:
    """Add the buttons of each thing as it comes; yield what ends that."""
    for description in SERVICE_BUTTONS:
        yield _add(coordinator, description, async_add_entities)


def _add(
    coordinator: HomelabCoordinator,
    description: AskDescription,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> CALLBACK_TYPE:
    @callback
    def add(things: Sequence[Thing]) -> None:
        async_add_entities(ServiceButton(coordinator, description, one) for one in things)

    return coordinator.async_on_new(description.kind, add, wanted=description.applies_fn)


class ServiceButton(ServiceEntity[Any], ButtonEntity):
    """Has something done at once; what comes out shows by itself."""

    entity_description: AskDescription

    def __init__(
        self, coordinator: HomelabCoordinator, description: AskDescription, thing: Thing
    ) -> None:
        super().__init__(coordinator, description, thing, description.of or description.kind)

    @property
    @override
    def available(self) -> bool:
        """Whether there is something to do."""
        usable_fn = self.entity_description.usable_fn
        return super().available and (usable_fn is None or self.of_thing(usable_fn) is True)

    @override
    def value(self) -> None:
        """Return None: a button shows nothing but whether it can be pressed."""

    @override
    async def async_press(self) -> None:
        """Have it done."""
        await self.entity_description.ask_fn(self.coordinator, self.key)
