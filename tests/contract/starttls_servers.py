"""Real servers that begin TLS in the middle of their protocol: Dovecot and OpenLDAP."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fakes.tls_servers import Issued
from tests.harness.ports import free_port

HOST = "127.0.0.1"
DOVECOT = shutil.which("dovecot")
SLAPD = shutil.which("slapd", path=f"{os.environ['PATH']}:/usr/sbin")

_DOVECOT = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap submission
listen = 127.0.0.1
ssl = yes
ssl_server_cert_file = {folder}/server.crt
ssl_server_key_file = {folder}/server.key
submission_relay_host = 127.0.0.1
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service submission-login {{
  inet_listener submission {{
    port = {smtp}
  }}
  inet_listener submissions {{
    port = 0
  }}
}}
passdb static {{
  password = nobody-logs-in
}}
"""

_SLAPD = """
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
TLSCertificateFile {folder}/server.crt
TLSCertificateKeyFile {folder}/server.key
TLSCACertificateFile {folder}/authorities.crt
"""


@asynccontextmanager
async def mail_server(issued: Issued) -> AsyncIterator[tuple[int, int]]:
    """Run a Dovecot; give its ports for SMTP (submission) and for IMAP."""
    smtp, imap = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="homelab-mail-") as name:
        folder = _filled(Path(name), issued)
        config = folder / "dovecot.conf"
        config.write_text(_DOVECOT.format(folder=folder, smtp=smtp, imap=imap))
        async with _running(str(DOVECOT), "-F", "-c", str(config)):
            yield smtp, imap


@asynccontextmanager
async def ldap_server(issued: Issued, authorities: bytes) -> AsyncIterator[int]:
    """Run an OpenLDAP without any entries; give its port. `authorities` (PEM) it sends along."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="homelab-ldap-") as name:
        folder = _filled(Path(name), issued)
        (folder / "authorities.crt").write_bytes(authorities)
        config = folder / "slapd.conf"
        config.write_text(_SLAPD.format(folder=folder))
        where = f"ldap://{HOST}:{port}"
        async with _running(str(SLAPD), "-h", where, "-f", str(config), "-d", "0"):
            yield port


def _filled(folder: Path, issued: Issued) -> Path:
    folder.chmod(0o755)
    (folder / "server.crt").write_bytes(issued.chain_pem)
    (folder / "server.key").write_bytes(issued.key_pem)
    return folder


@asynccontextmanager
async def _running(*command: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()
