"""A certificate authority: makes certificates as they should be, or as they should not."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

type Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey

DAY = timedelta(days=1)

_BY_RULES_OF_BROWSERS = x509.CertificatePolicies(
    [x509.PolicyInformation(x509.ObjectIdentifier("2.23.140.1.2.1"), None)]
)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key, and what a server sends along with it."""

    certificate: x509.Certificate
    key: Key
    sent_along: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def ders(self) -> tuple[bytes, ...]:
        return tuple(each.public_bytes(Encoding.DER) for each in self._sent())

    @property
    def chain_pem(self) -> bytes:
        return b"".join(each.public_bytes(Encoding.PEM) for each in self._sent())

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sending(self, *others: Issued) -> Issued:
        """The same, with other certificates sent along."""
        return replace(self, sent_along=tuple(each.certificate for each in others))

    def write(self, folder: Path, name: str = "server") -> Path:
        """Write chain and key into one file."""
        path = folder / f"{name}.pem"
        path.write_bytes(self.key_pem + self.chain_pem)
        return path

    def _sent(self) -> tuple[x509.Certificate, ...]:
        return (self.certificate, *self.sent_along)


@dataclass(frozen=True, slots=True)
class Authority:
    """A root, and an intermediate that issues by default."""

    root: Issued
    intermediate: Issued

    def issue(
        self,
        *names: str,
        days: float = 90,
        not_before: datetime | None = None,
        key: Key | None = None,
        issuer: Issued | None = None,
        issuer_url: str | None = None,
        is_public: bool = False,
        common_name: str | None = None,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    ) -> Issued:
        """Make a certificate for names and addresses that ends in `days` from now."""
        signer = issuer or self.intermediate
        now = datetime.now(UTC)
        start = not_before or now - 30 * DAY
        builder = _builder(
            common_name or (names[0] if names else "nobody"),
            signer.certificate.subject,
            key := key or ec.generate_private_key(ec.SECP256R1()),
            min(start, now + timedelta(days=days) - DAY) if not_before is None else start,
            now + timedelta(days=days),
        ).add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if names:
            builder = builder.add_extension(_alternatives(names), critical=False)
        if issuer_url:
            builder = builder.add_extension(_issuer_at(issuer_url), critical=False)
        if is_public:
            builder = builder.add_extension(_BY_RULES_OF_BROWSERS, critical=False)
        made = builder.sign(signer.key, hashes.SHA256())
        along = (signer.certificate,) if signer is not self.root else ()
        return Issued(made, key, along)


def make_authority(
    name: str = "Lab", *, root_key: Key | None = None, days: float = 3650
) -> Authority:
    """Make a root and an intermediate."""
    root = make_signer(f"{name} Root", key=root_key, days=days)
    return Authority(root, make_signer(f"{name} Intermediate", issuer=root, days=days))


def make_signer(
    name: str,
    *,
    issuer: Issued | None = None,
    key: Key | None = None,
    days: float = 3650,
    may_sign: bool = True,
) -> Issued:
    """Make a certificate that signs others: of `issuer`, or its own root."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = _name(name)
    end = now + timedelta(days=days)
    builder = _builder(
        name,
        issuer.certificate.subject if issuer else subject,
        key,
        min(now, end) - 365 * DAY,
        end,
    ).add_extension(x509.BasicConstraints(ca=may_sign, path_length=None), critical=True)
    return Issued(builder.sign((issuer.key if issuer else key), hashes.SHA256()), key)


def signed_with(digest: str, issued: Issued, issuer: Issued) -> Issued:
    """The same certificate, signed with a hash that only `openssl` still lends itself to."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.pem").write_bytes(issued.certificate.public_bytes(Encoding.PEM))
        made = subprocess.run(
            [
                *("openssl", "x509", "-in", folder / "in.pem", f"-{digest}", "-preserve_dates"),
                *("-CA", issuer.write(folder, "issuer"), "-CAkey", folder / "issuer.pem"),
            ],
            check=True,
            capture_output=True,
        ).stdout
    return replace(issued, certificate=x509.load_pem_x509_certificate(made))


def self_signed(*names: str, days: float = 90) -> Issued:
    """Make a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    builder = _builder(
        names[0], _name(names[0]), key, now - DAY, now + timedelta(days=days)
    ).add_extension(_alternatives(names), critical=False)
    return Issued(builder.sign(key, hashes.SHA256()), key)


def _builder(
    name: str, issuer: x509.Name, key: Key, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternatives(names: Sequence[str]) -> x509.SubjectAlternativeName:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return x509.SubjectAlternativeName(found)


def _issuer_at(url: str) -> x509.AuthorityInformationAccess:
    return x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(
                AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(url)
            )
        ]
    )
