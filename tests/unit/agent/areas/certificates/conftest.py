"""The reading part of the area: real handshakes, real chains, an authority of our own."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from homelab_agent.areas.certificates.endpoint import EndpointReader
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.trust import TrustStore
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.guard import Guard
from homelab_agent.platform.outbound.names import Names
from tests.fakes.tls_servers import Authority, make_authority
from tests.harness.ports import free_port


@pytest.fixture(scope="session")
def authority() -> Authority:
    return make_authority()


@pytest.fixture
def trusted_file(authority: Authority, tmp_path: Path) -> Path:
    path = tmp_path / "authorities.pem"
    path.write_bytes(authority.root.certificate.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def unused_port() -> int:
    return free_port()


@pytest.fixture
def outbound() -> Outbound:
    names = Names()
    return Outbound(names, Guard(names))


@pytest.fixture
def service(outbound: Outbound, trusted_file: Path) -> CertificateService:
    return CertificateService(EndpointReader(outbound), TrustStore(utc_now, trusted_file), utc_now)
