"""What `homelab-agent health` does: one request to a running agent."""

import ssl
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

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
    scheme = urlsplit(base).scheme
    if scheme not in {"http", "https"}:
        raise Invalid(f"{base} is no address", field="url", hint="Give http://HOST:PORT")
    certificate = _certificate(settings)
    context = _trusting(certificate) if scheme == "https" and url is None else None
    health = _ask(f"{base.rstrip('/')}{BASE_PATH}/health", context)
    fingerprint = f" fingerprint={fingerprint_of(certificate)}" if context and certificate else ""
    return (
        f"{health.status} {base} version={health.version} "
        f"instance_id={health.instance_id}{fingerprint}"
    )


def _ask(url: str, context: ssl.SSLContext | None) -> Health:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S, context=context) as answer:  # noqa: S310  # the scheme was checked
            return Health.model_validate_json(answer.read(65536))
    except urllib.error.HTTPError as error:
        raise Unavailable(f"{url} answered with status {error.code}") from error
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise Unavailable(f"{url} does not answer as an agent does: {reason}") from error


def _certificate(settings: Settings) -> Path | None:
    match settings.tls:
        case "self_signed":
            return settings.data_dir / SELF_SIGNED_FILE
        case "files":
            return settings.tls_certificate
        case _:
            return None


def _trusting(certificate: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the agent's own certificate, whatever name it is reached by."""
    context = ssl.create_default_context()
    if certificate is not None:
        context.load_verify_locations(certificate)
        context.check_hostname = False
    return context
