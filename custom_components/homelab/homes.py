"""Whose device has the entities of each thing."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from homeassistant.core import callback

from .client import (
    Certificate,
    CertificateSource,
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

type OnSettled = Callable[[Sequence[Subject]], None]

_SERVICES: Final[tuple[Kind[Any], ...]] = (
    MONITOR,
    CERTIFICATE,
    DYNAMIC_ADDRESS,
    MANAGED_CERTIFICATE,
)
_SERVICES_BY_NAME: Final = {kind.name: kind for kind in _SERVICES}
_ATTRACT: Final = (CONTAINER, MONITOR, DOMAIN, MANAGED_CERTIFICATE)
"""What others may move to when it comes."""


class Homes:
    """Gives devices to what is new, and another one to what belongs elsewhere than before.

    `on_settled` is told whose entities may be on another device, or bear another name, than before.
    """

    def __init__(self, mirror: Mirror, devices: Devices, on_settled: OnSettled) -> None:
        self._mirror = mirror
        self._devices = devices
        self._on_settled = on_settled
        self._homes: dict[Subject, Subject] = {}
        self._names: dict[Subject, str] = {}
        self._guests: dict[Subject, set[Subject]] = {}
        self._stirred: set[Subject] = set()

    def where(self, subject: Subject) -> Subject:
        """Return whose device has the entities of something."""
        return self._homes.get(subject, subject)

    def name_before(self, subject: Subject) -> str:
        """Return the name that entities on the device of another begin with.

        It is empty where only one of its kind is there, or has the name of the container: on a
        domain's device that is the managed certificate made for the domain alone, else the first.
        """
        home = self.where(subject)
        if home == subject:
            return ""
        there = [one for one in self._guests[home] if one.kind == subject.kind]
        name = self._names[subject]
        if home.kind == CONTAINER.name:
            called = [self._names[one].casefold() for one in there]
            is_only_one = called.count(name.casefold()) == 1
            return "" if is_only_one and name.casefold() == self._names[home].casefold() else name
        if home.kind == DOMAIN.name and subject.kind == MANAGED_CERTIFICATE.name:
            first = min((one.key for one in there), key=lambda key: (key != home.key, key))
            return "" if subject.key == first else name
        return ""

    def _home_of(self, thing: Thing, *, leaving: Subject | None = None) -> Subject:
        """Return whose device is to have the entities of something.

        That is the container that a monitor or certificate belongs to, for as long as it has a
        device, which outlives a recreate; the monitor that found a certificate; the domain that an
        address or a managed certificate is of; the managed certificate that is watched; else its
        own.
        """
        for name in _domains_of(thing):
            domain = Subject(DOMAIN.name, name)
            if domain != leaving and self._devices.id_of_subject(domain) is not None:
                return domain
        if isinstance(thing, Monitor | Certificate) and thing.container is not None:
            container = Subject(CONTAINER.name, thing.container)
            if container != leaving and self._devices.id_of_subject(container) is not None:
                return container
        if isinstance(thing, Certificate) and thing.source is CertificateSource.MANAGED:
            kept = self._mirror.get(MANAGED_CERTIFICATE, thing.managed or "")
            if kept is not None and subject_of(kept) != leaving:
                return self._home_of(kept, leaving=leaving)
        if isinstance(thing, Certificate) and thing.monitor is not None:
            monitor = self._mirror.get(MONITOR, thing.monitor)
            if monitor is not None:
                return self._home_of(monitor, leaving=leaving)
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
        self._tell()
        for kind in PARTS:
            for key in keys.get(kind.name, ()):
                if self._mirror.has((kind.name, key)):
                    self._devices.note(Subject(kind.name, key))

    def _welcome(self, thing: Thing) -> None:
        subject, home = subject_of(thing), self._home_of(thing)
        self._place(thing, home)
        if home != subject:
            # It had a device of its own if it moved while nobody listened.
            self._devices.move(thing, subject, home)
            return
        self._devices.register(thing)
        if isinstance(thing, Stack):
            self._gather(thing)

    def _place(self, thing: Thing, home: Subject) -> None:
        """Note where something is from now on."""
        subject = subject_of(thing)
        self._forget(subject)
        self._homes[subject], self._names[subject] = home, name_of(thing)
        self._guests.setdefault(home, set()).add(subject)
        self._stirred.add(home)

    def _forget(self, subject: Subject) -> None:
        home = self._homes.pop(subject, None)
        if home is None:
            return
        del self._names[subject]
        self._stirred.add(home)
        self._guests[home].discard(subject)
        if not self._guests[home]:
            del self._guests[home]

    def _tell(self) -> None:
        """Tell all on the devices where something came, went or was renamed."""
        stirred, self._stirred = self._stirred, set()
        self._on_settled([guest for home in stirred for guest in self._guests.get(home, ())])

    def _gather(self, stack: Stack) -> None:
        """Hang what is there already below a new stack."""
        for key in {key for service in stack.services for key in service.containers}:
            container = self._mirror.get(CONTAINER, key)
            if container is not None and Subject(CONTAINER.name, key) in self._homes:
                self._devices.move_below_stack(container)

    def _resettle(self) -> None:
        """Move what belongs to another device than before, as when a container came for it."""
        for kind in _SERVICES:
            for thing in self._mirror.every(kind):
                self._move(thing)

    def _move(self, thing: Service, *, leaving: Subject | None = None) -> None:
        subject, home = subject_of(thing), self._home_of(thing, leaving=leaving)
        former = self._homes.get(subject, home)
        if former != home:
            self._place(thing, home)
            self._devices.move(thing, former, home)

    @callback
    def keep_current(self, before: Before) -> None:
        """Let devices say what things are called and lead to now."""
        for (kind, key), old in before.items():
            if kind == CONTAINER.name:
                self._rename(old, self._mirror.get(CONTAINER, key))
            elif kind == MONITOR.name:
                self._keep_service(old, self._mirror.get(MONITOR, key))
            elif kind == CERTIFICATE.name:
                self._keep_service(old, self._mirror.get(CERTIFICATE, key))
            elif kind == MANAGED_CERTIFICATE.name:
                self._keep_certificate(old, self._mirror.get(MANAGED_CERTIFICATE, key))
            elif kind == DOMAIN.name:
                self._keep_domain(old, self._mirror.get(DOMAIN, key))
        self._tell()

    @callback
    def leave(self, subject: Subject) -> Sequence[Subject]:
        """Take leave of something whose device or entities are about to go; return all that go.

        Who shares its device moves elsewhere, or is gone as well.
        """
        going = [subject]
        for guest in self._guests.get(subject, set()) - {subject}:
            thing = self._mirror.get(_SERVICES_BY_NAME[guest.kind], guest.key)
            if thing is None:
                going.append(guest)
            else:
                self._move(thing, leaving=subject)
        for one in going:
            self._forget(one)
        self._tell()
        return going

    def _rename(self, old: Resource | None, new: Container | None) -> None:
        if isinstance(old, Container) and new is not None and old.name != new.name:
            self._devices.rename(new)
            self._place(new, subject_of(new))

    def _keep_certificate(self, old: Resource | None, new: ManagedCertificate | None) -> None:
        if new is None or not isinstance(old, ManagedCertificate) or old.names == new.names:
            return
        self._resettle()
        self._call_anew(new)

    def _call_anew(self, service: Service) -> None:
        """Let something be called what it is called now, wherever its entities are."""
        subject = subject_of(service)
        home = self.where(subject)
        if home == subject:
            self._devices.register(service)
        self._place(service, home)

    def _keep_domain(self, old: Resource | None, new: Domain | None) -> None:
        if isinstance(old, Domain) and new is not None and old.service_type != new.service_type:
            self._devices.register(new)

    def _keep_service(self, old: Resource | None, new: Monitor | Certificate | None) -> None:
        if new is None or not isinstance(old, Monitor | Certificate):
            return
        if old.container != new.container or _monitor_of(old) != _monitor_of(new):
            self._resettle()
        if old.name != new.name or _target_of(old) != _target_of(new):
            self._call_anew(new)


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
