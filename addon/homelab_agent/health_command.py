"""What `homelab-agent health` does: one request to a running agent."""

import ssl
import urllib.error
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from pydantic import ValidationError

from homelab_agent.address_file import read_address
from homelab_agent.api.other_routes import BASE_PATH
from homelab_agent.api.tls import SELF_SIGNED_FILE, fingerprint_of
from homelab_agent.areas.agent.models import Health
from homelab_agent.platform.errors import Invalid, Unavailable
from homelab_agent.platform.settings import Settings

TIMEOUT_S = 8.0


def ask_health(settings: Settings, url: str | None) -> str:
    """Return the answer of the agent at `url`, or of this machine's, as one line.

    Raises:
        Unavailable: nobody answered as an agent does.
    """
    base = url or read_address(settings.data_dir)
    if base is None:
        raise Unavailable(
            f"No agent runs with the data folder {settings.data_dir}",
            hint="Start it with: homelab-agent serve",
        )
    scheme = _scheme(base)
    certificate = _certificate(settings) if scheme == "https" and url is None else None
    context, fingerprint = _trusting(certificate) if certificate else (None, "")
    health = _ask(f"{base.rstrip('/')}{BASE_PATH}/health", context)
    return (
        f"{health.status} {base} version={health.version} "
        f"instance_id={health.instance_id}{fingerprint}"
    )


def _scheme(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # half an IPv6 address, or a port that is none
        usable = False
    if not usable:
        raise Invalid(f"{url} is no address", field="url", hint="Give http://HOST:PORT")
    return parts.scheme


def _ask(url: str, context: ssl.SSLContext | None) -> Health:
    # Without a proxy: this asks a machine of the house, and none of outside.
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
    try:
        with opener.open(url, timeout=TIMEOUT_S) as answer:
            return Health.model_validate_json(answer.read(65536))
    except urllib.error.HTTPError as error:
        raise Unavailable(f"{url} answered with status {error.code}") from error
    except ValidationError as error:
        raise Unavailable(f"{url} does not answer as an agent does") from error
    except (OSError, ValueError, HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        # What the other side sent may hold anything, line ends too.
        raise Unavailable(f"{url} does not answer as an agent does: {reason!s:.200}") from error


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
    return context, f" fingerprint={fingerprint}"
