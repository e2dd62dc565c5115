"""A TLS handshake that trusts nobody: it wants to see the chain, and what was agreed on.

It is done by hand between OpenSSL and the connection, so that the chain is also had of a server
that ends the handshake because it wants a certificate of ours, and so that what a server says
instead of TLS can be told.
"""

import asyncio
import ssl
from dataclasses import dataclass

from homelab_agent.areas.certificates.names import as_address

_READ_BYTES = 65536
_MOST_BYTES = 1024 * 1024
_SHOWN_BYTES = 64


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a server showed. `chain` (DER) is empty where it shows no certificate at all."""

    chain: tuple[bytes, ...]
    protocol: str | None
    cipher: str | None


class Closed(Exception):
    """The server closed the connection before it showed anything."""


class NotTls(Exception):
    """It answered, but not with TLS. `greeting` is the beginning of what it said."""

    def __init__(self, greeting: bytes) -> None:
        super().__init__("it does not speak TLS")
        self.greeting = greeting


class Refused(Exception):
    """It speaks TLS, but not with us; the message is OpenSSL's reason."""


def make_context() -> ssl.SSLContext:
    """Return how to ask: whatever a server still speaks, down to what nobody should."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.options |= ssl.OP_LEGACY_SERVER_CONNECT
    return context


async def shake_hands(
    context: ssl.SSLContext,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    server_name: str,
) -> Handshake:
    """Return what the server at the other end shows. The time is limited by the caller.

    Raises:
        Closed, NotTls, Refused: it shows nothing.
        OSError: the connection broke.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    # An address is never sent as the name (RFC 6066, 3).
    asked = None if as_address(server_name) else server_name
    client = context.wrap_bio(incoming, outgoing, server_hostname=asked)
    first = b""
    received = 0
    while True:
        refusal = _step(client)
        if refusal is None:
            _say_goodbye(client)
        writer.write(outgoing.read())
        if refusal is None or isinstance(refusal, ssl.SSLError):
            break
        data = await reader.read(_READ_BYTES)
        received += len(data)
        if not data:
            return _shown(client, Closed())
        if received > _MOST_BYTES:
            return _shown(client, Refused("it says more than any handshake has to"))
        first = first or data[:_SHOWN_BYTES]
        incoming.write(data)
    if refusal is None:
        return _shown(client, Refused("it shows nothing"), even_nothing=True)
    return _shown(client, _why(refusal, first))


class _MoreWanted:
    """OpenSSL waits for the other side."""


def _step(client: ssl.SSLObject) -> ssl.SSLError | _MoreWanted | None:
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return _MoreWanted()
    except ssl.SSLError as error:
        return error
    return None


def _say_goodbye(client: ssl.SSLObject) -> None:
    """Have the end announced, so that servers do not log a broken connection."""
    try:
        client.unwrap()
    except ssl.SSLError:
        return  # it waits for the other side's goodbye, and nobody else does


def _shown(client: ssl.SSLObject, otherwise: Exception, *, even_nothing: bool = False) -> Handshake:
    chain = tuple(client.get_unverified_chain())
    if not chain and not even_nothing:
        raise otherwise
    cipher = client.cipher()
    version = client.version() or (cipher[1] if cipher else None)
    return Handshake(chain, _spelt(version), cipher[0] if cipher else None)


def _spelt(version: str | None) -> str | None:
    """Return the protocol in its usual spelling: OpenSSL says TLSv1 and TLSv1.0 of the same."""
    if version is None:
        return None
    name, _, number = version.partition("v")
    return f"{name} {number}.0" if "." not in number else f"{name} {number}"


def _why(error: ssl.SSLError, first: bytes) -> Exception:
    # 20 to 24 are the kinds of records of TLS, and the second byte is its major version.
    if len(first) > 1 and not (0x14 <= first[0] <= 0x18 and first[1] == 3):  # noqa: PLR2004
        return NotTls(first)
    reason = (error.reason or str(error)).lower().replace("_", " ")
    for prefix in ("sslv3 alert ", "tlsv1 alert ", "tlsv13 alert ", "tlsv1 "):
        reason = reason.removeprefix(prefix)
    return Refused(reason)
