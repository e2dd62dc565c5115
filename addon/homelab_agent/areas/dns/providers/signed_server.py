"""One name server, asked over TCP and signed with a key (TSIG)."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dns.exception import DNSException, FormError
from dns.message import Message, from_wire, make_query
from dns.name import Name
from dns.query import BadResponse
from dns.rcode import Rcode, to_text
from dns.rdatatype import AXFR, SOA
from dns.rdtypes.ANY.TSIG import TSIG
from dns.tsig import (
    GSSTSig,
    HMACTSig,
    Key,
    PeerBadKey,
    PeerBadSignature,
    PeerBadTime,
    PeerError,
)
from dns.xfr import Inbound
from dns.zone import Zone

from homelab_agent.areas.dns.models import Rfc2136Settings
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    NotOffered,
    ProviderAway,
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.platform.dns_names import uniform_name
from homelab_agent.platform.errors import AgentError, Invalid
from homelab_agent.platform.outbound.connections import Outbound, Streams, where
from homelab_agent.platform.outbound.guard import GuardedAddress
from homelab_agent.platform.outbound.name_server import host_and_port

CONNECT_S = 8.0
ANSWER_S = 15.0
TRANSFER_S = 60.0
MOST_BYTES = 32 * 1024 * 1024
"""So much of a transferred zone is read."""

_LONGEST_MESSAGE = 65535
_LENGTH_BYTES = 2


class Refused(Exception):
    """The server answered with another code than NOERROR. `signed`: it knows the key."""

    def __init__(self, rcode: Rcode, *, signed: bool) -> None:
        super().__init__(to_text(rcode))
        self.rcode = rcode
        self.signed = signed


class SignedServer:
    """A server and the key that it knows. Every question is a connection of its own.

    All methods raise:
        ProviderAway: it was not reached, or did not answer in DNS.
        WrongCredentials: it does not take the key.
        Refused: it answered that it will not.
    """

    def __init__(
        self, settings: Rfc2136Settings, outbound: Outbound, *, answer_s: float = ANSWER_S
    ) -> None:
        self._outbound = outbound
        self._answer_s = answer_s
        self._host, self._port = _address(settings.server)
        self._key = _key(settings)
        self.place = where(self._host, self._port)

    async def exchange(self, message: Message, *, changes: bool) -> None:
        """Sign a message, send it and read its answer; `changes`: it is an update.

        Raises:
            ApplyUncertain: an update went out, and no answer that can be trusted came.
            NotOffered: the message is too long for DNS; nothing was sent.
        """
        message.use_tsig(self._key)
        try:
            wire = message.to_wire(max_size=_LONGEST_MESSAGE)
        except DNSException as error:
            raise NotOffered(
                "The plan is too large for one update of a name server",
                hint="Split it in two.",
            ) from error
        sent = False
        try:
            async with self._connected(self._answer_s) as (reader, writer):
                sent = True
                await _send(writer, wire)
                answered = await _receive(reader)
        except (OSError, EOFError) as error:
            raise self._no_answer(error, uncertain=sent and changes) from error
        try:
            self._verified(answered, message)
        except (DNSException, ValueError) as error:
            raise self._not_to_trust(uncertain=changes) from error

    async def serves(self, zone: Name) -> bool:
        """Return whether it answers for a zone; asked without the key, as anybody may."""
        query = make_query(zone, SOA)
        try:
            async with self._connected(self._answer_s) as (reader, writer):
                await _send(writer, query.to_wire())
                answer = from_wire(await _receive(reader))
        except (OSError, EOFError) as error:
            raise self._no_answer(error, uncertain=False) from error
        except (DNSException, ValueError) as error:
            raise self._not_to_trust(uncertain=False) from error
        return any(found.name == zone and found.rdtype == SOA for found in answer.answer)

    async def transfer(self, name: Name) -> Zone:
        """Return a whole zone by AXFR."""
        query = make_query(name, AXFR)
        query.use_tsig(self._key)
        held = Zone(name, relativize=False)
        try:
            async with self._connected(TRANSFER_S) as (reader, writer):
                await _send(writer, query.to_wire())
                await self._take_in(reader, query, held)
        except (OSError, EOFError) as error:
            raise self._no_answer(error, uncertain=False) from error
        except (DNSException, ValueError) as error:
            raise self._not_to_trust(uncertain=False) from error
        return held

    async def _take_in(self, reader: asyncio.StreamReader, query: Message, held: Zone) -> None:
        context = None
        size_bytes = 0
        with Inbound(held, AXFR) as inbound:
            done = False
            while not done:
                wire = await _receive(reader)
                size_bytes += len(wire)
                if size_bytes > MOST_BYTES:
                    raise ValueError("the zone is too large")
                message = self._verified(wire, query, context=context, transfer=True)
                context = message.tsig_ctx
                done = inbound.process_message(message)
                await asyncio.sleep(0)  # a large zone does not stop everything else

    @asynccontextmanager
    async def _connected(self, within_s: float) -> AsyncIterator[Streams]:
        try:
            async with asyncio.timeout(within_s):
                reader, writer = await self._outbound.open(
                    self._host, self._port, timeout_s=CONNECT_S, allow_guarded=False
                )
                try:
                    yield reader, writer
                finally:
                    writer.transport.abort()
        except GuardedAddress as error:
            raise ProviderAway(error.message) from error

    def _verified(
        self,
        wire: bytes,
        asked: Message,
        *,
        context: HMACTSig | GSSTSig | None = None,
        transfer: bool = False,
    ) -> Message:
        """Return an answer whose signature is right, or refuse it."""
        try:
            answer = from_wire(
                wire,
                keyring=asked.keyring,
                request_mac=asked.mac,
                xfr=transfer,
                tsig_ctx=context,
                multi=transfer,
            )
        except PeerError as error:
            raise self._key_refused(error, wire) from error
        except FormError:
            # Who does not know the zone, or cannot be bothered, does not sign that.
            answer = from_wire(wire, keyring=False)
            if answer.had_tsig or not answer.rcode():
                raise
        if not asked.is_response(answer, xfr_continuation=transfer):
            raise BadResponse
        if answer.rcode():
            raise Refused(answer.rcode(), signed=answer.had_tsig)
        return answer

    def key_unknown(self) -> WrongCredentials:
        """Return the error for a key that the server does not have."""
        name = self._key.name.to_text(omit_final_dot=True)
        algorithm = self._key.algorithm.to_text(omit_final_dot=True)
        return WrongCredentials(
            f"{self.place} knows no key {name} of {algorithm}.",
            hint="Check name and algorithm of the key in the server's settings.",
        )

    def _key_refused(self, error: PeerError, wire: bytes) -> AgentError:
        name = self._key.name.to_text(omit_final_dot=True)
        match error:
            case PeerBadTime():
                return self._other_clock(wire)
            case PeerBadKey():
                return self.key_unknown()
            case PeerBadSignature():
                return WrongCredentials(
                    f"{self.place} knows the key {name}, but with another secret.",
                    hint="Copy the secret of the key from the server's settings again.",
                )
        return WrongCredentials(f"{self.place} does not take what was signed with the key {name}.")

    def _other_clock(self, wire: bytes) -> AgentError:
        answer = from_wire(wire, keyring=False)
        tsig = answer.tsig[0] if answer.tsig else None
        by = "more than what is allowed"
        if isinstance(tsig, TSIG) and tsig.other:
            ahead_s = int.from_bytes(tsig.other) - tsig.time_signed
            by = f"{abs(ahead_s)} s {'ahead' if ahead_s > 0 else 'behind'}"
        return ProviderRefused(
            f"The clocks differ: that of {self.place} is {by}, and a signature is good for minutes "
            "only.",
            hint="Set the clocks of both machines by the network (NTP).",
        )

    def _no_answer(self, error: OSError | EOFError, *, uncertain: bool) -> AgentError:
        what = "did not answer in time" if isinstance(error, TimeoutError) else "is not reached"
        if isinstance(error, EOFError):
            what = "ended the connection without an answer"
        return self._trouble(what, uncertain=uncertain)

    def _not_to_trust(self, *, uncertain: bool) -> AgentError:
        return self._trouble(
            "answered with something that its key did not sign", uncertain=uncertain
        )

    def _trouble(self, what: str, *, uncertain: bool) -> AgentError:
        if uncertain:
            return ApplyUncertain(
                f"{self.place} {what}.",
                hint="Nobody knows whether it was applied: look what is there now.",
            )
        return ProviderAway(
            f"{self.place} {what}.", hint="Is it running, and is its address right?"
        )


async def _send(writer: asyncio.StreamWriter, wire: bytes) -> None:
    writer.write(len(wire).to_bytes(_LENGTH_BYTES) + wire)
    await writer.drain()


async def _receive(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
    return await reader.readexactly(length)


def _address(server: str) -> tuple[str, int]:
    try:
        return host_and_port(server)
    except ValueError as error:
        raise Invalid(
            f"“{server}” is no address of a name server",
            field="settings.server",
            hint="Write it as 192.0.2.1, ns1.example.org or [2001:db8::1]:5353",
        ) from error


def _key(settings: Rfc2136Settings) -> Key:
    try:
        secret = b64decode(settings.key_secret.get_secret_value(), validate=True)
    except ValueError:
        # Not "from" that: its words are about the secret.
        raise Invalid(
            "The secret of the key is not in Base64",
            field="settings.key_secret",
            hint="Copy it as it is in the server's settings; tsig-keygen and keymgr make one",
        ) from None
    name = uniform_name(settings.key_name, field="settings.key_name")
    return Key(name, secret, settings.key_algorithm.value)
