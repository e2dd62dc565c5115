"""What `homelab-agent health` does: one request to a running agent."""

from pydantic import ValidationError

from homelab_agent.api.other_routes import BASE_PATH
from homelab_agent.areas.agent.models import Health
from homelab_agent.local_agent import ask, find_agent
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.settings import Settings


def ask_health(settings: Settings, url: str | None) -> str:
    """Return the answer of the agent at `url`, or of this machine's, as one line.

    Raises:
        Unavailable: nobody answered as an agent does.
    """
    place = find_agent(settings, url)
    path = f"{BASE_PATH}/health"
    try:
        health = Health.model_validate_json(ask(place, path))
    except ValidationError as error:
        raise Unavailable(f"{place.base}{path} does not answer as an agent does") from error
    fingerprint = f" fingerprint={place.fingerprint}" if place.fingerprint else ""
    return (
        f"{health.status} {url or place.base} version={health.version} "
        f"instance_id={health.instance_id}{fingerprint}"
    )
