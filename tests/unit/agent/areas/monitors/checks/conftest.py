"""What checks are made of."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from homelab_agent.areas.monitors.checks.web import Web
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.outbound.connections import Outbound, open_outbound
from homelab_agent.platform.outbound.http import OutboundHttp
from homelab_agent.platform.outbound.tls_contexts import TlsContexts
from homelab_agent.platform.settings import Settings
from tests.fakes.tls_servers import Authority, make_authority


@pytest.fixture(scope="session")
def authority() -> Authority:
    return make_authority()


@pytest.fixture
def trusted_file(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The authority is the only one that this machine trusts."""
    path = tmp_path / "authorities.pem"
    path.write_bytes(authority.root.certificate.public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    return path


@pytest.fixture
def outbound() -> Outbound:
    return open_outbound(Settings())


@pytest.fixture
async def web(outbound: Outbound, trusted_file: Path) -> AsyncIterator[Web]:
    assert trusted_file
    http = OutboundHttp(outbound)
    yield Web(http, TlsContexts(), utc_now)
    await http.close()
