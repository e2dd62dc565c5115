"""Whose device has the entities of each thing."""

from collections.abc import Callable, Collection
from typing import Any, Final

from homeassistant.core import callback

from .client import (
    Certificate,
    Container,
    Domain,
    DynamicAddress,
    Kind,
    ManagedCertificate,
    Monitor,
    Resource,
    Stack,
)
from .client.kinds import (
    CERTIFICATE,
    CONTAINER,
    DOMAIN,
    DYNAMIC_ADDRESS,
    MANAGED_CERTIFICATE,
    MONITOR,
)
from .devices import Devices
from .mirror import Before, Mirror, ResourceId
from .subjects import PARTS, THINGS, Service, Subject, Thing, is_there, name_of, subject_of

_SERVICES: Final[tuple[Kind[Any], ...]] = (
    MONITOR,
    CERTIFICATE,
    DYNAMIC_ADDRESS,
    MANAGED_CERTIFICATE,
)
_ATTRACT: Final = (CONTAINER, MONITOR, DOMAIN)
"""What others may move to when it comes."""


class Homes:
    """Gives devices to what is new, and another one to what belongs elsewhere than before.

    `name_anew` is called where entities have to be added anew for that; it happens rarely.
    """

    def __init__(self, mirror: Mirror, devices: Devices, name_anew: Callable[[], None]) -> None:
        self._mirror = mirror
        self._devices = devices
        self._name_anew = name_anew
        self._homes: dict[Subject, Subject] = {}

    def home_of(self, thing: Thing, *, leaving: Subject | None = None) -> Subject:
        """Return whose device has the entities of something.

        That is the container that a monitor or certificate belongs to, for as long as it has a
        device, which outlives a recreate; the monitor that found a certificate; the domain that an
        address or a managed certificate is of; else its own.
        """
        for name in _domains_of(thing):
            domain = Subject(DOMAIN.name, name)
            if domain != leaving and self._devices.id_of_subject(domain) is not None:
                return domain
        if isinstance(thing, Monitor | Certificate) and thing.container is not None:
            container = Subject(CONTAINER.name, thing.container)
            if container != leaving and self._devices.id_of_subject(container) is not None:
                return container
        if isinstance(thing, Certificate) and thing.monitor is not None:
            monitor = self._mirror.get(MONITOR, thing.monitor)
            if monitor is not None:
                return self.home_of(monitor, leaving=leaving)
        return subject_of(thing)

    @callback
    def register(self, changed: Collection[ResourceId]) -> None:
        """Give devices to what is new, before anything asks for them."""
        keys: dict[str, list[str]] = {}
        for name, key in changed:
            keys.setdefault(name, []).append(key)
        may_move = False
        for kind in THINGS:
            for key in keys.get(kind.name, ()):
                thing = self._mirror.get(kind, key)
                if (
                    thing is not None
                    and is_there(thing)
                    and Subject(kind.name, key) not in self._homes
                ):
                    self._welcome(thing)
                    may_move |= kind in _ATTRACT
        if may_move:
            self._resettle()
        for kind in PARTS:
            for key in keys.get(kind.name, ()):
                if self._mirror.has((kind.name, key)):
                    self._devices.note(Subject(kind.name, key))

    def _welcome(self, thing: Thing) -> None:
        subject = subject_of(thing)
        home = self._homes[subject] = self.home_of(thing)
        if home != subject:
            self._devices.note(subject)
            return
        self._devices.register(thing)
        if isinstance(thing, Stack):
            self._gather(thing)

    def _gather(self, stack: Stack) -> None:
        """Hang what is there already below a new stack."""
        for key in {key for service in stack.services for key in service.containers}:
            container = self._mirror.get(CONTAINER, key)
            if container is not None and Subject(CONTAINER.name, key) in self._homes:
                self._devices.move_below_stack(container)

    def _resettle(self, *, leaving: Subject | None = None) -> None:
        """Move what belongs to another device than before, as when a container came for it."""
        moved = False
        things: list[Thing] = [thing for kind in _SERVICES for thing in self._mirror.every(kind)]
        for thing in things:
            subject, home = subject_of(thing), self.home_of(thing, leaving=leaving)
            if self._homes.get(subject, home) != home:
                self._homes[subject] = home
                self._devices.move(thing, home)
                moved = True
        if moved:
            self._name_anew()

    @callback
    def keep_current(self, before: Before) -> None:
        """Let devices say what things are called and lead to now."""
        renamed = False
        for (kind, key), old in before.items():
            if kind == CONTAINER.name:
                self._rename(old, self._mirror.get(CONTAINER, key))
            elif kind == MONITOR.name:
                renamed |= self._keep_service(old, self._mirror.get(MONITOR, key))
            elif kind == CERTIFICATE.name:
                renamed |= self._keep_service(old, self._mirror.get(CERTIFICATE, key))
            elif kind == MANAGED_CERTIFICATE.name:
                new = self._mirror.get(MANAGED_CERTIFICATE, key)
                renamed |= self._keep_certificate(old, new)
            elif kind == DOMAIN.name:
                self._keep_domain(old, self._mirror.get(DOMAIN, key))
        if renamed:
            self._name_anew()

    @callback
    def leave(self, subject: Subject) -> None:
        """Take leave of something whose device or entities are about to go."""
        if subject.kind in {CONTAINER.name, DOMAIN.name}:
            self._resettle(leaving=subject)
        self._homes.pop(subject, None)

    def _rename(self, old: Resource | None, new: Container | None) -> None:
        if isinstance(old, Container) and new is not None and old.name != new.name:
            self._devices.rename(new)

    def _keep_certificate(self, old: Resource | None, new: ManagedCertificate | None) -> bool:
        """Return whether it has another name, that its entities on another's device bear."""
        if new is None or not isinstance(old, ManagedCertificate) or old.names == new.names:
            return False
        self._resettle()
        own = self._homes.get(subject_of(new)) == subject_of(new)
        if own:
            self._devices.register(new)
        return not own and name_of(old) != name_of(new)

    def _keep_domain(self, old: Resource | None, new: Domain | None) -> None:
        if isinstance(old, Domain) and new is not None and old.service_type != new.service_type:
            self._devices.register(new)

    def _keep_service(self, old: Resource | None, new: Monitor | Certificate | None) -> bool:
        """Return whether it has another name, that its entities on another's device bear."""
        if new is None or not isinstance(old, Monitor | Certificate):
            return False
        own = self._homes.get(subject_of(new)) == subject_of(new)
        if old.container != new.container or _monitor_of(old) != _monitor_of(new):
            self._resettle()
        elif own and (old.name != new.name or _target_of(old) != _target_of(new)):
            self._devices.register(new)
        return not own and old.name != new.name


def _domains_of(thing: Thing) -> tuple[str, ...]:
    """Return the domains whose device something may share, the one that fits best first."""
    match thing:
        case DynamicAddress():
            return (thing.key,)
        case ManagedCertificate():
            return thing.names
    return ()


def _target_of(service: Service) -> str | None:
    return service.target if isinstance(service, Monitor) else None


def _monitor_of(service: Service) -> str | None:
    return service.monitor if isinstance(service, Certificate) else None
