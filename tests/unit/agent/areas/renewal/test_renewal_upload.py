"""Certificates of one's own: taken when they are good, else told what is wrong with them."""

import stat
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import SecretStr

from homelab_agent.areas.renewal.models import (
    HandOver,
    IssueBody,
    ManagedOrigin,
    ManagedState,
    UploadBody,
)
from homelab_agent.platform.commands import SYSTEM
from homelab_agent.platform.errors import AgentError, Conflict, Invalid
from tests.fakes.tls_servers.authority import (
    Authority,
    Issued,
    make_authority,
    make_signer,
    self_signed,
)
from tests.unit.agent.areas.renewal.desk import Desk

NAME = "photos.home.example"

CURVE = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
"""What `openssl ecparam -genkey` writes before a key."""

type Make = Callable[[Authority], UploadBody]


def pem(*certificates: x509.Certificate) -> str:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates).decode()


def body(issued: Issued, *chain: Issued, key: str | None = None) -> UploadBody:
    return UploadBody(
        certificate_pem=pem(issued.certificate),
        chain_pem=pem(*(each.certificate for each in chain)) if chain else None,
        key_pem=SecretStr(key or issued.key_pem.decode()),
    )


def encrypted(issued: Issued) -> str:
    return issued.key.private_bytes(
        Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a passphrase"),
    ).decode()


def another_key() -> str:
    return self_signed(NAME).key_pem.decode()


@pytest.fixture
def authority(desk: Desk) -> Authority:
    """One that the agent trusts besides those of the system."""
    made = make_authority()
    desk.trusted.write_text(pem(made.root.certificate))
    return made


GOOD: dict[str, Make] = {
    "with its intermediate": lambda a: body(a.issue(NAME), a.intermediate),
    "with its root too": lambda a: body(a.issue(NAME), a.intermediate, a.root),
    "chain in the wrong order": lambda a: body(a.issue(NAME), a.root, a.intermediate),
    "key with its curve before it": lambda a: body(
        made := a.issue(NAME), a.intermediate, key=CURVE + made.key_pem.decode()
    ),
    "written on Windows": lambda a: UploadBody(
        certificate_pem=pem((made := a.issue(NAME)).certificate).replace("\n", "\r\n"),
        chain_pem=pem(a.intermediate.certificate).replace("\n", "\r\n"),
        key_pem=SecretStr(made.key_pem.decode().replace("\n", "\r\n")),
    ),
    "all in one, upside down": lambda a: UploadBody(
        certificate_pem=pem(
            a.root.certificate, a.intermediate.certificate, (made := a.issue(NAME)).certificate
        ),
        key_pem=SecretStr(made.key_pem.decode()),
    ),
}

BAD: dict[str, tuple[Make, str, str]] = {
    "another key": (
        lambda a: body(a.issue(NAME), a.intermediate, key=another_key()),
        "key_pem",
        "does not fit",
    ),
    "an encrypted key": (
        lambda a: body(made := a.issue(NAME), a.intermediate, key=encrypted(made)),
        "key_pem",
        "passphrase",
    ),
    "no key": (
        lambda a: body(a.issue(NAME), a.intermediate, key="not a key at all"),
        "key_pem",
        "no private key",
    ),
    "a key cut short": (
        lambda a: body(made := a.issue(NAME), key=made.key_pem.decode()[:120]),
        "key_pem",
        "no private key",
    ),
    "no certificate": (
        lambda a: UploadBody(
            certificate_pem="hello", key_pem=SecretStr(a.issue(NAME).key_pem.decode())
        ),
        "certificate_pem",
        "no certificate",
    ),
    "expired": (
        lambda a: body(a.issue(NAME, days=-2), a.intermediate),
        "certificate_pem",
        "expired",
    ),
    "no intermediate": (lambda a: body(a.issue(NAME)), "chain_pem", "not complete"),
    "somebody else's intermediate": (
        lambda a: body(a.issue(NAME), make_authority("Other").intermediate),
        "chain_pem",
        "nothing to do",
    ),
    "names nobody": (
        lambda a: body(a.issue(common_name=NAME), a.intermediate),
        "certificate_pem",
        "names no host",
    ),
    "names a folder above": (
        lambda a: body(a.issue("../../outside"), a.intermediate),
        "certificate_pem",
        "no name of a host",
    ),
    "names a folder from the root on": (
        lambda a: body(a.issue("/outside"), a.intermediate),
        "certificate_pem",
        "no name of a host",
    ),
    "signed by what may not sign": (
        lambda a: body(
            a.issue(NAME, issuer=(bad := make_signer("Bad", issuer=a.root, may_sign=False))), bad
        ),
        "certificate_pem",
        "may not sign",
    ),
}


