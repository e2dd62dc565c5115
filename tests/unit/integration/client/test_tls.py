"""TLS: only the very certificate that was pinned, and every failure says which it is."""

from collections.abc import AsyncGenerator
from pathlib import Path

import aiohttp
import pytest

from custom_components.homelab.client import (
    AgentClient,
    AgentError,
    CannotConnect,
    CertificateUntrusted,
    Endpoint,
    FingerprintMismatch,
    TlsFailed,
    normalise_fingerprint,
)
from tests.fakes.agent_server import FakeAgent
from tests.fakes.certificates import Certificate, make_certificate


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


@pytest.fixture
async def tls_agent(_sockets: None, certificate: Certificate) -> AsyncGenerator[FakeAgent]:
    """A fake agent that speaks TLS only."""
    fake = FakeAgent()
    await fake.start(certificate.context)
    try:
        yield fake
    finally:
        await fake.stop()


def client_of(
    session: aiohttp.ClientSession,
    agent: FakeAgent,
    fingerprint: str | None = None,
    *,
    tls: bool = True,
) -> AgentClient:
    endpoint = Endpoint(host="127.0.0.1", port=agent.port, ssl=tls, fingerprint=fingerprint)
    return AgentClient(session, endpoint, agent.token)


async def test_the_pinned_certificate_is_enough(
    session: aiohttp.ClientSession, tls_agent: FakeAgent, certificate: Certificate
) -> None:
    client = client_of(session, tls_agent, certificate.fingerprint)
    assert (await client.info()).name == "atlas"
    assert (await client.hello()).contract == 1


async def test_another_certificate_never_gets_the_token(
    session: aiohttp.ClientSession, tls_agent: FakeAgent
) -> None:
    client = client_of(session, tls_agent, "ab" * 32)
    with pytest.raises(FingerprintMismatch):
        await client.info()
    with pytest.raises(FingerprintMismatch):
        await client.hello()
    assert tls_agent.seen == []


async def test_a_self_signed_certificate_without_a_pin_is_refused(
    session: aiohttp.ClientSession, tls_agent: FakeAgent
) -> None:
    with pytest.raises(CertificateUntrusted):
        await client_of(session, tls_agent).info()
    assert tls_agent.seen == []


async def test_tls_towards_an_agent_without_it_is_named(
    session: aiohttp.ClientSession, agent: FakeAgent
) -> None:
    with pytest.raises(TlsFailed):
        await client_of(session, agent).info()


async def test_plain_http_towards_an_agent_with_tls_is_an_error_not_a_trace(
    session: aiohttp.ClientSession, tls_agent: FakeAgent
) -> None:
    with pytest.raises(AgentError) as caught:
        await client_of(session, tls_agent, tls=False).info()
    assert isinstance(caught.value, CannotConnect)


@pytest.mark.parametrize(
    "text",
    [
        "AB" * 32,
        ":".join(["ab"] * 32),
        "SHA256 Fingerprint=" + ":".join(["AB"] * 32),
        "sha256:" + "ab" * 32,
        " " + " ".join(["ab"] * 32) + "\n",
    ],
)
def test_a_fingerprint_may_be_pasted_as_openssl_and_browsers_show_it(text: str) -> None:
    assert normalise_fingerprint(text) == "ab" * 32


@pytest.mark.parametrize("text", ["", "ab" * 20, "zz" * 32, "ab" * 33])
def test_what_is_no_sha256_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        normalise_fingerprint(text)


def test_an_ipv6_address_makes_a_valid_url() -> None:
    endpoint = Endpoint(host="fd00::1", ssl=True)
    assert str(endpoint.url("stream", scheme="ws")) == "wss://[fd00::1]:8099/api/v1/stream"
