"""Servers that are not ours: a Caddy that renews, and four that begin TLS in their own protocol.

`openssl s_client` also speaks to the fakes that stand for them in other tests.
"""

import asyncio
import os
import pwd
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from homelab_agent.areas.certificates.caddy import caddy_stores
from homelab_agent.areas.certificates.endpoint import EndpointReader
from homelab_agent.areas.certificates.files import CertificateFiles
from homelab_agent.areas.certificates.looking import Looker, keeps_none
from homelab_agent.areas.certificates.models import EndpointBody, StartTls, Verdict
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.trust import TrustStore
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.guard import Guard
from homelab_agent.platform.outbound.names import Names
from tests.contract.starttls_servers import DOVECOT, SLAPD, ldap_server, mail_server
from tests.contract.store import postgres
from tests.fakes.tls_servers import Authority, make_authority, starttls, tls_server
from tests.fakes.tls_servers.server import Talk
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until

NAME = "photos.lab.example"
HOST = "127.0.0.1"
CADDY = shutil.which("caddy")

CADDYFILE = """
{{
    admin off
    auto_https disable_redirects
    skip_install_trust
    renew_interval 1s
    storage file_system {storage}
    https_port {port}
}}
{name} {{
    tls {{
        issuer internal {{
            lifetime 12s
        }}
    }}
    respond "hello"
}}
"""


def service_trusting(authorities: Path | None) -> CertificateService:
    names = Names()
    trust = TrustStore(utc_now, authorities, look_every_s=0)
    return CertificateService(EndpointReader(Outbound(names, Guard(names))), trust, utc_now)


@pytest.fixture
def authority() -> Authority:
    return make_authority()


@pytest.fixture
def trusted(authority: Authority, tmp_path: Path) -> Path:
    path = tmp_path / "trusted.pem"
    path.write_bytes(authority.root.chain_pem)
    return path


