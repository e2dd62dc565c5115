"""Servers with certificates of every kind, good and bad, and who made them."""

from tests.fakes.tls_servers.authority import Authority, Issued, make_authority
from tests.fakes.tls_servers.server import TlsServer, plain_server, tls_server

__all__ = ["Authority", "Issued", "TlsServer", "make_authority", "plain_server", "tls_server"]
