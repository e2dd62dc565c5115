"""Which servers are the authoritative ones of a zone, asked for through resolvers, and remembered.

It is loaded where it is used: dnspython costs some megabytes.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from dns.exception import DNSException
from dns.message import Message, make_query
from dns.name import Name
from dns.name import from_text as name_from_text
from dns.rcode import NOERROR, NXDOMAIN
from dns.rcode import to_text as rcode_text
from dns.rdataclass import IN
from dns.rdatatype import AAAA, CNAME, NS, SOA, A, RdataType
from dns.rrset import RRset

from homelab_agent.platform.errors import NotFound, Unavailable
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.dns_exchange import Server, exchange, servers_of_the_system
from homelab_agent.platform.outbound.guard import GuardedAddress
from homelab_agent.platform.outbound.name_server import host_and_port
from homelab_agent.platform.outbound.names import Target

ASK_AGAIN_S = 2.0
"""A datagram may be lost, or a resolver be away: then the next is asked."""

LOOK_UP_S = 8.0
MOST_REMEMBERED = 4096
MOST_HOSTS = 32
MOST_ADDRESSES = 8
"""So many servers of a zone are asked, and so many addresses of each. Nobody needs as many; whoever
names hundreds has others asked by us."""

_SHORTEST_S = 30.0
_LONGEST_S = 3600.0
_TROUBLE_S = 5.0
_SYSTEM_S = 60.0


@dataclass(frozen=True, slots=True)
class NameServer:
    """One address of one server. `target` None: it cannot be asked; `reason` says why."""

    name: str
    target: Target | None
    reason: str | None = None

    @property
    def address(self) -> str:
        """The address as it is shown."""
        return self.target.address if self.target else ""


class Memory[Value]:
    """Remembers what was asked for, for as long as it holds. Who asks meanwhile waits along."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[float, asyncio.Task[tuple[Value, float]]]]
        self._known = OrderedDict()

    async def get(self, key: str, ask: Callable[[], Awaitable[tuple[Value, float]]]) -> Value:
        """Return what is known, or what `ask` gives: the value and for how many seconds."""
        now = asyncio.get_running_loop().time()
        until, task = self._known.get(key, (0.0, None))
        if task is None or (task.done() and now >= until):
            task = asyncio.create_task(_asked(ask))
            task.add_done_callback(lambda done: self._settle(key, done))
            self._known[key] = (0.0, task)
            self._known.move_to_end(key)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        # Who gives up waiting takes the answer from nobody else.
        value, _ = await asyncio.shield(task)
        return value

    def _settle(self, key: str, task: asyncio.Task[tuple[Value, float]]) -> None:
        if key not in self._known or self._known[key][1] is not task:
            return
        if task.cancelled():
            del self._known[key]
            return
        holds_s = _TROUBLE_S if task.exception() else task.result()[1]
        self._known[key] = (asyncio.get_running_loop().time() + holds_s, task)


async def _asked[Value](ask: Callable[[], Awaitable[tuple[Value, float]]]) -> tuple[Value, float]:
    return await ask()


