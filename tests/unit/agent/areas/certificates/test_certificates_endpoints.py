"""Whatever is at the other side: the certificate is read, or a sentence says why it cannot be."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homelab_agent.areas.certificates.chain import Unreadable
from homelab_agent.areas.certificates.endpoint import EndpointReader
from homelab_agent.areas.certificates.models import EndpointBody, StartTls, Verdict
from homelab_agent.areas.certificates.parsing import parse_chain
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.trust import TrustStore
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.guard import GuardedAddress
from tests.fakes.tls_servers import Authority, make_authority, plain_server, starttls, tls_server
from tests.fakes.tls_servers.authority import Key
from tests.fakes.tls_servers.server import Talk

NAME = "nas.lab.example"
HOST = "127.0.0.1"


def endpoint(
    port: int,
    *,
    start_tls: StartTls | None = None,
    host: str = HOST,
    name: str | None = NAME,
    timeout_s: float = 20,
) -> EndpointBody:
    return EndpointBody(
        host=host, port=port, server_name=name, start_tls=start_tls, timeout_s=timeout_s
    )


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(1024):
        pass


async def hang_up(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read(1024)


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1024)
    raw = writer.get_extra_info("socket")
    # A reset instead of an orderly end.
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        # Handshake records that never come to an end.
        writer.write(b"\x16\x03\x03\x40\x00\x0b\xff\xff\xff" + b"x" * 16380)
        await writer.drain()


@pytest.mark.parametrize(
    ("talk", "verdict", "says"),
    [
        (silence, Verdict.UNREACHABLE, "did not end the handshake within 1 s"),
        (hang_up, Verdict.UNREACHABLE, "closed the connection during the handshake"),
        (reset, Verdict.UNREACHABLE, "reset the connection during the handshake"),
        (
            starttls.answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            Verdict.NO_CERTIFICATE,
            "speaks plain HTTP, not TLS",
        ),
        (
            starttls.saying(b"220 mail.lab.example ESMTP\r\n"),
            Verdict.NO_CERTIFICATE,
            'greets with "220 mail.lab.example ESMTP": it wants start_tls',
        ),
        (
            starttls.saying(b"SSH-2.0-OpenSSH_10\r\n"),
            Verdict.NO_CERTIFICATE,
            "speaks SSH, not TLS",
        ),
        (
            starttls.saying(b"\x00\xff\x1b[31mgarbage" * 9),
            Verdict.NO_CERTIFICATE,
            "answered something that is not TLS",
        ),
        (
            starttls.answering(b"\x15\x03\x03\x00\x02\x02\x28"),
            Verdict.NO_CERTIFICATE,
            "refused the handshake: handshake failure",
        ),
        (flood, Verdict.NO_CERTIFICATE, "refused the handshake"),
    ],
    ids=[
        "stalls",
        "hangs up",
        "resets",
        "plain http",
        "smtp",
        "ssh",
        "garbage",
        "alert",
        "floods",
    ],
)
async def test_a_server_that_shows_no_certificate_is_told_in_words_and_keeps_nobody_waiting(
    service: CertificateService, talk: Talk, verdict: Verdict, says: str
) -> None:
    async with plain_server(talk) as port:
        report = await service.look(endpoint(port, timeout_s=1 if talk is silence else 20))

    assert report.verdict is verdict, report.reason
    assert says in (report.reason or "")
    assert report.details is None
    assert (report.reason or "").isprintable(), "what a stranger sent must not reach a terminal"


async def test_a_host_that_nobody_knows_refuses_or_cannot_exist_is_told_in_words(
    service: CertificateService, unused_port: int
) -> None:
    refused = await service.look(endpoint(unused_port))
    unknown = await service.look(endpoint(443, host="nas.invalid", name=None))
    nonsense = await service.look(endpoint(443, host="a..b", name=None))

    assert refused.verdict is unknown.verdict is nonsense.verdict is Verdict.UNREACHABLE
    assert (
        refused.reason == f"127.0.0.1:{unused_port} refused the connection: nothing listens there."
    )
    assert unknown.reason == "Nobody knows the host nas.invalid."
    assert nonsense.reason == "No host can be called a..b."


async def test_a_host_that_does_not_even_take_the_connection_keeps_nobody_waiting(
    service: CertificateService,
) -> None:
    with socket.socket() as full, contextlib.ExitStack() as others:
        full.bind((HOST, 0))
        full.listen(0)
        port: int = full.getsockname()[1]
        for _ in range(4):  # more than it takes: the next one gets no answer at all
            other = others.enter_context(socket.socket())
            other.setblocking(False)
            other.connect_ex((HOST, port))
        report = await service.look(endpoint(port, timeout_s=1))

    assert report.verdict is Verdict.UNREACHABLE
    assert "waited 1 s" in (report.reason or ""), report.reason


async def test_a_guarded_address_is_not_connected_to(service: CertificateService) -> None:
    with pytest.raises(GuardedAddress):
        await service.look(endpoint(443, host="169.254.169.254", name=None))


@pytest.mark.parametrize("newest", ["TLS 1.2", "TLS 1.3"])
async def test_a_server_that_wants_a_certificate_of_ours_still_shows_its_own(
    service: CertificateService,
    authority: Authority,
    trusted_file: Path,
    tmp_path: Path,
    newest: str,
) -> None:
    version = {"TLS 1.2": ssl.TLSVersion.TLSv1_2, "TLS 1.3": None}[newest]
    async with tls_server(
        authority.issue(NAME), tmp_path, newest=version, client_authority=trusted_file
    ) as server:
        report = await service.look(endpoint(server.port))

    assert report.verdict is Verdict.TRUSTED, report.reason
    assert report.protocol == newest


async def test_a_name_is_asked_for_and_an_address_is_not(
    service: CertificateService, authority: Authority, tmp_path: Path
) -> None:
    async with tls_server(authority.issue(HOST, "::1"), tmp_path) as server:
        await service.look(endpoint(server.port, name="Bücher.Lab.Example."))
        by_address = await service.look(endpoint(server.port, name=None))

    assert server.asked_names == ["xn--bcher-kva.lab.example", None]
    assert by_address.verdict is Verdict.TRUSTED


async def test_a_server_that_wants_to_be_asked_by_a_name_says_so(
    service: CertificateService,
) -> None:
    unrecognised_name = b"\x15\x03\x03\x00\x02\x02\x70"
    async with plain_server(starttls.answering(unrecognised_name)) as port:
        by_address = await service.look(endpoint(port, name=None))
        by_name = await service.look(endpoint(port))

    assert "give server_name" in (by_address.reason or "")
    assert "unrecognized name" in (by_name.reason or "")
    assert "give server_name" not in (by_name.reason or "")


async def test_a_machine_without_any_authorities_is_told_as_that(
    outbound: Outbound, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nothing"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nothing"))
    service = CertificateService(EndpointReader(outbound), TrustStore(utc_now), utc_now)

    report = await service.judge_file(authority.issue(NAME).ders)
    assert report.verdict is Verdict.UNTRUSTED
    assert "no list of authorities" in (report.reason or "")


@pytest.mark.parametrize("host", ["::1", "[::1]"])
async def test_an_address_of_version_6_may_stand_in_brackets(
    service: CertificateService, authority: Authority, tmp_path: Path, host: str
) -> None:
    async with tls_server(authority.issue("::1"), tmp_path, host="::1") as server:
        report = await service.look(endpoint(server.port, host=host, name=None))

    assert report.verdict is Verdict.TRUSTED, report.reason


@pytest.mark.parametrize(
    ("protocol", "talk"),
    [
        (StartTls.SMTP, starttls.smtp),
        (StartTls.IMAP, starttls.imap),
        (StartTls.LDAP, starttls.ldap),
        (StartTls.POSTGRESQL, starttls.postgresql),
    ],
)
async def test_a_certificate_behind_starttls_is_read(
    service: CertificateService,
    authority: Authority,
    tmp_path: Path,
    protocol: StartTls,
    talk: Talk,
) -> None:
    async with tls_server(authority.issue(NAME), tmp_path, before=talk) as server:
        report = await service.look(endpoint(server.port, start_tls=protocol))

    assert report.verdict is Verdict.TRUSTED, report.reason


@pytest.mark.parametrize(
    ("protocol", "talk", "says"),
    [
        (StartTls.SMTP, starttls.saying(b"554 go away\r\n"), 'greets with "554 go away"'),
        (
            StartTls.SMTP,
            starttls.saying(b"220 hello\r\n", b"250-me\r\n250 SIZE\r\n"),
            "does not offer STARTTLS",
        ),
        (
            StartTls.SMTP,
            starttls.saying(b"220 hello\r\n", b"250 STARTTLS\r\n", b"250 STARTTLS\r\n"),
            "does not offer STARTTLS",
        ),
        (
            StartTls.SMTP,
            starttls.saying(b"220 hello\r\n", b"250-me\r\n250 STARTTLS\r\n", b"454 not now\r\n"),
            'answers STARTTLS with "454 not now"',
        ),
        (StartTls.SMTP, starttls.saying(b"220-still\r\n" * 5000), "come to the end"),
        (StartTls.SMTP, starttls.saying(b"2" * 200_000), "a line without an end"),
        (StartTls.SMTP, starttls.saying(), "closed the connection before TLS began"),
        (StartTls.IMAP, starttls.saying(b"* BYE\r\n"), 'greets with "* BYE"'),
        (
            StartTls.IMAP,
            starttls.saying(b"* OK\r\n", b"a1 BAD what?\r\n"),
            'answers STARTTLS with "a1 BAD what?"',
        ),
        (StartTls.LDAP, starttls.ldap_refusing(2), "it does not know StartTLS"),
        (StartTls.LDAP, starttls.ldap_refusing(52), "refuses StartTLS: unavailable"),
        (StartTls.LDAP, starttls.answering(b"HTTP/1.1 400 no\r\n"), "does not speak LDAP"),
        (StartTls.LDAP, starttls.answering(b"\x30\x05\x02\x01\x01\x78\x03"), "cut off"),
        (StartTls.LDAP, starttls.answering(b"\x30\x84\xff\xff\xff\xff"), "too long"),
        (StartTls.POSTGRESQL, starttls.answering(b"N"), "TLS switched off"),
        (StartTls.POSTGRESQL, starttls.answering(b"EFATAL"), "with an error"),
        (StartTls.POSTGRESQL, starttls.answering(b"HTTP/1.1"), "does not speak PostgreSQL"),
    ],
)
async def test_a_server_that_does_not_begin_tls_is_told_in_words(
    service: CertificateService, protocol: StartTls, talk: Talk, says: str
) -> None:
    async with plain_server(talk) as port:
        report = await service.look(endpoint(port, start_tls=protocol))

    assert report.verdict is Verdict.NO_CERTIFICATE, report.reason
    assert says in (report.reason or ""), report.reason


async def test_a_starttls_server_that_says_nothing_keeps_nobody_waiting(
    service: CertificateService,
) -> None:
    async with plain_server(silence) as port:
        report = await service.look(endpoint(port, start_tls=StartTls.SMTP, timeout_s=1))

    assert report.verdict is Verdict.UNREACHABLE


async def test_an_authority_that_is_installed_later_is_trusted_from_then_on(
    authority: Authority, outbound: Outbound, tmp_path: Path
) -> None:
    trusted = tmp_path / "authorities.pem"
    trusted.write_bytes(make_authority("Other").root.chain_pem)
    store = TrustStore(utc_now, trusted, look_every_s=0)
    service = CertificateService(EndpointReader(outbound), store, utc_now)
    async with tls_server(authority.issue(NAME), tmp_path) as server:
        before = await service.look(endpoint(server.port))
        trusted.write_bytes(authority.root.certificate.public_bytes(Encoding.PEM))
        after = await service.look(endpoint(server.port))

    assert before.verdict is Verdict.UNKNOWN_AUTHORITY
    assert after.verdict is Verdict.TRUSTED


@pytest.mark.parametrize(
    ("make_key", "says"),
    [
        (lambda: dsa.generate_private_key(2048), "DSA"),
        (lambda: ec.generate_private_key(ec.SECP192R1()), "192 bits"),
    ],
    ids=["dsa", "small curve"],
)
async def test_a_key_that_no_server_can_use_any_more_is_weak_in_a_file_too(
    service: CertificateService, authority: Authority, make_key: Callable[[], Key], says: str
) -> None:
    issued = await asyncio.to_thread(lambda: authority.issue(NAME, key=make_key()))

    report = await service.judge_file(issued.ders)
    assert report.verdict is Verdict.WEAK_KEY, report.reason
    assert says in (report.reason or "")


async def test_an_authority_that_this_machine_was_told_to_distrust_is_named_as_that(
    outbound: Outbound, authority: Authority, tmp_path: Path
) -> None:
    root, trusted = tmp_path / "root.pem", tmp_path / "authorities.pem"
    root.write_bytes(authority.root.chain_pem)
    reject = ("-addreject", "serverAuth", "-trustout", "-out", str(trusted))
    process = await asyncio.create_subprocess_exec("openssl", "x509", "-in", str(root), *reject)
    assert await process.wait() == 0
    service = CertificateService(EndpointReader(outbound), TrustStore(utc_now, trusted), utc_now)

    report = await service.judge_file(authority.issue(NAME).ders)
    assert report.verdict is Verdict.UNTRUSTED, report.reason
    assert "told explicitly to distrust" in (report.reason or "")


@given(data=st.binary(max_size=300))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_stranger_shows_as_a_certificate_is_an_answer_and_never_an_error(
    data: bytes, authority: Authority
) -> None:
    real = authority.issue(NAME).der
    for der in (data, real[: len(data)], real[:40] + data + real[40 + len(data) :]):
        try:
            assert parse_chain((der,)).details().fingerprint_sha256
        except Unreadable as error:
            assert str(error)  # noqa: PT017 - either is an answer
