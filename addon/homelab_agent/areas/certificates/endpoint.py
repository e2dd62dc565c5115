"""Reads the chain that whoever listens at an address shows, whatever else is there."""

import asyncio
import errno
import os
import socket
from contextlib import suppress

from homelab_agent.areas.certificates.handshake import (
    Closed,
    Handshake,
    NotTls,
    Refused,
    make_context,
    shake_hands,
)
from homelab_agent.areas.certificates.models import (
    EndpointBody,
    StartTls,
    Verdict,
)
from homelab_agent.areas.certificates.names import as_address, without_brackets
from homelab_agent.areas.certificates.nothing import Nothing
from homelab_agent.areas.certificates.starttls import imap, ldap, postgresql, smtp
from homelab_agent.areas.certificates.starttls.interface import NoStartTls, Prepare
from homelab_agent.areas.certificates.texts import shown
from homelab_agent.platform.outbound.causes import UnreachableCause, cause_of
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.connections import where as place

_PREPARE: dict[StartTls, Prepare] = {
    StartTls.SMTP: smtp.prepare,
    StartTls.IMAP: imap.prepare,
    StartTls.LDAP: ldap.prepare,
    StartTls.POSTGRESQL: postgresql.prepare,
}
_GOODBYE_S = 1.0


class EndpointReader:
    """Connects where it may, and asks for the chain."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._context = make_context()

    async def read(self, endpoint: EndpointBody, server_name: str) -> Handshake | Nothing:
        """Return what is shown. What goes wrong at the other side is an answer, not an error.

        Raises:
            GuardedAddress: the agent does not connect to there.
        """
        host = without_brackets(endpoint.host)
        where = place(host, endpoint.port)
        until = asyncio.get_running_loop().time() + endpoint.timeout_s
        try:
            reader, writer = await self._outbound.open(
                host,
                endpoint.port,
                timeout_s=endpoint.timeout_s,
                allow_guarded=endpoint.allow_guarded,
            )
        except OSError as error:
            return _unreachable(_why_not_connected(host, where, error), cause_of(error))
        try:
            async with asyncio.timeout_at(until):
                return await self._ask(where, endpoint.start_tls, reader, writer, server_name)
        except TimeoutError:
            return _unreachable(
                f"{where} accepted the connection, but did not end the handshake within "
                f"{endpoint.timeout_s:g} s.",
                UnreachableCause.TIMED_OUT,
            )
        except (OSError, Closed) as error:
            how = "reset" if isinstance(error, ConnectionResetError) else "closed"
            cause = UnreachableCause.CLOSED if isinstance(error, Closed) else cause_of(error)
            return _unreachable(f"{where} {how} the connection during the handshake.", cause)
        finally:
            await _close(writer)

    async def require_allowed(self, endpoint: EndpointBody) -> None:
        """Raise `GuardedAddress` where the agent does not connect to."""
        with suppress(OSError):
            await self._outbound.targets(
                without_brackets(endpoint.host),
                endpoint.port,
                allow_guarded=endpoint.allow_guarded,
            )

    async def _ask(
        self,
        where: str,
        start_tls: StartTls | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server_name: str,
    ) -> Handshake | Nothing:
        try:
            if start_tls is not None:
                await _PREPARE[start_tls](reader, writer)
            found = await shake_hands(self._context, reader, writer, server_name)
        except NoStartTls as error:
            return Nothing(Verdict.NO_CERTIFICATE, f"{where} did not begin TLS. {error}")
        except NotTls as error:
            return Nothing(Verdict.NO_CERTIFICATE, _not_tls(where, error.greeting))
        except Refused as error:
            return Nothing(Verdict.NO_CERTIFICATE, _refused(where, server_name, error))
        if not found.chain:
            return Nothing(
                Verdict.NO_CERTIFICATE, f"{where} speaks TLS without showing any certificate."
            )
        return found


async def _close(writer: asyncio.StreamWriter) -> None:
    """Send what is still to be sent, and close; whoever does not take it is not waited for."""
    writer.close()
    try:
        async with asyncio.timeout(_GOODBYE_S):
            with suppress(OSError):
                await writer.wait_closed()
    except TimeoutError:
        writer.transport.abort()


def _unreachable(reason: str, cause: UnreachableCause) -> Nothing:
    return Nothing(Verdict.UNREACHABLE, reason, cause)


def _why_not_connected(host: str, where: str, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return f"The address of {host} could not be looked up: no answer came."
        return f"Nobody knows the host {host}."
    if isinstance(error, ConnectionRefusedError):
        return f"{where} refused the connection: nothing listens there."
    if error.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL}:
        return f"There is no way to {where}: {_words(error)}."
    return f"{where} could not be connected to: {_words(error)}."


def _words(error: OSError) -> str:
    """Return what the system calls it, or what was waited for in vain."""
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _refused(where: str, server_name: str, error: Refused) -> str:
    reason = f"{where} speaks TLS, but refused the handshake: {error}."
    if as_address(server_name):
        # Caddy and others have no certificate for who does not say which host is meant.
        return f"{reason} Perhaps it wants to be asked by a name: give server_name."
    return reason


def _not_tls(where: str, greeting: bytes) -> str:
    text = shown(greeting.partition(b"\n")[0].decode("latin-1").rstrip("\r"))
    if greeting.startswith(b"HTTP/"):
        return f"{where} speaks plain HTTP, not TLS."
    if greeting.startswith((b"220", b"* OK")):
        return f'{where} greets with "{text}": it wants start_tls before the handshake.'
    if greeting.startswith(b"SSH-"):
        return f"{where} speaks SSH, not TLS."
    return f'{where} answered something that is not TLS: "{text}".'
