"""Certificates as strangers may make them: read, or said to be unreadable, and never more."""

import warnings
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from homelab_agent.areas.certificates.chain import Chain, Unreadable
from homelab_agent.areas.certificates.judge import judge
from homelab_agent.areas.certificates.parsing import parse_chain
from homelab_agent.areas.certificates.texts import MOST_SHOWN

_KEY = ec.generate_private_key(ec.SECP256R1())
_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_VERSION_3 = b"\xa0\x03\x02\x01\x02"


def made(extension: x509.ExtensionType | None = None, common_name: str = "nas.example") -> bytes:
    # Not validated: what a stranger makes is made by no library that minds.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name, _validate=False)])
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=_KEY.public_key(),
        serial_number=5,
        not_valid_before=datetime(2020, 1, 1, tzinfo=UTC),
        not_valid_after=datetime(2060, 1, 1, tzinfo=UTC),
    )
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(_KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def names_of(data: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, data)


def reason(chain: Chain) -> str:
    return judge(chain, "other.example", _NOW, None, lambda _: None)[1] or ""


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(made(names_of(b"\x30\x04\xa3\x02\x30\x00")), id="an X.400 address"),
        pytest.param(made(names_of(b"\x30\x04\xa5\x02\x30\x00")), id="an EDI party"),
        pytest.param(made(names_of(b"\x30\x04\x82\x02\xff\xfe")), id="no UTF-8"),
        pytest.param(made(names_of(b"\x30\x05\x87\x03abc")), id="an address of three bytes"),
        pytest.param(made().replace(_VERSION_3, _VERSION_3[:-1] + b"\x05"), id="version 6"),
        pytest.param(made().replace(b"20600101000000Z", b"00000101000000Z"), id="year 0"),
    ],
)
def test_what_a_library_cannot_read_is_unreadable_and_nothing_worse(der: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_chain((der,))


_GOOD = made(x509.SubjectAlternativeName([x509.DNSName("nas.example")]))


@given(st.lists(st.tuples(st.integers(0, len(_GOOD) - 1), st.integers(0, 255)), max_size=6))
def test_whatever_a_certificate_is_garbled_to_it_is_read_or_unreadable(
    changes: list[tuple[int, int]],
) -> None:
    der = bytearray(_GOOD)
    for at, byte in changes:
        der[at] = byte
    try:
        chain = parse_chain((bytes(der),))
    except Unreadable:
        return
    chain.details().model_dump_json()
    reason(chain)


def test_names_without_end_are_shown_short() -> None:
    with warnings.catch_warnings(action="ignore"):  # the library knows that it is too long
        der = made(
            x509.SubjectAlternativeName([x509.DNSName("a" * 900_000)]), common_name="c" * 900_000
        )
    chain = parse_chain((der,))

    assert len(chain.details().names[0]) == MOST_SHOWN
    assert len(chain.details().model_dump_json()) < 10 * MOST_SHOWN
    assert len(reason(chain)) < 10 * MOST_SHOWN


def test_a_name_moves_no_cursor_and_turns_no_text_around() -> None:
    chain = parse_chain((made(common_name="\x1b[31m\u202egood\n"),))

    assert chain.leaf.display == "?[31m?good?"
    assert chain.details().subject.isprintable()
