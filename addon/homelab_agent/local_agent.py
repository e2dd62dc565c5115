"""Asking a running agent from the command line: where it is, whom to trust, one request."""

import ssl
import urllib.error
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from pydantic import ValidationError

from homelab_agent.address_file import read_address
from homelab_agent.api.problems import Problem
from homelab_agent.api.tls import SELF_SIGNED_FILE, fingerprint_of
from homelab_agent.platform.errors import Invalid, Unavailable
from homelab_agent.platform.settings import Settings

TIMEOUT_S = 8.0
_LONGEST_ANSWER = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class AgentPlace:
    """Where an agent answers. `fingerprint` is that of its certificate, where we know it."""

    base: str
    context: ssl.SSLContext | None
    fingerprint: str | None


def find_agent(settings: Settings, url: str | None) -> AgentPlace:
    """Return where the agent at `url` is, or this machine's.

    Raises:
        Unavailable: none runs here.
        Invalid: the URL is no address.
    """
    base = url or read_address(settings.data_dir)
    if base is None:
        raise Unavailable(
            f"No agent runs with the data folder {settings.data_dir}",
            hint="Start it with: homelab-agent serve",
        )
    scheme = _scheme(base)
    certificate = _certificate(settings) if scheme == "https" and url is None else None
    context, fingerprint = _trusting(certificate) if certificate else (None, None)
    return AgentPlace(base.rstrip("/"), context, fingerprint)


def ask(place: AgentPlace, path: str, *, token: str | None = None) -> bytes:
    """Return what the agent answers to a GET of a path.

    Raises:
        Unavailable: nobody answered as an agent does, or it refused.
    """
    url = f"{place.base}{path}"
    request = Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310  # http and https alone: see _scheme
    # Without a proxy: this asks a machine of the house, and none of outside.
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=place.context))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            read: bytes = answer.read(_LONGEST_ANSWER)
    except urllib.error.HTTPError as error:
        raise Unavailable(_refused(url, error)) from error
    except (OSError, ValueError, HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        # What the other side sent may hold anything, line ends too.
        raise Unavailable(f"{url} does not answer as an agent does: {reason!s:.200}") from error
    return read


def _refused(url: str, error: urllib.error.HTTPError) -> str:
    said = f"{url} answered with status {error.code}"
    try:
        problem = Problem.model_validate_json(error.read(65536))
    except ValidationError, OSError, HTTPException:
        return said
    return f"{said}: {problem.detail:.300}"


def _scheme(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # half an IPv6 address, or a port that is none
        usable = False
    if not usable:
        raise Invalid(f"{url} is no address", field="url", hint="Give http://HOST:PORT")
    return parts.scheme


def _certificate(settings: Settings) -> Path | None:
    match settings.tls:
        case "self_signed":
            return settings.data_dir / SELF_SIGNED_FILE
        case "files":
            return settings.tls_certificate
        case _:
            return None


def _trusting(certificate: Path) -> tuple[ssl.SSLContext, str]:
    """Trust the agent's own certificate, whatever name it is reached by; also say what it is."""
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(certificate)
        fingerprint = fingerprint_of(certificate)
    except (OSError, ValueError) as error:
        raise Unavailable(f"The certificate {certificate} cannot be read: {error}") from error
    context.check_hostname = False
    return context, fingerprint