@asynccontextmanager
async def caddy(storage: Path) -> AsyncIterator[int]:
    """Run a real Caddy with an authority of its own, whose certificates live for seconds."""
    port = free_port()
    config = storage.with_suffix(".conf")
    config.write_text(CADDYFILE.format(storage=storage, port=port, name=NAME))
    process = await asyncio.create_subprocess_exec(
        *(str(CADDY), "run", "--adapter", "caddyfile", "--config", str(config)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": str(storage.parent)},
    )
    try:
        yield port
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.skipif(CADDY is None, reason="no Caddy here")
async def test_a_real_caddy_is_read_at_its_door_and_in_its_store_and_its_renewal_is_seen(
    tmp_path: Path,
) -> None:
    storage = tmp_path / "caddy"
    stranger = service_trusting(None)
    friend = service_trusting(storage / "pki/authorities/local/root.crt")
    files = CertificateFiles(Path("/"), (), caddy_stores(storage))
    async with caddy(storage) as port:
        body = EndpointBody(host=HOST, port=port, server_name=NAME)

        async def served() -> bool:
            return (await stranger.look(body)).details is not None

        await wait_until(served, what="Caddy")
        at_the_door = await stranger.look(body)
        assert at_the_door.verdict is Verdict.UNKNOWN_AUTHORITY
        assert "Caddy Local Authority" in (at_the_door.reason or "")
        assert (await friend.look(body)).verdict is Verdict.TRUSTED

        (place,) = await files.found()
        assert (place.key, place.name) == (f"caddy-{NAME}", NAME)
        first = await Looker(friend, files, keeps_none).look(place)
        assert first.verdict is Verdict.TRUSTED
        assert first.details
        known = first.details

        async def renewed() -> bool:
            stored, shown = (
                await Looker(friend, files, keeps_none).look(place),
                await friend.look(body),
            )
            if stored.details is None or shown.details is None:
                return False
            fingerprints = {stored.details.fingerprint_sha256, shown.details.fingerprint_sha256}
            return len(fingerprints) == 1 and known.fingerprint_sha256 not in fingerprints

        await wait_until(renewed, what="the renewal, in the store and at the door", within_s=60)


@pytest.fixture
def database_files(authority: Authority) -> Iterator[Path]:
    """Certificate and key where a PostgreSQL server may read them, and nobody else."""
    folder = Path(tempfile.mkdtemp(prefix="homelab-certificates-"))
    issued = authority.issue("db.lab.example")
    (folder / "server.crt").write_bytes(issued.chain_pem)
    (folder / "server.key").write_bytes(issued.key_pem)
    (folder / "server.key").chmod(0o600)
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        for path in (folder, *folder.iterdir()):
            os.chown(path, user.pw_uid, user.pw_gid)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(postgres.binaries() is None, reason="no PostgreSQL here")
async def test_a_real_postgresql_says_no_and_then_shows_its_certificate(
    trusted: Path, database_files: Path
) -> None:
    programs = postgres.binaries()
    assert programs
    service = service_trusting(trusted)
    with postgres.cluster(programs) as url:
        address = url.replace("+asyncpg", "")
        body = EndpointBody(
            host=HOST,
            port=int(address.rpartition(":")[2]),
            server_name="db.lab.example",
            start_tls=StartTls.POSTGRESQL,
        )
        without = await service.look(body)
        assert without.verdict is Verdict.NO_CERTIFICATE
        assert "ssl = off" in (without.reason or "")

        connection = await asyncpg.connect(f"{address}/postgres", ssl=False)
        await connection.execute(f"alter system set ssl_cert_file = '{database_files}/server.crt'")
        await connection.execute(f"alter system set ssl_key_file = '{database_files}/server.key'")
        await connection.execute("alter system set ssl = on")
        await connection.execute("select pg_reload_conf()")
        await connection.close()

        async def trusted_now() -> bool:
            return (await service.look(body)).verdict is Verdict.TRUSTED

        await wait_until(trusted_now, what="PostgreSQL with TLS")


@pytest.mark.skipif(DOVECOT is None, reason="no Dovecot here")
async def test_a_real_dovecot_shows_its_certificate_over_smtp_and_imap(
    authority: Authority, trusted: Path
) -> None:
    async with mail_server(authority.issue(NAME)) as (smtp, imap):
        await _until_trusted(trusted, smtp, StartTls.SMTP)
        await _until_trusted(trusted, imap, StartTls.IMAP)
        confused = await service_trusting(trusted).look(
            EndpointBody(host=HOST, port=imap, server_name=NAME)
        )

    assert confused.verdict is Verdict.NO_CERTIFICATE
    assert "wants start_tls" in (confused.reason or "")


@pytest.mark.skipif(SLAPD is None, reason="no OpenLDAP here")
async def test_a_real_openldap_shows_its_certificate(authority: Authority, trusted: Path) -> None:
    async with ldap_server(authority.issue(NAME), authority.intermediate.chain_pem) as port:
        await _until_trusted(trusted, port, StartTls.LDAP)


async def _until_trusted(trusted: Path, port: int, start_tls: StartTls) -> None:
    service = service_trusting(trusted)
    body = EndpointBody(host=HOST, port=port, server_name=NAME, start_tls=start_tls)
    last = ""

    async def is_trusted() -> bool:
        nonlocal last
        report = await service.look(body)
        last = report.reason or ""
        return report.verdict is Verdict.TRUSTED

    try:
        await wait_until(is_trusted, what=f"{start_tls} at {port}")
    except TimeoutError:
        pytest.fail(last)


@pytest.mark.parametrize(
    ("protocol", "talk"),
    [
        ("smtp", starttls.smtp),
        ("imap", starttls.imap),
        ("ldap", starttls.ldap),
        ("postgres", starttls.postgresql),
    ],
)
async def test_the_fakes_of_starttls_get_along_with_openssl_too(
    authority: Authority, trusted: Path, tmp_path: Path, protocol: str, talk: Talk
) -> None:
    async with tls_server(authority.issue(NAME), tmp_path, before=talk) as server:
        process = await asyncio.create_subprocess_exec(
            *("openssl", "s_client", "-connect", f"{HOST}:{server.port}", "-starttls", protocol),
            *("-CAfile", str(trusted), "-verify_hostname", NAME),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()

    assert b"Verify return code: 0 (ok)" in out, out.decode(errors="replace")
