"""Actions on what lies around at a Docker host: look at what can go, and let it go."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv

from .client.models import PruneBody, PruneKind, PruneQuery
from .coordinator import HomelabConfigEntry
from .services_answers import (
    ATTR_WAIT,
    WAIT_FIELD,
    as_answer,
    asked_of,
    done,
    each_host,
    one_host,
    register,
)

ATTR_HASH: Final = "hash"
ATTR_KINDS: Final = "kinds"

_NAMES = [kind.value for kind in PruneKind if kind is not PruneKind.UNKNOWN]
_USUAL = ["containers", "images", "networks", "build_cache"]
"""All that holds no data."""
_KINDS: Any = {
    vol.Optional(ATTR_KINDS, default=_USUAL): vol.All(
        cv.ensure_list, vol.Length(min=1), [vol.In(_NAMES)]
    )
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register(hass, "prune_preview", _prune_preview, _KINDS, response=SupportsResponse.ONLY)
    register(hass, "prune", _prune, {**_KINDS, **WAIT_FIELD, vol.Required(ATTR_HASH): cv.string})


async def _prune_preview(call: ServiceCall) -> ServiceResponse:
    query = PruneQuery(kinds=",".join(call.data[ATTR_KINDS]))

    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        preview = coordinator.client.objects.preview_prune(query)
        return {"host": entry.title, **as_answer(await asked_of(coordinator, preview))}

    return await each_host(call, read)


async def _prune(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    kinds = tuple(PruneKind(name) for name in call.data[ATTR_KINDS])
    body = PruneBody(kinds=kinds, hash=call.data[ATTR_HASH], wait_s=0)
    command = coordinator.client.objects.prune(body)
    return {"host": entry.title, **await done(coordinator, command, wait=call.data[ATTR_WAIT])}
