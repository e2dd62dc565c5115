"""Whether a chain leads to an authority that this machine trusts, as OpenSSL itself sees it.

Python's `ssl` checks a chain only within a handshake. So one is begun with nobody: a client of TLS
1.2 is fed the first words of a server, among them the chain. It checks the chain before it waits
for the proof that the server holds the key; what it says of the chain is all we want to know. No
network and no key takes part, and chains of files are judged by the same rules as those of servers.
"""

import asyncio
import hashlib
import ssl
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from homelab_agent.platform.clock import Clock
from homelab_agent.platform.logging import get_logger

RELOAD_LOOK_S = 60.0
"""How long a change of the system's authorities may stay unnoticed."""

_log = get_logger(__name__)

_MOST_REMEMBERED = 4096
_RECORD_BYTES = 16384
_SUITES = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0"
_WITH_RSA, _WITH_OTHER = b"\xc0\x2f", b"\xc0\x2b"
_SERVER_HELLO, _CERTIFICATE = b"\x02", b"\x0b"
# Renegotiation info (RFC 5746) with nothing in it; OpenSSL turns away servers without.
_EXTENSIONS = b"\x00\x05\xff\x01\x00\x01\x00"


@dataclass(frozen=True, slots=True)
class Distrust:
    """Why OpenSSL does not trust a chain: its number (X509_V_ERR_*) and its words."""

    code: int
    words: str


_KNOWS_NOBODY = Distrust(
    0,
    "this machine has no list of authorities to trust. Install ca-certificates, or name a file of "
    "them in SSL_CERT_FILE",
)

type _Print = tuple[tuple[str, int, int], ...]


class TrustStore:
    """The authorities of the system, read again when they change.

    `authorities` are others instead: a file (PEM), or a single certificate (DER). `further` is a
    file (PEM) of those to trust besides.
    """

    def __init__(
        self,
        clock: Clock,
        authorities: Path | bytes | None = None,
        *,
        further: Path | None = None,
        look_every_s: float = RELOAD_LOOK_S,
    ) -> None:
        self._further = further
        self._look_every_s = look_every_s
        self._clock = clock
        self._authorities = authorities
        self._context: ssl.SSLContext | None = None
        self._knows_nobody = False
        self._print: _Print = ()
        self._look_at = 0.0
        self._known: OrderedDict[bytes, Distrust | None] = OrderedDict()
        self._loading = asyncio.Lock()

    async def refresh(self) -> None:
        """Read the authorities, the first time and when they have changed."""
        now = asyncio.get_running_loop().time()
        if self._context is not None and now < self._look_at:
            return
        async with self._loading:
            if self._context is not None and now < self._look_at:
                return
            found = await asyncio.to_thread(_print_of, self._authorities, self._further)
            if self._context is None or found != self._print:
                self._context = await asyncio.to_thread(
                    _make_context, self._authorities, self._further
                )
                self._knows_nobody = not (found or self._context.cert_store_stats()["x509_ca"])
                self._print = found
                self._known.clear()
            self._look_at = now + self._look_every_s

    def distrust(self, chain: Sequence[bytes], *, has_rsa_key: bool) -> Distrust | None:
        """Return why a chain (DER, the certificate itself first) is not trusted; None if it is.

        What was found is remembered for a day: it changes with time and with the authorities.
        """
        if self._context is None:
            raise RuntimeError("the authorities were not read yet")
        if self._knows_nobody:
            return _KNOWS_NOBODY
        today = self._clock().date().isoformat().encode()
        key = hashlib.sha256(b"|".join((today, *chain))).digest()
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        found = _ask_openssl(self._context, chain, _WITH_RSA if has_rsa_key else _WITH_OTHER)
        self._known[key] = found
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return found


def _print_of(authorities: Path | bytes | None, further: Path | None) -> _Print:
    """Return by what a change of the authorities is noticed."""
    paths = ssl.get_default_verify_paths()
    system = map(Path, filter(None, (paths.cafile, paths.capath)))
    places = system if authorities is None else [authorities]
    found = []
    for place in (*places, further):
        if not isinstance(place, Path):
            continue
        try:
            status = place.stat()
        except OSError:
            continue
        found.append((str(place), status.st_mtime_ns, status.st_size))
    return tuple(found)


def _make_context(authorities: Path | bytes | None, further: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_SUITES)
    # Like browsers and curl: an authority in the store is trusted, be it a root or not.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    if authorities is None:
        context.load_default_certs()
    elif isinstance(authorities, bytes):
        context.load_verify_locations(cadata=authorities)
    else:
        context.load_verify_locations(cafile=authorities)
    if further is not None:
        _trust_also(context, further)
    return context


def _trust_also(context: ssl.SSLContext, further: Path) -> None:
    try:
        context.load_verify_locations(cafile=further)
    except OSError as error:
        # It was readable at the start: the others still count, and it is read when it is back.
        _log.warning("authorities_unreadable", file=str(further), why=str(error))


def _ask_openssl(context: ssl.SSLContext, chain: Sequence[bytes], suite: bytes) -> Distrust | None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        incoming.write(_first_words(chain, suite))
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return None  # it waits for the server's key exchange: the chain was good
    except ssl.SSLCertVerificationError as error:
        return Distrust(error.verify_code, error.verify_message)
    except ssl.SSLError as error:
        return Distrust(0, (error.reason or str(error)).replace("_", " ").lower())
    raise RuntimeError("a handshake ended that nobody answered")


def _first_words(chain: Sequence[bytes], suite: bytes) -> bytes:
    """Return what a server of TLS 1.2 says first (RFC 5246, 7.4): hello, and its certificates."""
    hello = b"\x03\x03" + bytes(32) + b"\x00" + suite + b"\x00" + _EXTENSIONS
    certificates = b"".join(_with_length(der) for der in chain)
    words = _SERVER_HELLO + _with_length(hello)
    words += _CERTIFICATE + _with_length(_with_length(certificates))
    parts = (words[at : at + _RECORD_BYTES] for at in range(0, len(words), _RECORD_BYTES))
    return b"".join(b"\x16\x03\x03" + len(part).to_bytes(2) + part for part in parts)


def _with_length(data: bytes) -> bytes:
    return len(data).to_bytes(3) + data
