"""Places to watch, and the keys by which they are known."""

import hashlib
import re
import socket
from urllib.parse import urlsplit

from homelab_agent.areas.certificates.models import CertificateSource, StartTls, WatchBody
from homelab_agent.areas.certificates.names import wire_name, without_brackets
from homelab_agent.areas.certificates.watched import Origin, Place
from homelab_agent.areas.renewal.models import ManagedCertificate, ManagedOrigin
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.outbound.connections import where

_MOST_KEY = 120
_HASH_DIGITS = 8
_UNFIT = re.compile(r"[^a-z0-9.-]+")
_HTTPS_PORT = 443


def endpoint_place(body: WatchBody, origin: Origin, container: str | None = None) -> Place:
    """Return the place that an address is.

    Raises:
        Invalid: no host can be called that.
    """
    if body.host is None:
        raise ValueError("a place at an address needs a host")
    host = _host("host", body.host)
    server_name = _host("server_name", body.server_name) if body.server_name else None
    asked = server_name if server_name != host else None
    return Place(
        key=_endpoint_key(host, body.port, asked, body.start_tls),
        name=body.name or _endpoint_name(body.host, body.port, asked),
        source=CertificateSource.ENDPOINT,
        origin=origin,
        host=host,
        port=body.port,
        server_name=asked,
        start_tls=body.start_tls,
        allow_guarded=body.allow_guarded,
        container=container,
    )


def url_place(url: str, name: str, container: str | None) -> Place | None:
    """Return the place of an https address; None for any other, or one that no host can have."""
    try:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            return None
        port = parts.port or _HTTPS_PORT
        body = WatchBody(name=name, host=parts.hostname, port=port)
        return endpoint_place(body, Origin.MONITOR, container)
    except ValueError, Invalid:
        return None


def file_place(path: str, source: CertificateSource, origin: Origin, name: str | None) -> Place:
    """Return the place that a file is. One of Caddy is known by its name: issuers may change."""
    if source is CertificateSource.CADDY:
        site = path.rpartition("/")[2].removesuffix(".crt").replace("wildcard_", "*")
        key = f"caddy-{path.rpartition('/')[2].removesuffix('.crt')}"
        return Place(key=_key(key), name=name or site, source=source, origin=origin, path=path)
    return Place(
        key=_key(f"file-{path.strip('/').replace('/', '-')}", path),
        name=(name or path)[-64:],
        source=source,
        origin=origin,
        path=path,
    )


def managed_place(kept: ManagedCertificate) -> Place:
    """Return the place of a certificate that the agent keeps."""
    return Place(
        key=_key(f"managed-{kept.key}"),
        name=next(iter(kept.names), kept.key)[:64],
        source=CertificateSource.MANAGED,
        origin=Origin.MANAGED,
        managed=kept.key,
        kept_valid=kept.origin is ManagedOrigin.ACME,
    )


def _host(field: str, host: str) -> str:
    try:
        return wire_name(host)
    except socket.gaierror as error:
        raise Invalid(f"No host can be called {host}.", field=field) from error


def _endpoint_key(host: str, port: int, asked: str | None, start_tls: StartTls | None) -> str:
    parts = [host, str(port), *filter(None, (start_tls, asked))]
    return _key("-".join(parts), host if ":" in host else "")


def _endpoint_name(host: str, port: int, asked: str | None) -> str:
    host = without_brackets(host)
    address = host if port == _HTTPS_PORT else where(host, port)
    return (f"{asked} at {address}" if asked else address)[:64]


def _key(text: str, told_apart_by: str = "") -> str:
    """Return a key. What the letters of keys cannot hold apart is held apart by a hash."""
    key = _UNFIT.sub("-", text.lower()).strip("-.")
    if key == text and len(key) <= _MOST_KEY and not told_apart_by:
        return key
    digest = hashlib.sha256((told_apart_by + text).encode()).hexdigest()[:_HASH_DIGITS]
    return f"{key[: _MOST_KEY - _HASH_DIGITS - 1].rstrip('-.')}-{digest}"
