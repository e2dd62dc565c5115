"""What a person is told to do about each way in which an authority can refuse."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from homelab_agent.areas.renewal import key_tools
from homelab_agent.areas.renewal.authority import AuthorityAway, AuthorityRefused, ClockIsOff
from homelab_agent.areas.renewal.failures import authority_says, what_to_do
from homelab_agent.areas.renewal.models import AcmeStep
from homelab_agent.platform.errors import AgentError, TimedOut
from tests.fakes.tls_servers.authority import Authority, Issued, make_authority


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("rateLimited", "waits"),
        ("badNonce", "cache"),
        ("caa", "CAA"),
        ("dns", "DNSSEC"),
        ("unauthorized", "another TXT record"),
        ("incorrectResponse", "another TXT record"),
        ("connection", "name servers"),
        ("rejectedIdentifier", "name out"),
        ("userActionRequired", "terms"),
        ("externalAccountRequired", "HMAC key"),
        ("invalidContact", "e-mail"),
        ("serverInternal", "status page"),
        ("somethingNew", "name servers"),
    ],
)
def test_each_refusal_has_a_remedy_and_keeps_its_words(kind: str, word: str) -> None:
    error = AuthorityRefused(kind, "the authority's own words")
    assert word in what_to_do(AcmeStep.VALIDATION, error)
    assert authority_says(error) == "the authority's own words"


@pytest.mark.parametrize("step", AcmeStep)
def test_whatever_fails_at_whatever_step_there_is_something_to_do(step: AcmeStep) -> None:
    for error in (TimedOut("late"), AuthorityAway("away"), ClockIsOff("off"), AgentError("?")):
        assert what_to_do(step, error)
        assert authority_says(error) is None


def signed_with_key_id(serial: int) -> tuple[str, bytes]:
    """Return a certificate (PEM) that says by what key it was signed, and that key's name."""
    authority: Authority = make_authority()
    made: Issued = authority.issue("a.example")
    signer = authority.intermediate
    key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(
        signer.certificate.public_key()  # type: ignore[arg-type]  # keys of authorities sign
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(made.certificate.subject)
        .issuer_name(signer.certificate.subject)
        .public_key(made.certificate.public_key())
        .serial_number(serial)
        .not_valid_before(made.certificate.not_valid_before_utc)
        .not_valid_after(made.certificate.not_valid_after_utc)
        .add_extension(key_id, critical=False)
        .sign(signer.key, made.certificate.signature_hash_algorithm)  # type: ignore[arg-type]
    )
    return certificate.public_bytes(Encoding.PEM).decode(), key_id.key_identifier or b""


@pytest.mark.parametrize(
    ("serial", "encoded"), [(0x87654321, "AIdlQyE"), (0x7F, "fw"), (0x80, "AIA")]
)
def test_the_authority_finds_the_certificate_that_is_asked_about(serial: int, encoded: str) -> None:
    # The first is the example of RFC 9773, 4.1: a serial whose first bit is set has a zero before.
    pem, key_id = signed_with_key_id(serial)
    found = key_tools.ari_id(pem)
    assert found == f"{base64.urlsafe_b64encode(key_id).decode().rstrip('=')}.{encoded}"
