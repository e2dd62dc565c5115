"""What certificates say, read once for each chain."""

import hashlib
import warnings
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID
from cryptography.x509.oid import SignatureAlgorithmOID as Signature

from homelab_agent.areas.certificates.chain import Chain, Facts, Unreadable
from homelab_agent.areas.certificates.texts import shown

MOST_IN_CHAIN = 10
_LEAST_RSA_BITS = 2048
_LEAST_EC_BITS = 224

_SIGNATURES = {
    Signature.RSA_WITH_MD5: "RSA with MD5",
    Signature.RSA_WITH_SHA1: "RSA with SHA-1",
    Signature.RSA_WITH_SHA224: "RSA with SHA-224",
    Signature.RSA_WITH_SHA256: "RSA with SHA-256",
    Signature.RSA_WITH_SHA384: "RSA with SHA-384",
    Signature.RSA_WITH_SHA512: "RSA with SHA-512",
    Signature.RSASSA_PSS: "RSA-PSS",
    Signature.ECDSA_WITH_SHA1: "ECDSA with SHA-1",
    Signature.ECDSA_WITH_SHA224: "ECDSA with SHA-224",
    Signature.ECDSA_WITH_SHA256: "ECDSA with SHA-256",
    Signature.ECDSA_WITH_SHA384: "ECDSA with SHA-384",
    Signature.ECDSA_WITH_SHA512: "ECDSA with SHA-512",
    Signature.DSA_WITH_SHA1: "DSA with SHA-1",
    Signature.DSA_WITH_SHA224: "DSA with SHA-224",
    Signature.DSA_WITH_SHA256: "DSA with SHA-256",
    Signature.ED25519: "Ed25519",
    Signature.ED448: "Ed448",
}
_BROKEN_HASHES = {"md5": "MD5", "sha1": "SHA-1"}
_DER = Encoding.DER

_RULES_OF_BROWSERS = frozenset(
    {"2.23.140.1.1", "2.23.140.1.2.1", "2.23.140.1.2.2", "2.23.140.1.2.3"}
)
"""Policies of the CA/Browser Forum; each certificate of a public authority names one of them."""

_UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises of what a stranger made up; the last four are of no common kind."""


def parse_chain(ders: Sequence[bytes]) -> Chain:
    """Read the certificates that a server sent, or a file holds; `Unreadable` for a broken first.

    A broken one behind the first is left out, as clients do.
    """
    sent = [parse(ders[0])]
    for der in ders[1:MOST_IN_CHAIN]:
        try:
            sent.append(parse(der))
        except Unreadable:
            continue
    return Chain(tuple(sent), _path(sent))


def parse(der: bytes) -> Facts:
    """Read one certificate; `Unreadable` says why it cannot be."""
    with warnings.catch_warnings():
        # What is wrong with a stranger's certificate is told by the verdict.
        warnings.simplefilter("ignore")
        try:
            return _facts(x509.load_der_x509_certificate(der))
        except _UNREADABLE as error:
            raise Unreadable(str(error) or type(error).__name__) from error


def _facts(certificate: x509.Certificate) -> Facts:
    key_type, key_bits, weak_key = _key(certificate)
    return Facts(
        der=certificate.public_bytes(_DER),
        display=_display(certificate.subject),
        issuer_display=_display(certificate.issuer),
        subject=_text(certificate.subject),
        issuer=_text(certificate.issuer),
        names=_names(certificate),
        not_before=certificate.not_valid_before_utc,
        expires_at=certificate.not_valid_after_utc,
        serial=f"{certificate.serial_number:x}",
        key_type=key_type,
        key_bits=key_bits,
        signature=_signature(certificate),
        weak_key=weak_key,
        weak_signature=_weak_signature(certificate),
        issuer_url=_issuer_url(certificate),
        is_public=_is_public(certificate),
        is_authority=_is_authority(certificate),
        fingerprint_sha256=hashlib.sha256(certificate.public_bytes(_DER)).hexdigest(),
    )


def _path(sent: Sequence[Facts]) -> tuple[Facts, ...]:
    path = [sent[0]]
    others = list(sent[1:])
    while not path[-1].is_self_issued:
        issuer = next((each for each in others if each.subject == path[-1].issuer), None)
        if issuer is None:
            break
        others.remove(issuer)
        path.append(issuer)
    return tuple(path)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    alternatives = _extension(certificate, x509.SubjectAlternativeName)
    if alternatives is None:
        return ()
    hosts = alternatives.get_values_for_type(x509.DNSName)
    addresses = alternatives.get_values_for_type(x509.IPAddress)
    return (*hosts, *(str(address) for address in addresses))


def _key(certificate: x509.Certificate) -> tuple[str, int | None, str | None]:
    """Return kind and bits of the key, and what is weak about it."""
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm, ValueError:
        key = None
    found: tuple[str, int | None, str | None]
    match key:
        case rsa.RSAPublicKey(key_size=bits):
            found = "RSA", bits, f"RSA with {bits} bits" if bits < _LEAST_RSA_BITS else None
        case ec.EllipticCurvePublicKey(curve=curve):
            bits = curve.key_size
            weak = f"an elliptic curve with {bits} bits" if bits < _LEAST_EC_BITS else None
            found = "EC", bits, weak
        case dsa.DSAPublicKey(key_size=bits):
            found = "DSA", bits, "DSA, which clients of today refuse"
        case ed25519.Ed25519PublicKey():
            found = "Ed25519", 256, None
        case ed448.Ed448PublicKey():
            found = "Ed448", 456, None
        case _:
            found = certificate.public_key_algorithm_oid.dotted_string, None, None
    return found


def _signature(certificate: x509.Certificate) -> str:
    oid = certificate.signature_algorithm_oid
    return _SIGNATURES.get(oid, oid.dotted_string)


def _weak_signature(certificate: x509.Certificate) -> str | None:
    try:
        used = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm, ValueError:
        return None
    return _BROKEN_HASHES.get(used.name) if used else None


def _issuer_url(certificate: x509.Certificate) -> str | None:
    access = _extension(certificate, x509.AuthorityInformationAccess)
    if access is None:
        return None
    for each in access:
        wanted = each.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        if wanted and isinstance(each.access_location, x509.UniformResourceIdentifier):
            return shown(each.access_location.value)
    return None


def _is_public(certificate: x509.Certificate) -> bool:
    """Return whether it is in a public log, or issued by the rules of browsers."""
    logged = _extension(certificate, x509.PrecertificateSignedCertificateTimestamps)
    policies = _extension(certificate, x509.CertificatePolicies) or ()
    rules = {each.policy_identifier.dotted_string for each in policies}
    return logged is not None or not _RULES_OF_BROWSERS.isdisjoint(rules)


def _is_authority(certificate: x509.Certificate) -> bool:
    constraints = _extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _extension[Kind: x509.ExtensionType](
    certificate: x509.Certificate, kind: type[Kind]
) -> Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _display(name: x509.Name) -> str:
    """Return what a person calls it: the common name, with the organisation where that helps."""
    common = _first(name, NameOID.COMMON_NAME)
    organisation = _first(name, NameOID.ORGANIZATION_NAME)
    if common and organisation and organisation not in common:
        return f"{shown(common)} ({shown(organisation)})"
    return shown(common or organisation or _text(name)) or "nobody by name"


def _first(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    if not found:
        return ""
    value = found[0].value
    return value if isinstance(value, str) else value.decode(errors="replace")


def _text(name: x509.Name) -> str:
    return name.rfc4514_string()
