"""Every way a certificate can be bad, shown by a real server: the verdict, and who agrees.

Each server is also asked by two independent judges, `openssl s_client` and `curl`. Where they see
it differently the table says why. `pytest -s` prints it.
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from homelab_agent.areas.certificates.endpoint import EndpointReader
from homelab_agent.areas.certificates.models import EndpointBody, Verdict
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.trust import TrustStore
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.guard import Guard
from homelab_agent.platform.outbound.names import Names
from tests.fakes.tls_servers import Authority, Issued, make_authority, tls_server
from tests.fakes.tls_servers.authority import make_signer, self_signed, signed_with

NAME = "nas.lab.example"
HOST = "127.0.0.1"
ISSUER_URL = "http://ca.lab.example/i.crt"


@dataclass(frozen=True)
class Kind:
    """`openssl`: the number it gives, 0 is fine. `curl`: whether it takes it.

    `why` explains where one of them does not agree with the verdict.
    """

    name: str
    make: Callable[[Authority], Issued]
    verdict: Verdict
    says: str
    openssl: int
    curl: bool = False
    asked: str = NAME
    why: str = ""
    newest: ssl.TLSVersion | None = None


def weak_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)  # noqa: S505 - weak is what it is to be


def not_yet(authority: Authority) -> Issued:
    return authority.issue(NAME, not_before=datetime.now(UTC) + timedelta(days=3))


def below(signer: Callable[[Authority], Issued]) -> Callable[[Authority], Issued]:
    return lambda authority: authority.issue(NAME, issuer=signer(authority))


def private(authority: Authority) -> Issued:
    del authority
    return make_authority("Private").issue(NAME)


def private_with_one_tier(authority: Authority) -> Issued:
    """As AD CS does it: issued by the root, with the address of the root in it."""
    del authority
    other = make_authority("Private")
    return other.issue(NAME, issuer=other.root, issuer_url=ISSUER_URL)


def private_with_root(authority: Authority) -> Issued:
    del authority
    other = make_authority("Private")
    return other.issue(NAME).sending(other.intermediate, other.root)


def md5(authority: Authority) -> Issued:
    key = rsa.generate_private_key(65537, 2048)
    signer = make_signer("RSA Intermediate", issuer=authority.root, key=key)
    return signed_with("md5", authority.issue(NAME, issuer=signer), signer)


def mixed_up(authority: Authority) -> Issued:
    """An intermediate of the right name, but another one's."""
    other = make_signer("Lab Intermediate", issuer=authority.root)
    return authority.issue(NAME).sending(other)


KINDS = (
    Kind("good", lambda a: a.issue(NAME), Verdict.TRUSTED, "", 0, curl=True),
    Kind("good, wildcard", lambda a: a.issue("*.lab.example"), Verdict.TRUSTED, "", 0, curl=True),
    Kind(
        "good, by address", lambda a: a.issue(HOST), Verdict.TRUSTED, "", 0, curl=True, asked=HOST
    ),
    Kind(
        "good, international name",
        lambda a: a.issue("xn--bcher-kva.lab.example"),
        Verdict.TRUSTED,
        "",
        0,
        curl=True,
        asked="bücher.lab.example",
    ),
    Kind(
        "good, RSA, chain in the wrong order",
        lambda a: a.issue(NAME, key=rsa.generate_private_key(65537, 2048)).sending(
            a.root, a.intermediate
        ),
        Verdict.TRUSTED,
        "",
        0,
        curl=True,
    ),
    Kind("expired", lambda a: a.issue(NAME, days=-5), Verdict.EXPIRED, "5 days ago", 10),
    Kind(
        "expired and self-signed",
        lambda _: self_signed(NAME, days=-0.5),
        Verdict.EXPIRED,
        "expired today",
        18,
        why="the worst first; openssl stops at the first it comes to",
    ),
    Kind(
        "expired intermediate",
        below(lambda a: make_signer("Old Intermediate", issuer=a.root, days=-2)),
        Verdict.EXPIRED,
        "Old Intermediate",
        10,
    ),
    Kind("not yet valid", not_yet, Verdict.NOT_YET_VALID, "Look at the clocks", 9),
    Kind(
        "wrong name",
        lambda a: a.issue("other.lab.example", "www.lab.example"),
        Verdict.WRONG_NAME,
        "for other.lab.example, www.lab.example, not for nas.lab.example",
        62,
    ),
    Kind(
        "wildcard one level too deep",
        lambda a: a.issue("*.lab.example"),
        Verdict.WRONG_NAME,
        "not for a.b.lab.example",
        62,
        asked="a.b.lab.example",
    ),
    Kind(
        "wildcard of a whole top-level domain",
        lambda a: a.issue("*.example"),
        Verdict.WRONG_NAME,
        "not for lab.example",
        62,
        asked="lab.example",
    ),
    Kind(
        "common name only",
        lambda a: a.issue(common_name=NAME),
        Verdict.WRONG_NAME,
        "It names no host",
        0,
        curl=True,
        why="browsers dropped the common name in 2017; openssl and curl still fall back to it",
    ),
    Kind(
        "by address, but for a name",
        lambda a: a.issue(NAME),
        Verdict.WRONG_NAME,
        "not for 127.0.0.1",
        64,
        asked=HOST,
    ),
    Kind(
        "weak key",
        lambda a: a.issue(NAME, key=weak_rsa()),
        Verdict.WEAK_KEY,
        "RSA with 1024 bits",
        66,
    ),
    Kind(
        "weak key of the intermediate",
        below(lambda a: make_signer("Weak Intermediate", issuer=a.root, key=weak_rsa())),
        Verdict.WEAK_KEY,
        "The key of its authority Weak Intermediate",
        67,
    ),
    Kind(
        "weak signature (SHA-1)",
        lambda a: signed_with("sha1", a.issue(NAME), a.intermediate),
        Verdict.WEAK_SIGNATURE,
        "SHA-1",
        68,
    ),
    Kind(
        "weak signature (MD5)",
        md5,
        Verdict.WEAK_SIGNATURE,
        "MD5",
        68,
    ),
    Kind(
        "self-signed",
        lambda _: self_signed(NAME),
        Verdict.SELF_SIGNED,
        "nobody vouches for it",
        18,
    ),
    Kind(
        "incomplete chain",
        lambda a: a.issue(NAME, issuer_url=ISSUER_URL, is_public=True).sending(),
        Verdict.INCOMPLETE_CHAIN,
        "Lab Intermediate, is not sent along",
        20,
    ),
    Kind(
        "unknown authority",
        private,
        Verdict.UNKNOWN_AUTHORITY,
        "issued by Private Root, which this machine does not know",
        20,
    ),
    Kind(
        "unknown authority that says where it is",
        private_with_one_tier,
        Verdict.UNKNOWN_AUTHORITY,
        f"The certificate of Private Root is at {ISSUER_URL}",
        20,
    ),
    Kind(
        "unknown authority, root sent along",
        private_with_root,
        Verdict.UNKNOWN_AUTHORITY,
        "issued by Private Root",
        19,
    ),
    Kind(
        "made for clients",
        lambda a: a.issue(NAME, usage=ExtendedKeyUsageOID.CLIENT_AUTH),
        Verdict.UNTRUSTED,
        "not made for servers",
        26,
    ),
    Kind(
        "signed by one that may not sign",
        below(lambda a: make_signer("No Authority", issuer=a.root, may_sign=False)),
        Verdict.UNTRUSTED,
        "may not sign others",
        79,
    ),
    Kind(
        "intermediate of another key",
        mixed_up,
        Verdict.UNTRUSTED,
        "files that belong together",
        7,
    ),
    Kind(
        "nothing newer than TLS 1.1",
        lambda a: a.issue(NAME),
        Verdict.UNTRUSTED,
        "nothing newer than TLS 1.1",
        -1,
        newest=ssl.TLSVersion.TLSv1_1,
        why="openssl and curl cannot agree on a protocol with it at all",
    ),
)

