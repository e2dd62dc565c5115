"""TLS: a certificate of the agent's own, made once, or the files that the settings name."""

import hashlib
import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from homelab_agent.platform.durable_files import replace_file
from homelab_agent.platform.errors import SettingsError

SELF_SIGNED_FILE = "tls.pem"
_VALID_DAYS = 3650
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_BEGIN = "-----BEGIN CERTIFICATE-----"
_END = "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Tls:
    """What a server needs. `fingerprint` is the certificate's SHA-256 in hex, for pinning."""

    context: ssl.SSLContext
    fingerprint: str


def open_self_signed(data_dir: Path, host_name: str) -> Tls:
    """Return the agent's own certificate, which is made when it is missing.

    Raises:
        SettingsError: it cannot be made or used.
    """
    path = data_dir / SELF_SIGNED_FILE
    if not path.exists():
        try:
            _make(path, host_name)
        except OSError as error:
            raise SettingsError(
                f"{error.filename or path} cannot be written: {error.strerror}",
                field="data_dir",
                hint="Give the agent a data folder with free space that it may write to",
            ) from error
    return open_files(path, path)


def open_files(certificate: Path | None, key: Path | None) -> Tls:
    """Return what the two PEM files hold; raise `SettingsError` where they are of no use."""
    if certificate is None or key is None:
        missing = "tls_certificate" if certificate is None else "tls_key"
        raise SettingsError(f'tls = "files" needs {missing}.', field=missing)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        fingerprint = fingerprint_of(certificate)
        context.load_cert_chain(certificate, key, password=_refuse_passphrase)
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"The certificate {certificate} with the key {key} cannot be used: {error}",
            field="tls_certificate",
            hint="Both must be PEM files that belong together and that the agent may read.",
        ) from error
    return Tls(context, fingerprint)


def _refuse_passphrase() -> str:
    # Without this OpenSSL asks at the terminal, and the start waits for ever.
    raise SettingsError(
        "tls_key is encrypted; nobody is there to type its passphrase in",
        field="tls_key",
        hint="Give a key without one, made with: openssl pkey -in KEY -out NEW_KEY",
    )


def fingerprint_of(certificate: Path) -> str:
    """Return the SHA-256 of a PEM file's first certificate; raise ValueError where it has none."""
    text = certificate.read_text(encoding="ascii")
    begin, end = text.find(_BEGIN), text.find(_END)
    if begin < 0 or end < begin:
        raise ValueError("it holds no certificate")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text[begin : end + len(_END)])).hexdigest()


def _make(path: Path, host_name: str) -> None:
    # Only the very first start needs these.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "homelab-agent")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost")]
    if _HOST_NAME.fullmatch(host_name):
        names.append(x509.DNSName(host_name))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # In one file, so that a crash leaves both or none.
    pem = private + certificate.public_bytes(serialization.Encoding.PEM)
    replace_file(path, pem.decode("ascii"))
