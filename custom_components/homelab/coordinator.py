"""Mirrors one agent's resources and tells each entity about its own only."""

import asyncio
from collections.abc import Awaitable, Sequence

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
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
    Kind,
    Stack,
    StreamClient,
    Unauthenticated,
)
from .client.kinds import (
    AGENT,
    AGENT_KEY,
    CONTAINER,
    ENGINE,
    HOST_KEY,
    STACK,
)
from .const import DOMAIN, LOGGER
from .demand import Demand
from .devices import Devices
from .exceptions import as_home_assistant_error, translation_of
from .homes import Homes
from .jobs import async_end_of, raise_unless_well
from .listeners import AnyEvent, Listened, Listeners, OnChanges, OnEvent
from .mirror import Before, Mirror, ResourceId
from .newcomers import Add, Newcomers, Wanted
from .subjects import OF_THE_AGENT, PARTS, THINGS, Subject, Thing, is_there, subject_of

type HomelabConfigEntry = ConfigEntry[HomelabCoordinator]

THE_AGENT: ResourceId = (AGENT.name, AGENT_KEY)
THE_ENGINE: ResourceId = (ENGINE.name, HOST_KEY)

_COME_AND_GO = frozenset(kind.name for kind in (*THINGS, *PARTS))


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
        self.stopped = False
        self.instance_id = entry.unique_id or entry.entry_id
        self.devices = Devices(hass, entry, self.instance_id, self.is_gone, self._leave)
        self.mirror = Mirror()
        self._listeners = Listeners()
        self.homes = Homes(self.mirror, self.devices, self._listeners.announce_places)
        self._hass = hass
        self._entry = entry
        self._stream = StreamClient(
            client.transport, self, instance_id=entry.unique_id, backoff=backoff
        )
        self._demand = Demand(hass, self._follow)
        self._newcomers = Newcomers(self.mirror)
        self._usable = (False, False)
        self._settled = (False, False)
        self._started = False
        self._first: asyncio.Future[None] = hass.loop.create_future()

    @property
    def successor(self) -> HomelabCoordinator | None:
        """Who knows of the same agent now, as the entry may have been set up anew; None if none."""
        if self._entry.state is not ConfigEntryState.LOADED:
            return None
        coordinator: HomelabCoordinator = self._entry.runtime_data
        return coordinator

    @property
    def agent(self) -> AgentInfo | None:
        """The agent's description of itself."""
        return self.mirror.get(AGENT, AGENT_KEY)

    @property
    def engine(self) -> EngineStatus | None:
        """The Docker engine of the host."""
        return self.mirror.get(ENGINE, HOST_KEY)

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
        return self.mirror.every(CONTAINER)

    def container(self, key: str) -> Container | None:
        """Return one container by its key."""
        return self.mirror.get(CONTAINER, key)

    def stack(self, name: str) -> Stack | None:
        """Return one compose project by its name."""
        return self.mirror.get(STACK, name)

    def home_of(self, thing: Thing) -> Subject:
        """Return whose device has the entities of something."""
        return self.homes.where(subject_of(thing))

    def is_gone(self, subject: Subject) -> bool:
        """Return whether something is gone for sure. Without a settled view nothing is."""
        if subject.kind in OF_THE_AGENT:
            judged = self.connected
        elif subject.is_part:
            # Where nothing of a kind is known, it was not looked at yet, or nobody asks for it.
            judged = self.connected and self.mirror.knows(subject.kind)
        else:
            # Docker tells of containers, and these of monitors by their labels.
            judged = self.engine_connected
        return judged and not self._has((subject.kind, subject.key))

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
        self._demand.begin()

    @callback
    def async_stop(self) -> None:
        """Let go of timers and issues; the stream's task ends with the entry."""
        self._demand.cancel()
        self.devices.cancel()
        issues.withdraw_all(self._hass, self._entry)
        self.stopped = True
        # Entities are gone by now. Who waits for the end of a job has to ask for it from here on:
        # an action may well outlive the entry's being set up anew.
        self._listeners.announce_to_all()

    @callback
    def async_listen(self, resource: Listened, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `listener` after each change of one resource or of its availability.

        Without a key: once after each message that changed any resource of the kind.
        """
        end = self._listeners.add(resource, listener)
        self._demand.listens(resource[0])

        @callback
        def remove() -> None:
            end()
            self._demand.leaves(resource[0])

        return remove

    @callback
    def async_listen_job(self, target: str, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `listener` after each change of a job that is about `target`."""
        return self._listeners.add_of_job(target, listener)

    @callback
    def async_listen_place(self, subject: Subject, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `listener` where something may be on another device or have another name there."""
        return self._listeners.add_of_place(subject, listener)

    @callback
    def async_on_event[E: AnyEvent](
        self, kind: Kind[E], on_event: OnEvent[E], *, key: str | None = None
    ) -> CALLBACK_TYPE:
        """Call `on_event` for each event of a kind (without `key` of anything), once.

        What happened before the agent was first heard is not told, nor what happened before its
        restart. What was missed during a cut of the connection is.
        """
        return self._listeners.add_of_events(kind, on_event, key)

    @callback
    def async_on_changes(self, on_changes: OnChanges) -> CALLBACK_TYPE:
        """Call `on_changes` after each message with what changed and what it was before.

        `just_now` is False where that may have happened before the agent was last heard.
        """
        return self._listeners.add_of_changes(on_changes)

    @callback
    def async_on_new[T](
        self, kind: Kind[T], add: Add[T], *, wanted: Wanted[T] = lambda _: True
    ) -> CALLBACK_TYPE:
        """Call `add` with all of a kind that are wanted now, and with each new one later."""
        return self._newcomers.tell(kind, add, wanted)

    @callback
    def async_may_remove(self, device: AnyDeviceEntry) -> bool:
        """Return whether a device stands for something that is gone, and forget it if so."""
        subject = self.devices.subject_of(device)
        if subject is None or self._has((subject.kind, subject.key)):
            return False
        self._leave(subject)
        return True

    async def async_command(
        self, key: str, command: ContainerCommand, body: CommandBody | None = None
    ) -> CommandResult:
        """Tell a container to do something; every error comes translated."""
        return await self.async_run(self.client.command(key, command, body))

    async def async_run(self, asked: Awaitable[CommandResult]) -> CommandResult:
        """Return what a command answers; every error comes translated, a bad outcome too."""
        result = await self.async_ask(asked)
        try:
            raise_unless_well(result)
        except AgentError as error:
            raise self.translated(error) from error
        return result

    async def async_ask[T](self, asked: Awaitable[T]) -> T:
        """Return what the agent answers; every error comes translated."""
        try:
            return await asked
        except AgentError as error:
            raise self.translated(error) from error

    async def async_see_through(self, asked: Awaitable[CommandResult]) -> CommandResult:
        """Give a command and wait for the end of its job, which may take very long.

        The stream tells of the end, so that no request stays open. Every error comes translated.
        """
        result = await self.async_run(asked)
        if result.job is None or result.outcome is not None:
            return result
        try:
            result = await async_end_of(self, result.job)
            raise_unless_well(result)
        except AgentError as error:
            raise self.translated(error) from error
        return result

    def translated(self, error: AgentError) -> Exception:
        """Return what to raise for an agent's error; a refused token asks for a new one."""
        if isinstance(error, Unauthenticated):
            self._entry.async_start_reauth(self._hass)
        return as_home_assistant_error(error)

    @callback
    def on_snapshot(self, resources: Sequence[Change], *, continued: bool) -> None:
        """Take the agent's view as a whole."""
        before = self.mirror.take_snapshot(resources)
        self._take(before)
        if continued:
            news = [change for change in resources if (change.kind, change.key) in before]
            self._listeners.tell_events(news, before)
        self._listeners.tell_changes(before, just_now=continued)

    @callback
    def on_changes(self, changes: Sequence[Change]) -> None:
        """Take single changes over."""
        before = self.mirror.take_changes(changes)
        self._take(before)
        self._listeners.tell_events(changes, before)
        self._listeners.tell_changes(before, just_now=True)

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
        self._announce({})
        self._settled = (False, False)
        self.devices.review()

    async def _run(self) -> None:
        try:
            await self._stream.run()
        except Unauthenticated:
            # While setting up, the failed set-up itself asks for a new token.
            if self._started:
                self._entry.async_start_reauth(self._hass)

    def _follow(self, kinds: frozenset[str]) -> None:
        self._stream.follow(kinds)
        for kind in self.mirror.counts().keys() - kinds:
            self.mirror.drop(kind)

    def _take(self, before: Before) -> None:
        """Act on changed resources; `before` holds each with what it was."""
        if not self.connected:
            self._came_back()
        if THE_AGENT in before:
            self.devices.register_host(self.agent)
        self.homes.register(before)
        self._announce(before)
        self._newcomers.look(before.keys())
        self._keep_house(before)
        self._review_devices(before)
        if not self._first.done():
            self._first.set_result(None)

    def _came_back(self) -> None:
        self.connected = True
        issues.review_connection(self._hass, self._entry, None)
        if self._started:
            LOGGER.info("The agent of %s is back", self._entry.title)

    def _announce(self, before: Before) -> None:
        """Call the listeners of what changed; all of them where availability did."""
        usable = (self.connected, self.engine_connected)
        if usable != self._usable:
            self._usable = usable
            self._listeners.announce_to_all()
        else:
            self._listeners.announce(before, self.mirror)

    def _keep_house(self, before: Before) -> None:
        if THE_ENGINE in before:
            issues.review_engine(self._hass, self._entry, self.engine)
        self.homes.keep_current(before)

    def _review_devices(self, before: Before) -> None:
        """Look for what to remove; only where that can have changed, for there may be much."""
        came_or_went = any(
            resource[0] in _COME_AND_GO and (not is_there(old) or not self._has(resource))
            for resource, old in before.items()
        )
        settled = (self.connected, self.engine_connected)
        if came_or_went or settled != self._settled:
            self._settled = settled
            self.devices.review()

    def _has(self, resource: ResourceId) -> bool:
        """Return whether something is there that can be shown."""
        return is_there(self.mirror.find(resource))

    def _leave(self, subject: Subject) -> None:
        """Take leave of something whose device or entities are about to go."""
        for gone in self.homes.leave(subject):
            self._newcomers.forget(gone.kind, gone.key)
