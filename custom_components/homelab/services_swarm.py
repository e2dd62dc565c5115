"""Actions on the services of a swarm."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError

from .client.kinds import SWARM_SERVICE
from .client.models import ScaleBody
from .const import DOMAIN
from .services_answers import ATTR_WAIT, WAIT_FIELD, done, gathered, label_of, register, targets
from .targets import Target

ATTR_REPLICAS: Final = "replicas"

_SCALE: Any = {
    **WAIT_FIELD,
    vol.Required(ATTR_REPLICAS): vol.All(vol.Coerce(int), vol.Range(0, 1000)),
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register(hass, "scale", _scale, _SCALE)


async def _scale(call: ServiceCall) -> ServiceResponse:
    body = ScaleBody(replicas=call.data[ATTR_REPLICAS], wait_s=0)

    async def run(target: Target, name: str) -> dict[str, Any]:
        command = target.coordinator.client.swarm.scale(name, body)
        ended = await done(target.coordinator, command, wait=call.data[ATTR_WAIT])
        return {**label_of(target), **ended}

    asked = [
        (target.name, run(target, target.subject.key))
        for target in targets(call)
        if target.subject is not None and target.kind == SWARM_SERVICE.name
    ]
    if not asked:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_swarm_service_targeted"
        )
    return {"services": await gathered(asked)}
