"""Whom the agent trusts when it connects: the system, and whom a person named besides."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from homelab_agent.platform.errors import SettingsError
from homelab_agent.platform.outbound.tls_contexts import TlsContexts, open_tls_contexts
from tests.fakes.tls_servers.authority import Authority, make_authority

NAME = "dns.home.example"


def root_pem(authority: Authority) -> str:
    return authority.root.certificate.public_bytes(Encoding.PEM).decode()


@asynccontextmanager
async def serving(authority: Authority, folder: Path) -> AsyncIterator[int]:
    """Serve TLS with a certificate of an authority; give the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.issue(NAME).write(folder))

    def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def is_trusted(context: ssl.SSLContext, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname=NAME
        )
    except ssl.SSLCertVerificationError:
        return False
    writer.transport.abort()
    return True


async def test_an_authority_in_the_file_is_trusted_besides_those_of_the_system(
    tmp_path: Path,
) -> None:
    authority, file = make_authority(), tmp_path / "ca.pem"
    file.write_text(root_pem(authority))
    async with serving(authority, tmp_path) as port:
        with_file = await open_tls_contexts(file).get(verify=True)
        assert await is_trusted(with_file, port)
        assert not await is_trusted(await TlsContexts().get(verify=True), port)
    of_the_system = (await TlsContexts().get(verify=True)).cert_store_stats()["x509_ca"]
    assert with_file.cert_store_stats()["x509_ca"] == of_the_system + 1


async def test_an_authority_for_one_thing_is_trusted_for_nothing_else(tmp_path: Path) -> None:
    authority, contexts = make_authority(), TlsContexts()
    async with serving(authority, tmp_path) as port:
        assert await is_trusted(await contexts.trusting(root_pem(authority)), port)
        assert not await is_trusted(await contexts.get(verify=True), port)


@pytest.mark.parametrize("content", [None, "", "this is no certificate"])
def test_a_file_that_holds_no_authority_keeps_the_agent_from_starting_and_is_named(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match=str(file)) as caught:
        open_tls_contexts(file)
    assert caught.value.field == "trusted_ca_file"
