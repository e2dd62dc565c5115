"""Tells automations what happens at one agent: each thing once, and nothing old."""

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .coordinator import HomelabCoordinator
from .happening import Watch
from .happenings_certificates import CertificateWatch
from .happenings_containers import ContainerWatch
from .happenings_domains import AddressWatch, DomainWatch, RenewalWatch
from .happenings_host import DiskWatch, PortWatch
from .happenings_monitors import MonitorWatch
from .happenings_stacks import StackWatch
from .happenings_updates import UpdateWatch
from .mirror import Before

_WATCHES: tuple[type[Watch], ...] = (
    ContainerWatch,
    UpdateWatch,
    StackWatch,
    MonitorWatch,
    CertificateWatch,
    DiskWatch,
    PortWatch,
    DomainWatch,
    AddressWatch,
    RenewalWatch,
)


class Happenings:
    """Watches what one agent tells."""

    def __init__(self, hass: HomeAssistant, coordinator: HomelabCoordinator) -> None:
        self._coordinator = coordinator
        self._watches = tuple(watch(hass, coordinator) for watch in _WATCHES)

    @callback
    def begin(self) -> CALLBACK_TYPE:
        """Begin to watch; return what ends that. What is so already is no news."""
        ends = [end for watch in self._watches for end in watch.begin()]
        ends.append(self._coordinator.async_on_changes(self._on_changes))

        @callback
        def end() -> None:
            for one in ends:
                one()

        return end

    @callback
    def _on_changes(self, before: Before, *, just_now: bool) -> None:
        for resource in before:
            for watch in self._watches:
                watch.look(resource, before, just_now=just_now)