@pytest.mark.parametrize("case", GOOD)
async def test_one_that_is_good_is_served_however_its_chain_was_sorted(
    desk: Desk, authority: Authority, case: str
) -> None:
    await desk.service.upload(GOOD[case](authority), SYSTEM)
    found = await desk.service.get(NAME)
    assert found.state is ManagedState.VALID
    assert found.origin is ManagedOrigin.UPLOADED
    assert found.reason is None
    assert found.renew_at is None
    chain = await desk.folders.read(NAME, "fullchain.pem")
    assert chain is not None
    sent = x509.load_pem_x509_certificates(chain.encode())
    for certificate, issuer in pairwise(sent):
        certificate.verify_directly_issued_by(issuer)
    key_file = desk.folders.file(NAME, "privkey.pem")
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


@pytest.mark.parametrize("case", BAD)
async def test_one_that_is_not_good_is_refused_in_words_and_leaves_nothing(
    desk: Desk, authority: Authority, case: str
) -> None:
    make, field, words = BAD[case]
    with pytest.raises(Invalid, match=words) as caught:
        await desk.service.upload(make(authority), SYSTEM)
    assert caught.value.field == field
    assert "PRIVATE" not in caught.value.message
    assert not (await desk.service.list()).certificates
    assert not desk.folders.root.exists()


async def test_one_of_an_authority_that_nobody_knows_is_taken_and_that_is_told(
    desk: Desk,
) -> None:
    private = make_authority("Home")
    given = body(private.issue(NAME), private.intermediate, private.root)
    await desk.service.upload(given, SYSTEM)
    found = await desk.service.get(NAME)
    assert found.state is ManagedState.VALID
    assert found.reason is not None
    assert "trusted_ca_file" in found.reason


async def test_a_self_made_one_is_taken_and_that_is_told(desk: Desk) -> None:
    await desk.service.upload(body(self_signed(NAME)), SYSTEM)
    found = await desk.service.get(NAME)
    assert found.reason is not None
    assert "signed by itself" in found.reason


async def test_the_next_one_under_the_same_key_replaces_it(
    desk: Desk, authority: Authority
) -> None:
    for _ in range(2):
        made = authority.issue(NAME)
        await desk.service.upload(body(made, authority.intermediate), SYSTEM)
        chain = await desk.folders.read(NAME, "cert.pem")
        assert chain == pem(made.certificate)


async def test_it_does_not_take_the_place_of_one_that_the_agent_renews(
    desk: Desk, authority: Authority
) -> None:
    await desk.service.issue(IssueBody(names=(NAME,)), SYSTEM)
    with pytest.raises(Conflict):
        await desk.service.upload(body(authority.issue(NAME), authority.intermediate), SYSTEM)


async def test_it_is_not_put_among_somebody_elses_files(desk: Desk, authority: Authority) -> None:
    theirs = desk.folders.root / NAME / "privkey.pem"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("somebody else's")
    with pytest.raises(Conflict):
        await desk.service.upload(body(authority.issue(NAME), authority.intermediate), SYSTEM)
    assert theirs.read_text() == "somebody else's"


async def test_its_key_is_in_no_job_and_no_answer(
    desk: Desk, authority: Authority, tmp_path: Path
) -> None:
    made = authority.issue(NAME)
    result = await desk.service.upload(body(made, authority.intermediate), SYSTEM)
    piece = made.key_pem.decode().splitlines()[2]
    shown = (await desk.service.get(NAME)).model_dump_json() + result.model_dump_json()
    shown += "".join(each.model_dump_json() for each in await desk.runner.page(limit=9))
    assert piece not in shown
    for file in ("homelab.db", "homelab.db-wal"):
        assert piece.encode() not in (tmp_path / file).read_bytes()


async def test_caddy_that_is_away_costs_nobody_the_certificate(
    desk: Desk, authority: Authority
) -> None:
    desk.proxy.away = True
    given = body(authority.issue(NAME), authority.intermediate)
    with pytest.raises(AgentError, match="Caddy"):
        await desk.service.upload(
            given.model_copy(update={"hand_over": HandOver(caddy=True)}), SYSTEM
        )
    found = await desk.service.get(NAME)
    assert found.state is ManagedState.FAILING
    assert found.failure is not None
    assert "Caddy does not answer" in found.failure.message
    desk.proxy.away = False
    await desk.service.hand_over(NAME, SYSTEM, 10)
    assert desk.proxy.held[NAME] == await desk.folders.read(NAME, "fullchain.pem")
    assert (await desk.service.get(NAME)).state is ManagedState.VALID