class ZoneServers:
    """Finds zones and their servers."""

    def __init__(self, outbound: Outbound, resolvers: Sequence[str]) -> None:
        self._outbound = outbound
        self._resolvers = tuple(map(host_and_port, resolvers))
        self._answered_last: Server | None = None
        self._system: Memory[tuple[Server, ...]] = Memory()
        self._zones: Memory[str] = Memory()
        self._servers: Memory[tuple[NameServer, ...]] = Memory()
        self._named: Memory[tuple[NameServer, ...]] = Memory()

    async def zone_of(self, name: str) -> str:
        """Return the zone that a name is in: SOA is asked for, up the tree.

        Raises:
            NotFound: nobody serves it.
            Unavailable: no resolver answers.
        """
        return await self._zones.get(name, partial(self._find_zone, name))

    async def servers_of(self, zone: str) -> tuple[NameServer, ...]:
        """Return every address of every authoritative server of a zone.

        Raises:
            NotFound: it names none.
            Unavailable: no resolver answers.
        """
        return await self._servers.get(zone, partial(self._find_servers, zone))

    async def named(self, servers: Sequence[str]) -> tuple[NameServer, ...]:
        """Return the addresses of servers that a person named, as "ns1.example.org:5353"."""
        found = await asyncio.gather(
            *(self._named.get(each, partial(self._look_up, each)) for each in servers)
        )
        return tuple(server for group in found for server in group)

    async def _find_zone(self, name: str) -> tuple[str, float]:
        asked: Name | None = name_from_text(name)
        while asked is not None and len(asked.labels) > 1:
            answer = await self._resolve(asked, SOA)
            own = _find(answer.answer, asked, SOA)
            if own is not None:
                return _text(asked), _bounded(own.ttl)
            # Who says no tells in which zone; but of an alias, that of where it leads to.
            if _find(answer.answer, asked, CNAME) is None:
                for each in answer.authority:
                    if each.rdtype == SOA and asked.is_subdomain(each.name) and len(each.name) > 1:
                        return _text(each.name), _bounded(each.ttl)
            asked = asked.parent()
        raise NotFound(
            f"Nobody serves {name}: there is no zone for it in the DNS.",
            field="name",
            hint="Register the domain, or check how it is written",
        )

    async def _find_servers(self, zone: str) -> tuple[tuple[NameServer, ...], float]:
        owner = name_from_text(zone)
        answer = await self._resolve(owner, NS)
        named = _find(answer.answer, owner, NS)
        if named is None:
            raise NotFound(f"{zone} names no name servers (NS).", field="name")
        hosts = sorted({value.target for value in named})
        found = await asyncio.gather(*(self._addresses(host) for host in hosts[:MOST_HOSTS]))
        holds_s = min(named.ttl, *(ttl_s for _, ttl_s in found))
        servers = [server for group, _ in found for server in group]
        if len(hosts) > MOST_HOSTS:
            why = f"It is one of {len(hosts)}, and only {MOST_HOSTS} are asked."
            servers.append(NameServer(_text(hosts[MOST_HOSTS]), None, why))
        return tuple(servers), _bounded(holds_s)

    async def _addresses(self, host: Name) -> tuple[list[NameServer], float]:
        name = _text(host)
        try:
            answers = await asyncio.gather(self._resolve(host, A), self._resolve(host, AAAA))
        except (NotFound, Unavailable) as error:
            return [NameServer(name, None, error.message)], _TROUBLE_S
        texts: list[str] = []
        ttl_s = _LONGEST_S
        for answer, record_type in zip(answers, (A, AAAA), strict=True):
            for each in answer.answer:
                if each.rdtype == record_type:
                    texts += [str(value.address) for value in each]
                    ttl_s = min(ttl_s, each.ttl)
        if not texts:
            return [NameServer(name, None, f"{name} has no address.")], _TROUBLE_S
        servers = [await self._reachable(name, text) for text in texts[:MOST_ADDRESSES]]
        return servers, ttl_s

    async def _reachable(self, name: str, address: str) -> NameServer:
        target = (await self._outbound.names.look_up(address, 53))[0]
        why = await self._outbound.guard.refusal(target)
        if why is None:
            return NameServer(name, target)
        return NameServer(name, None, f"{address} is {why}; the agent does not connect to there.")

    async def _look_up(self, server: str) -> tuple[tuple[NameServer, ...], float]:
        host, port = host_and_port(server)
        try:
            async with asyncio.timeout(LOOK_UP_S):
                targets = await self._outbound.targets(host, port, allow_guarded=False)
        except (OSError, GuardedAddress) as error:
            why = error.message if isinstance(error, GuardedAddress) else "it was not found"
            return (NameServer(server, None, f"{server}: {why}"),), _TROUBLE_S
        return tuple(NameServer(server, target) for target in targets), _SYSTEM_S

    async def _resolve(self, name: Name, record_type: RdataType) -> Message:
        """Ask one resolver after the other, again and again, until one knows."""
        resolvers = list(self._resolvers or await self._system.get("", _system))
        if not resolvers:
            raise Unavailable(
                "The agent's machine has no name server set.", hint="Set dns_resolvers"
            )
        # The one that answered last is asked first: another may be away for days.
        resolvers.sort(key=lambda each: each != self._answered_last)
        query, trouble = make_query(name, record_type), "it does not answer"
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_UP_S):
                while resolvers:
                    resolver = resolvers.pop(0)
                    try:
                        async with asyncio.timeout(ASK_AGAIN_S):
                            answer = await exchange(query, resolver)
                    except TimeoutError:
                        resolvers.append(resolver)
                    except OSError, DNSException, EOFError:
                        trouble = "it does not answer in proper DNS, or not at all"
                    else:
                        if answer.rcode() in {NOERROR, NXDOMAIN}:
                            self._answered_last = resolver
                            return answer
                        trouble = f"it answered {rcode_text(answer.rcode())}"
        raise Unavailable(
            f"No name server could tell about {_text(name)}: {trouble}.",
            hint="Check dns_resolvers, or the name servers of the agent's machine",
        )


async def _system() -> tuple[tuple[Server, ...], float]:
    return await asyncio.to_thread(servers_of_the_system), _SYSTEM_S


def _find(section: Sequence[RRset], name: Name, record_type: RdataType) -> RRset | None:
    for each in section:
        if each.match(name, IN, record_type, RdataType.NONE):
            return each
    return None


def _text(name: Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _bounded(ttl_s: float) -> float:
    return min(max(float(ttl_s), _SHORTEST_S), _LONGEST_S)