_ROW = "{:38} {:18} {:>8} {:6} {}"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority()


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    rows = [_ROW.format("what the server shows", "verdict", "openssl", "curl", "reason")]
    yield rows
    print("\n" + "\n".join(rows))  # noqa: T201 - the table is quoted


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_a_bad_certificate_is_told_by_its_kind_and_independent_judges_agree(
    kind: Kind, authority: Authority, tmp_path: Path, table: list[str]
) -> None:
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.root.certificate.public_bytes(Encoding.PEM))
    issued = await asyncio.to_thread(kind.make, authority)
    names = Names()
    service = CertificateService(
        EndpointReader(Outbound(names, Guard(names))), TrustStore(utc_now, trusted), utc_now
    )
    async with tls_server(issued, tmp_path, newest=kind.newest) as server:
        report = await service.look(
            EndpointBody(host=HOST, port=server.port, server_name=kind.asked)
        )
        wire_name = kind.asked.encode("idna").decode()
        openssl = await _openssl(server.port, wire_name, trusted)
        curl = await _curl(server.port, wire_name, trusted)

    table.append(
        _ROW.format(
            kind.name, report.verdict, openssl, "yes" if curl else "no", report.reason or ""
        )
    )
    if kind.why:
        table.append(_ROW.format("", "", "", "", f"  ({kind.why})"))
    assert report.verdict is kind.verdict, report.reason
    assert kind.says in (report.reason or "")
    assert report.details is not None
    assert (openssl, curl) == (kind.openssl, kind.curl)
    agree = (report.verdict is Verdict.TRUSTED) == (openssl == 0) == curl
    assert agree or kind.why, "a difference has to be explained"


async def _openssl(port: int, name: str, trusted: Path) -> int:
    """Return the number of what `openssl s_client` finds wrong; -1 where it gets no certificate."""
    check = "-verify_ip" if name == HOST else "-verify_hostname"
    words = await _run(
        *("openssl", "s_client", "-connect", f"{HOST}:{port}", "-CAfile", str(trusted)),
        *("-no-CApath", "-no-CAstore", check, name, "-purpose", "sslserver"),
        *(() if name == HOST else ("-servername", name)),
    )
    # It goes on after a fault; the first that it came to is the one that a client would stop at.
    first = re.search(r"verify error:num=(\d+)", words)
    if first:
        return int(first[1])
    found = re.search(r"Verify return code: (\d+)", words)
    return int(found[1]) if found and "BEGIN CERTIFICATE" in words else -1


async def _curl(port: int, name: str, trusted: Path) -> bool:
    """Return whether `curl` is content with the certificate; the server answers no request."""
    words = await _run(
        *("curl", "-sv", "--max-time", "5", "--cacert", str(trusted), "--capath", "/nonexistent"),
        *("--resolve", f"{name}:{port}:{HOST}", f"https://{name}:{port}/"),
    )
    complaints = ("SSL certificate problem", "no alternative")
    return "SSL certificate verif" in words and not any(each in words for each in complaints)


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return out.decode(errors="replace")
