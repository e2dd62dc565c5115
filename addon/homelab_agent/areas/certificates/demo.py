"""Six certificates of an invented homelab, made by an invented authority when the demo starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from homelab_agent.areas.certificates.confined import Stamp
from homelab_agent.areas.certificates.handshake import Handshake
from homelab_agent.areas.certificates.models import (
    CertificateSource,
    EndpointBody,
    StartTls,
    Verdict,
    WatchBody,
)
from homelab_agent.areas.certificates.names import wire_name
from homelab_agent.areas.certificates.nothing import Nothing
from homelab_agent.areas.certificates.places import endpoint_place, file_place
from homelab_agent.areas.certificates.watched import Origin, Place
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import Invalid

_CADDY_FILE = (
    "/data/caddy/certificates/acme-v02.api.letsencrypt.org-directory"
    "/photos.home.example.org/photos.home.example.org.crt"
)
_DAYS_OF_90 = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    host: str
    names: tuple[str, ...]
    days: float
    port: int = 443
    start_tls: StartTls | None = None
    self_signed: bool = False


_SHOWN = (
    _Shown(host="home.example.org", names=("home.example.org", "www.home.example.org"), days=74.3),
    _Shown(
        host="mail.home.example.org",
        port=587,
        start_tls=StartTls.SMTP,
        names=("mail.home.example.org", "smtp.home.example.org"),
        days=13,
    ),
    _Shown(host="git.home.example.org", names=("git.home.example.org",), days=-2.6),
    _Shown(
        host="nas.home.example.org",
        port=5001,
        names=("nas.home.example.org", "nas.local"),
        days=2900,
        self_signed=True,
    ),
    _Shown(host="tv.home.example.org", names=("*.apps.home.example.org",), days=61.8),
)
_PHOTOS = _Shown(host="photos.home.example.org", names=("photos.home.example.org",), days=48.1)


class DemoCertificates:
    """Shows them at their addresses and in the store of an invented Caddy."""

    def __init__(self, clock: Clock) -> None:
        # Days, so that a restart shows the same certificates.
        today = clock().replace(hour=0, minute=0, second=0, microsecond=0)
        self._authority = _Issuer("Demo Authority", None, today)
        self._intermediate = _Issuer("Demo Authority R3", self._authority, today)
        self._chains = {(each.host, each.port): self._chain(each, today) for each in _SHOWN}
        self._photos = self._chain(_PHOTOS, today)

    @property
    def authority(self) -> bytes:
        """The root (DER) that the demo trusts."""
        return self._authority.certificate.public_bytes(Encoding.DER)

    async def read(self, endpoint: EndpointBody, _server_name: str) -> Handshake | Nothing:
        """Return what is shown at one of the invented addresses."""
        chain = self._chains.get((wire_name(endpoint.host), endpoint.port))
        if chain is None:
            return Nothing(Verdict.UNREACHABLE, f"The demo has no host {endpoint.host}.")
        return Handshake(chain, "TLS 1.3", "TLS_AES_256_GCM_SHA384")

    async def require_allowed(self, endpoint: EndpointBody) -> None:
        """Allow all: nobody is connected to."""

    async def read_file(self, path: str) -> tuple[bytes, ...] | Nothing:
        """Return the chain of the invented Caddy."""
        if path == _CADDY_FILE:
            return self._photos
        return Nothing(Verdict.UNREACHABLE, f"The demo has no file {path}.")

    async def stamp(self, _path: str) -> Stamp | None:
        """Return that no file of the demo ever changes."""
        return None

    async def below(self, path: str) -> tuple[str, ...]:
        """Refuse: the demo has no folders."""
        raise Invalid(f"The demo has no file {path}.", field="path")

    async def found(self) -> tuple[Place, ...]:
        """Return the invented addresses, and the certificate of the invented Caddy."""
        bodies = (
            WatchBody(host=each.host, port=each.port, start_tls=each.start_tls) for each in _SHOWN
        )
        return (
            *(endpoint_place(body, Origin.FILES) for body in bodies),
            file_place(_CADDY_FILE, CertificateSource.CADDY, Origin.FILES, None),
        )

    def _chain(self, shown: _Shown, today: datetime) -> tuple[bytes, ...]:
        end = today + timedelta(days=shown.days)
        if shown.self_signed:
            own = _Issuer(shown.names[0], None, today, end=end, names=shown.names)
            return (own.certificate.public_bytes(Encoding.DER),)
        issued = _Issuer(shown.names[0], self._intermediate, today, end=end, names=shown.names)
        made = (issued.certificate, self._intermediate.certificate)
        return tuple(each.public_bytes(Encoding.DER) for each in made)


class _Issuer:
    """A certificate and its key; the same ones at each start of a day."""

    def __init__(
        self,
        name: str,
        issuer: _Issuer | None,
        today: datetime,
        *,
        end: datetime | None = None,
        names: Sequence[str] = (),
    ) -> None:
        seed = int.from_bytes(sha256(f"homelab demo {name}".encode()).digest()[:31])
        self.key = ec.derive_private_key(seed, ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        end = end or today + timedelta(days=3650)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(self.key.public_key())
            .serial_number(seed >> 100)
            .not_valid_before(min(today, end) - timedelta(days=_DAYS_OF_90))
            .not_valid_after(end)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
            builder = builder.add_extension(alternatives, critical=False)
        else:
            constraints = x509.BasicConstraints(ca=True, path_length=None)
            builder = builder.add_extension(constraints, critical=True)
        signer = issuer.key if issuer else self.key
        self.certificate: x509.Certificate = builder.sign(
            signer, hashes.SHA256(), ecdsa_deterministic=True
        )
