"""Keys and certificates. Import it where it is first needed: its library is large."""

import base64
import hashlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtensionOID, NameOID

from homelab_agent.areas.renewal.keys import Bundle, CertificateFacts
from homelab_agent.areas.renewal.models import KeyType
from homelab_agent.platform.errors import Invalid

MOST_IN_CHAIN = 10

_CURVES: dict[KeyType, ec.EllipticCurve] = {
    KeyType.EC_P256: ec.SECP256R1(),
    KeyType.EC_P384: ec.SECP384R1(),
}
_RSA_BITS = {KeyType.RSA_2048: 2048, KeyType.RSA_4096: 4096}
_EXPONENT = 65537
_DER, _PEM = serialization.Encoding.DER, serialization.Encoding.PEM
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)


def new_key(key_type: KeyType) -> str:
    """Return a new private key (PEM)."""
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if key_type in _CURVES:
        key = ec.generate_private_key(_CURVES[key_type])
    else:
        key = rsa.generate_private_key(_EXPONENT, _RSA_BITS[key_type])
    return _key_text(key)


def signing_request(key_pem: str, names: Sequence[str]) -> bytes:
    """Return a request (CSR, PEM) for a certificate."""
    key = _private_key(key_pem)
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return request.public_bytes(_PEM)


def bundle(certificate_pem: str, chain_pem: str | None, key_pem: str) -> Bundle:
    """Return what was given in its order; `Invalid` says what does not fit."""
    key = _private_key(key_pem)
    first = _certificates(certificate_pem, "certificate_pem")
    given = (*first, *(_certificates(chain_pem, "chain_pem") if chain_pem else ()))
    leaf = _leaf(given, key)
    return _bundle(leaf, _in_order(leaf, [each for each in given if each != leaf]), key)


def as_issued(chain_pem: str, key_pem: str) -> Bundle:
    """Return what an authority issued for a key; `Invalid` where it is for another one."""
    key, given = _private_key(key_pem), _certificates(chain_pem, "certificate_pem")
    leaf = _leaf(given, key)
    # As it was sent: authorities know best by what way others trust them.
    return _bundle(leaf, tuple(each for each in given if each != leaf), key)


def _bundle(
    leaf: x509.Certificate,
    chain: tuple[x509.Certificate, ...],
    key: CertificateIssuerPrivateKeyTypes,
) -> Bundle:
    path = (leaf, *chain)
    last = path[-1]
    return Bundle(
        certificate=_text(leaf),
        chain=tuple(map(_text, chain)),
        key=_key_text(key),
        ders=tuple(each.public_bytes(_DER) for each in path),
        facts=_facts(leaf),
        ends_in_root=last.subject == last.issuer,
    )


def ari_id(certificate_pem: str) -> str | None:
    """Return what a certificate is called when asking for its renewal (RFC 9773).

    None: it does not say by what key it was signed, or cannot be read.
    """
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        found = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return None
    identifier = found.value.key_identifier
    if identifier is None:
        return None
    serial = certificate.serial_number
    # A byte more where the first bit is set, as DER has it: else it would be negative.
    raw = serial.to_bytes(serial.bit_length() // 8 + 1)
    return f"{_base64url(identifier)}.{_base64url(raw)}"


def _private_key(pem: str) -> CertificateIssuerPrivateKeyTypes:
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except TypeError as error:
        raise Invalid(
            "The key is encrypted with a passphrase, which the agent does not know.",
            field="key_pem",
            hint="Decrypt it first: openssl pkey -in key.pem -out plain.pem",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Invalid(
            "That is no private key in PEM.",
            field="key_pem",
            hint="It begins with -----BEGIN PRIVATE KEY----- or -----BEGIN EC PRIVATE KEY-----.",
        ) from error
    if not isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
        raise Invalid(
            "Servers and browsers take RSA keys and keys on a curve; this is another kind.",
            field="key_pem",
            hint="Make a key on the curve P-256, and have the certificate issued for it.",
        )
    return key


def _certificates(pem: str, field: str) -> tuple[x509.Certificate, ...]:
    try:
        found = tuple(x509.load_pem_x509_certificates(pem.encode()))
    except _UNREADABLE as error:
        raise Invalid(
            "That is no certificate in PEM.",
            field=field,
            hint="It begins with -----BEGIN CERTIFICATE-----.",
        ) from error
    if len(found) > MOST_IN_CHAIN:
        raise Invalid(
            f"There are {len(found)} certificates, and {MOST_IN_CHAIN} are the most.", field=field
        )
    return found


def _leaf(
    given: Sequence[x509.Certificate], key: CertificateIssuerPrivateKeyTypes
) -> x509.Certificate:
    """Return the certificate of a key, wherever it stands."""
    wanted = _public(key)
    for certificate in given:
        if _public_of(certificate) == wanted:
            return certificate
    raise Invalid(
        f"The key does not fit the certificate for {_names_shown(given[0])}.",
        field="key_pem",
        hint="Upload the key that the certificate was made with.",
    )


def _in_order(
    leaf: x509.Certificate, others: list[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """Return the issuers of a certificate, each followed by its own; others have no place here."""
    path: list[x509.Certificate] = []
    current = leaf
    while current.subject != current.issuer:
        issuer = next((each for each in others if _issued(each, current)), None)
        if issuer is None:
            break
        others = [each for each in others if each != issuer]
        path.append(issuer)
        current = issuer
    if others:
        raise Invalid(
            f"{others[0].subject.rfc4514_string() or 'A certificate'} in the chain has nothing to "
            "do with the certificate.",
            field="chain_pem",
            hint="Give the certificates of its issuers, and no others.",
        )
    return tuple(path)


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm:
        return False
    return True


def _facts(certificate: x509.Certificate) -> CertificateFacts:
    return CertificateFacts(
        names=_names(certificate),
        issuer=_display(certificate.issuer),
        serial=f"{certificate.serial_number:x}",
        fingerprint_sha256=hashlib.sha256(certificate.public_bytes(_DER)).hexdigest(),
        not_before=certificate.not_valid_before_utc,
        expires_at=certificate.not_valid_after_utc,
        key_type=_key_type(certificate),
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        ).value
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return ()
    if not isinstance(found, x509.SubjectAlternativeName):
        return ()
    return tuple(name.lower() for name in found.get_values_for_type(x509.DNSName))


def _names_shown(certificate: x509.Certificate) -> str:
    return ", ".join(_names(certificate)[:3]) or _display(certificate.subject)


def _display(name: x509.Name) -> str:
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in name.get_attributes_for_oid(oid):
            return str(attribute.value)
    return name.rfc4514_string() or "nobody"


def _key_type(certificate: x509.Certificate) -> KeyType | None:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return next((kind for kind, each in _CURVES.items() if each.name == key.curve.name), None)
    if isinstance(key, rsa.RSAPublicKey):
        return next((kind for kind, bits in _RSA_BITS.items() if bits == key.key_size), None)
    return None


def _public(key: CertificateIssuerPrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(_DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _public_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(
        _DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(_PEM).decode()


def _key_text(key: CertificateIssuerPrivateKeyTypes) -> str:
    return key.private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
