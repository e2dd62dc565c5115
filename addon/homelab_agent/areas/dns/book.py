"""The providers that were set up: kept, opened, and how each is."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Container, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from unicodedata import normalize

from homelab_agent.areas.dns.entries import Entry, KeptProvider, invented, unopened
from homelab_agent.areas.dns.models import (
    DNS_PROVIDER_KIND,
    DnsProvider,
    DnsProviderList,
    ProviderBody,
    ProviderChange,
    ProviderSettings,
    ProviderState,
    ProviderType,
)
from homelab_agent.areas.dns.provider_secrets import (
    seal,
    uniform_settings,
    unseal,
    with_kept_secrets,
)
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    ProviderAway,
    ProviderBusy,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.interface import Provider
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import AgentError, Conflict, Invalid, NotFound
from homelab_agent.platform.outbound.name_server import host_and_port
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.vault import SecretUnreadable, Vault

MOST_PROVIDERS = 50
INVENTED_KEY = "invented"
ANSWER_S = 60.0
"""A provider that has not answered by then is given up; some have to be paced."""

CHANGES_AS_LONG = 20
"""So many further changes may take as long again: many providers take them one by one."""

_STATES: tuple[tuple[type[AgentError], ProviderState], ...] = (
    (WrongCredentials, ProviderState.REFUSED),
    (ProviderBusy, ProviderState.RATE_LIMITED),
    (ProviderAway, ProviderState.UNREACHABLE),
    (ApplyUncertain, ProviderState.UNREACHABLE),
)
"""How a provider is that raised this; other errors say nothing about it."""

_NOT_ANSWERED = (
    "Nothing was changed. Correct the settings, or have them kept without an answer; "
    "in the API that is verify false."
)

_LONGEST_KEY = 48
_UNFIT = re.compile(r"[^a-z0-9]+")

type Maker = Callable[[ProviderSettings], Provider]


class ProviderBook:
    """Adds, changes, removes and asks providers.

    `first` is kept nowhere and cannot be changed: it is the demo's own.
    """

    def __init__(
        self,
        records: Records[KeptProvider],
        vault: Vault,
        resources: Resources,
        make: Maker,
        clock: Clock,
        *,
        first: Provider | None = None,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._answer_s = answer_s
        self._records = records
        self._vault = vault
        self._resources = resources
        self._make = make
        self._clock = clock
        self._first = first
        self._entries: dict[str, Entry] = {}
        self._loaded = False
        # What is kept and what is open change together, one change after the other.
        self._changing = asyncio.Lock()
        # Trying new settings takes as long as a provider takes, and holds nothing else up.
        self._setting_up = asyncio.Lock()

    @property
    def is_loaded(self) -> bool:
        """Whether the providers are known by now."""
        return self._loaded

    async def load(self) -> None:
        """Take up all providers as they were left; the second time it does nothing."""
        async with self._changing:
            if self._loaded:
                return
            if self._first is not None:
                self._entries[INVENTED_KEY] = Entry(
                    INVENTED_KEY, await invented(self._first, self._clock()), self._first
                )
                self._show(INVENTED_KEY)
            for key, kept in (await self._records.all()).items():
                self._entries[key] = self._opened(key, kept)
                self._show(key)
            self._loaded = True

    def entries(self) -> tuple[Entry, ...]:
        """Return all, by key."""
        return tuple(self._entries[key] for key in sorted(self._entries))

    def list(self) -> DnsProviderList:
        """Return what is shown of all, by key."""
        return DnsProviderList(providers=tuple(entry.shown for entry in self.entries()))

    def entry(self, key: str, *, field: str = "key") -> Entry:
        """Return one.

        Raises:
            NotFound: there is none with this key.
        """
        found = self._entries.get(key)
        if found is None:
            raise NotFound(
                f"There is no DNS provider {key}.",
                field=field,
                hint="The providers that there are: "
                + (", ".join(sorted(self._entries)) or "none"),
            )
        return found

    async def add(self, body: ProviderBody) -> DnsProvider:
        """Keep a new provider, once it answered; with `verify` False also where it does not.

        Raises:
            Conflict: there is one with this key, or there are too many.
            Invalid: something of the settings is wrong.
            ProviderAway, WrongCredentials, ProviderBusy: it does not answer; nothing is kept.
        """
        settings = with_kept_secrets(uniform_settings(body.settings), None)
        _check_servers(body.name_servers)
        async with self._setting_up:
            key = body.key or _free_key(body.name, self._entries)
            if key in self._entries:
                raise Conflict(f"There is a DNS provider {key} already.", field="key")
            if len(self._entries) >= MOST_PROVIDERS:
                raise Conflict(
                    f"There are {MOST_PROVIDERS} DNS providers, and no more fit in.",
                    hint="Remove one that nobody needs",
                )
            entry = self._made(key, body.name, body.name_servers, settings)
            await self._take_up(entry, None, verify=body.verify)
        return entry.shown if body.verify else await self.check(key)

    async def change(self, key: str, change: ProviderChange) -> DnsProvider:
        """Change a provider. Other settings have to answer first, unless `verify` is False.

        Raises:
            NotFound: there is none with this key.
            Invalid: something of the settings is wrong, or a secret has to be given again.
            ProviderAway, WrongCredentials, ProviderBusy: it does not answer; all stays as it was.
        """
        _check_servers(change.name_servers or ())
        async with self._setting_up:
            before = self._changeable(key)
            settings = self._changed_settings(before, change)
            name = before.kept.name if change.name is None else change.name
            servers = change.name_servers
            if servers is None:
                servers = before.kept.name_servers
            if settings is None:
                return await self._rename(before, name, servers)
            entry = self._made(key, name, servers, settings)
            await self._take_up(entry, before, verify=change.verify)
        return entry.shown if change.verify else await self.check(key)

    async def remove(self, key: str) -> str:
        """Forget a provider and its secrets; return its name. Its records stay as they are.

        Raises:
            NotFound: there is none with this key.
        """
        async with self._changing:
            entry = self._changeable(key)
            await self._records.put({}, gone=(key,))
            del self._entries[key]
            self._resources.remove(DNS_PROVIDER_KIND, key)
            if entry.opened is not None:
                await entry.opened.close()
            return entry.kept.name

    async def check(self, key: str) -> DnsProvider:
        """Ask a provider for its zones, and return how it is.

        Raises:
            NotFound: there is none with this key.
        """
        entry = self.entry(key)
        if entry.opened is None:
            return entry.shown
        # How it went is noted, and told by what is shown.
        with suppress(AgentError):
            await self._ask_zones(entry)
        async with self._changing:
            # It may have been removed meanwhile, or set up anew: then it must not come back.
            if self._entries.get(key) is entry:
                await self._store(entry)
                self._show(key)
        return entry.shown

    @asynccontextmanager
    async def asking(self, key: str, *, changes: int = 0) -> AsyncIterator[Provider]:
        """Give the provider to be asked, and note how that went.

        There is a deadline, which grows with the number of changes that it is asked for.

        Raises:
            NotFound: there is none with this key.
            SecretUnreadable: it cannot be asked.
            ProviderAway: it did not answer in time.
            ApplyUncertain: neither did it, and it may have changed something.
        """
        async with self._asking(self.entry(key, field="provider"), changes=changes) as provider:
            yield provider

    async def close(self) -> None:
        """End what is open."""
        for entry in self._entries.values():
            if entry.opened is not None:
                await entry.opened.close()

    @asynccontextmanager
    async def _asking(self, entry: Entry, *, changes: int = 0) -> AsyncIterator[Provider]:
        if entry.opened is None:
            if entry.kept.state is ProviderState.SECRET_UNREADABLE:
                raise SecretUnreadable(f"DNS provider {entry.kept.name}")
            raise ProviderAway(str(entry.kept.reason))
        within_s = self._answer_s * (1 + changes / CHANGES_AS_LONG)
        try:
            try:
                async with asyncio.timeout(within_s):
                    yield entry.opened
            except TimeoutError as error:
                kind = ApplyUncertain if changes else ProviderAway
                raise kind(f"{entry.kept.name} did not answer within {within_s:g} s.") from error
        except AgentError as error:
            # Some answer with what they were asked, and their words go on to whoever asked us.
            error.message = self._vault.mask(error.message)
            error.hint = error.hint and self._vault.mask(error.hint)
            state = next((each for kind, each in _STATES if isinstance(error, kind)), None)
            if state is not None:
                self._note(entry, state, error.message)
            if isinstance(error, ProviderBusy):
                entry.free_s = asyncio.get_running_loop().time() + (error.retry_after_s or 0.0)
            raise
        self._note(entry, ProviderState.OK, None)

    async def _ask_zones(self, entry: Entry) -> None:
        try:
            async with self._asking(entry) as provider:
                zones = tuple(sorted(await provider.zones()))
                entry.kept = entry.kept.model_copy(
                    update={"zones": zones, "capabilities": provider.capabilities}
                )
        except WrongCredentials, ProviderBusy, ProviderAway, ApplyUncertain:
            raise  # that is noted already
        except AgentError as error:
            self._note(entry, ProviderState.UNREACHABLE, error.message)
            raise
        finally:
            entry.kept = entry.kept.model_copy(update={"checked_at": self._clock()})

    def _changeable(self, key: str) -> Entry:
        entry = self.entry(key)
        if entry.kept.type is ProviderType.DEMO:
            raise Conflict(f"{entry.kept.name} belongs to the demo.", field="key")
        return entry

    def _changed_settings(self, entry: Entry, change: ProviderChange) -> ProviderSettings | None:
        if change.settings is None:
            return None
        try:
            old = unseal(entry.kept.settings, entry.key, self._vault)
        except SecretUnreadable:
            old = None
        return with_kept_secrets(uniform_settings(change.settings), old)

    def _made(
        self, key: str, name: str, name_servers: tuple[str, ...], settings: ProviderSettings
    ) -> Entry:
        opened = self._make(settings)
        kept = KeptProvider(
            name=name,
            type=settings.type,
            name_servers=name_servers,
            settings=seal(settings, key, self._vault),
            capabilities=opened.capabilities,
            zones=_named_zones(settings),
            set_up_at=self._clock(),
        )
        return Entry(key, kept, opened)

    async def _take_up(self, entry: Entry, before: Entry | None, *, verify: bool) -> None:
        """Have a provider be so from now on, in place of what was before; else nothing changes."""
        async with AsyncExitStack() as unused:
            if entry.opened is not None:
                unused.push_async_callback(entry.opened.close)
            if verify:
                await self._require_answer(entry)
            async with self._changing:
                if before is not None:
                    # It may have been removed while the new settings were tried.
                    self.entry(entry.key)
                await self._store(entry)
                self._entries[entry.key] = entry
            unused.pop_all()
        self._show(entry.key)
        if before is not None and before.opened is not None:
            await before.opened.close()

    async def _require_answer(self, entry: Entry) -> None:
        try:
            await self._ask_zones(entry)
        except AgentError as error:
            own = error.hint and f"{error.hint.removesuffix('.')}."
            error.hint = " ".join(filter(None, (own, _NOT_ANSWERED)))
            raise

    async def _rename(self, entry: Entry, name: str, servers: tuple[str, ...]) -> DnsProvider:
        given = {"name": name, "name_servers": servers}
        async with self._changing:
            self.entry(entry.key)
            await self._store(Entry(entry.key, entry.kept.model_copy(update=given), entry.opened))
            # Not what was stored: how it is may have been noted meanwhile.
            entry.kept = entry.kept.model_copy(update=given)
            self._show(entry.key)
            return entry.shown

    def _opened(self, key: str, kept: KeptProvider) -> Entry:
        try:
            opened = self._make(unseal(kept.settings, key, self._vault))
        except SecretUnreadable as error:
            return unopened(key, kept, ProviderState.SECRET_UNREADABLE, error)
        except AgentError as error:
            # As where a library is not installed any more: nothing else is to suffer from it.
            return unopened(key, kept, ProviderState.UNREACHABLE, error)
        return Entry(key, kept.model_copy(update={"capabilities": opened.capabilities}), opened)

    def _note(self, entry: Entry, state: ProviderState, reason: str | None) -> None:
        entry.kept = entry.kept.model_copy(update={"state": state, "reason": reason})
        if self._entries.get(entry.key) is entry:
            self._show(entry.key)

    async def _store(self, entry: Entry) -> None:
        if entry.kept.type is not ProviderType.DEMO:
            await self._records.put({entry.key: (self._clock(), entry.kept)})

    def _show(self, key: str) -> None:
        self._resources.publish(DNS_PROVIDER_KIND, key, self._entries[key].shown)


def _check_servers(servers: Sequence[str]) -> None:
    for number, server in enumerate(servers):
        try:
            host_and_port(server)
        except ValueError as error:
            raise Invalid(
                f"“{server}” is no address of a name server",
                field=f"name_servers.{number}",
                hint="Write it as 192.0.2.1, ns1.example.org or [2001:db8::1]:5353",
            ) from error


def _named_zones(settings: ProviderSettings) -> tuple[str, ...]:
    """Return the zones that the settings name, until the provider was asked."""
    return tuple(sorted(getattr(settings, "zones", ())))


def _free_key(name: str, taken: Container[str]) -> str:
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = _UNFIT.sub("-", plain).strip("-")[:_LONGEST_KEY].rstrip("-") or "dns"
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}-{number}"
    return key
