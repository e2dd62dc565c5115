"""Mirrors one agent's resources and tells each entity about its own only."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers.device_registry import AnyDeviceEntry

from . import issues
from .client import (
    AgentClient,
    AgentError,
    AgentInfo,
    Backoff,
    Change,
    CommandBody,
    CommandResult,
    Container,
    ContainerCommand,
    EngineConnection,
    EngineStatus,
    Outcome,
    Resource,
    StreamClient,
    Unauthenticated,
)
from .client.models import AGENT_KEY, AGENT_KIND, CONTAINER_KIND, ENGINE_KEY, ENGINE_KIND
from .const import DOMAIN, LOGGER
from .devices import Devices
from .exceptions import as_home_assistant_error, translation_of

type HomelabConfigEntry = ConfigEntry[HomelabCoordinator]
type ResourceId = tuple[str, str]
type NewContainers = Callable[[Sequence[Container]], None]

AGENT: ResourceId = (AGENT_KIND, AGENT_KEY)
ENGINE: ResourceId = (ENGINE_KIND, ENGINE_KEY)


class HomelabCoordinator:
    """What is known of one agent, kept current by its stream."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: HomelabConfigEntry,
        client: AgentClient,
        *,
        backoff: Backoff | None = None,
    ) -> None:
        self.client = client
        self.connected = False
        self.instance_id = entry.unique_id or entry.entry_id
        self.devices = Devices(hass, entry, self.instance_id, self._forget)
        self._hass = hass
        self._entry = entry
        self._stream = StreamClient(
            client.transport, self, instance_id=entry.unique_id, backoff=backoff
        )
        self._resources: dict[ResourceId, Resource] = {}
        self._listeners: dict[ResourceId, list[CALLBACK_TYPE]] = {}
        self._new_containers: list[NewContainers] = []
        self._introduced: set[str] = set()
        self._usable = (False, False)
        self._settled = False
        self._started = False
        self._first: asyncio.Future[None] = hass.loop.create_future()

    @property
    def agent(self) -> AgentInfo | None:
        """The agent's description of itself."""
        found = self._resources.get(AGENT)
        return found if isinstance(found, AgentInfo) else None

    @property
    def engine(self) -> EngineStatus | None:
        """The Docker engine of the host."""
        found = self._resources.get(ENGINE)
        return found if isinstance(found, EngineStatus) else None

    @property
    def engine_connected(self) -> bool:
        """Whether what is known of containers is true right now."""
        engine = self.engine
        return (
            self.connected
            and engine is not None
            and engine.connection is EngineConnection.CONNECTED
        )

    @property
    def containers(self) -> list[Container]:
        """Every container known."""
        return [found for found in self._resources.values() if isinstance(found, Container)]

    def container(self, key: str) -> Container | None:
        """Return one container by its key."""
        found = self._resources.get((CONTAINER_KIND, key))
        return found if isinstance(found, Container) else None

    async def async_start(self) -> None:
        """Connect and wait for the first snapshot; raise what setting up an entry may raise."""
        task = self._entry.async_create_background_task(
            self._hass, self._run(), f"{DOMAIN} stream of {self._entry.title}"
        )
        try:
            await self._first
        except AgentError as error:
            task.cancel()
            kind = (
                ConfigEntryAuthFailed if isinstance(error, Unauthenticated) else ConfigEntryNotReady
            )
            key, placeholders = translation_of(error)
            raise kind(
                translation_domain=DOMAIN,
                translation_key=key,
                translation_placeholders=placeholders,
            ) from error
        self._started = True

    @callback
    def async_stop(self) -> None:
        """Let go of timers and issues; the stream's task ends with the entry."""
        self.devices.cancel()
        issues.withdraw_all(self._hass, self._entry)

    @callback
    def async_listen(self, resource: ResourceId, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `listener` after each change of one resource or of its availability."""
        listeners = self._listeners.setdefault(resource, [])
        listeners.append(listener)

        @callback
        def remove() -> None:
            listeners.remove(listener)
            if not listeners:
                self._listeners.pop(resource, None)

        return remove

    @callback
    def async_on_new_containers(self, add: NewContainers) -> CALLBACK_TYPE:
        """Call `add` with all containers now, and with each new one later."""
        self._new_containers.append(add)
        present = self.containers
        self._introduced.update(container.key for container in present)
        add(present)
        return lambda: self._new_containers.remove(add)

    @callback
    def async_may_remove(self, device: AnyDeviceEntry) -> bool:
        """Return whether a device stands for a container that is gone, and forget it if so."""
        key = self.devices.key_of(device)
        if key is None or self.container(key) is not None:
            return False
        self._forget(key)
        return True

    async def async_command(
        self, key: str, command: ContainerCommand, body: CommandBody | None = None
    ) -> CommandResult:
        """Tell a container to do something; every error comes translated."""
        try:
            result = await self.client.command(key, command, body)
        except AgentError as error:
            raise self.translated(error) from error
        if result.outcome in {Outcome.FAILED, Outcome.REFUSED, Outcome.UNDONE}:
            raise self.translated(AgentError(result.message))
        return result

    def translated(self, error: AgentError) -> Exception:
        """Return what to raise for an agent's error; a refused token asks for a new one."""
        if isinstance(error, Unauthenticated):
            self._entry.async_start_reauth(self._hass)
        return as_home_assistant_error(error)

    @callback
    def on_snapshot(self, resources: Sequence[Change]) -> None:
        """Take the agent's view as a whole."""
        old = self._resources
        self._resources = {(c.kind, c.key): c.data for c in resources if c.data is not None}
        every = old.keys() | self._resources.keys()
        before = {key: old.get(key) for key in every if old.get(key) != self._resources.get(key)}
        self._take(before)

    @callback
    def on_changes(self, changes: Sequence[Change]) -> None:
        """Take single changes over."""
        before = {(c.kind, c.key): self._resources.get((c.kind, c.key)) for c in changes}
        for change in changes:
            if change.data is None:
                self._resources.pop((change.kind, change.key), None)
            else:
                self._resources[change.kind, change.key] = change.data
        self._take(before)

    @callback
    def on_lost(self, error: AgentError) -> None:
        """Show everything as unavailable; warn once."""
        if not self._first.done():
            self._first.set_exception(error)
        elif self.connected:
            LOGGER.warning("Lost the agent of %s: %s", self._entry.title, error.message)
        else:
            LOGGER.debug("Still without the agent of %s: %s", self._entry.title, error.message)
        self.connected = False
        issues.review_connection(self._hass, self._entry, error)
        self._announce(())
        self._settled = False
        self.devices.review((), settled=False)

    async def _run(self) -> None:
        try:
            await self._stream.run()
        except Unauthenticated:
            # While setting up, the failed set-up itself asks for a new token.
            if self._started:
                self._entry.async_start_reauth(self._hass)

    def _take(self, before: Mapping[ResourceId, Resource | None]) -> None:
        """Act on changed resources; `before` holds each with what it was."""
        if not self.connected:
            self._came_back()
        if AGENT in before:
            self.devices.register_host(self.agent)
        self._announce(before)
        self._introduce(before)
        self._keep_house(before)
        self._review_devices(before)
        if not self._first.done():
            self._first.set_result(None)

    def _came_back(self) -> None:
        self.connected = True
        issues.review_connection(self._hass, self._entry, None)
        if self._started:
            LOGGER.info("The agent of %s is back", self._entry.title)

    def _announce(self, changed: Iterable[ResourceId]) -> None:
        """Call the listeners of what changed; of everything where availability did."""
        usable = (self.connected, self.engine_connected)
        if usable != self._usable:
            self._usable = usable
            changed = list(self._listeners)
        for resource in changed:
            for listener in tuple(self._listeners.get(resource, ())):
                self._call(listener, resource)

    def _call(self, listener: CALLBACK_TYPE, resource: ResourceId) -> None:
        try:
            listener()
        except Exception:  # noqa: BLE001 - one broken entity must not cost all others their stream
            LOGGER.exception("An entity of %s failed to update", resource)

    def _introduce(self, changed: Iterable[ResourceId]) -> None:
        new = [
            container
            for container in (self._resources.get(resource) for resource in changed)
            if isinstance(container, Container) and container.key not in self._introduced
        ]
        if not new or not self._new_containers:
            return
        self._introduced.update(container.key for container in new)
        for add in tuple(self._new_containers):
            add(new)

    def _keep_house(self, before: Mapping[ResourceId, Resource | None]) -> None:
        if ENGINE in before:
            issues.review_engine(self._hass, self._entry, self.engine)
        for resource, old in before.items():
            new = self._resources.get(resource)
            if not isinstance(old, Container) or not isinstance(new, Container):
                continue
            if old.name != new.name:
                self.devices.rename(new)

    def _review_devices(self, before: Mapping[ResourceId, Resource | None]) -> None:
        """Look for devices to remove; only where that can have changed, for there may be many."""
        came_or_went = any(
            kind == CONTAINER_KIND and (old is None or (kind, key) not in self._resources)
            for (kind, key), old in before.items()
        )
        settled = self.engine_connected
        if came_or_went or settled != self._settled:
            self._settled = settled
            present = {container.key for container in self.containers}
            self.devices.review(present, settled=settled)

    def _forget(self, key: str) -> None:
        self._introduced.discard(key)
