"""Actions on the certificates that the agent keeps valid."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .client.kinds import MANAGED_CERTIFICATE
from .client.models import (
    AfterRenewal,
    HandOver,
    IssueBody,
    KeyType,
    ManagedCertificate,
    RenewBody,
    RevocationReason,
    RevokeBody,
)
from .const import DOMAIN
from .coordinator import HomelabConfigEntry
from .services_answers import (
    ATTR_WAIT,
    WAIT_FIELD,
    as_answer,
    asked_of,
    done,
    each_host,
    hosts,
    one_host,
    register,
    register_reading,
)
from .services_domains_targets import ATTR_CERTIFICATE, NAME
from .services_targets import one_container

ATTR_AFTER: Final = "after"
ATTR_CADDY: Final = "caddy"
ATTR_FOLDER: Final = "folder"
ATTR_KEY_TYPE: Final = "key_type"
ATTR_NAMES: Final = "names"
ATTR_REASON: Final = "reason"

_KEY_TYPES: Final = [one.value for one in KeyType if one is not KeyType.UNKNOWN]
_REASONS: Final = [one.value for one in RevocationReason if one is not RevocationReason.UNKNOWN]
_AFTER: Final = [one.value for one in AfterRenewal if one is not AfterRenewal.UNKNOWN]
_WHICH: Any = {vol.Required(ATTR_CERTIFICATE): NAME, **WAIT_FIELD}
_ISSUE: Any = {
    **WAIT_FIELD,
    vol.Required(ATTR_NAMES): vol.All(cv.ensure_list, vol.Length(min=1), [NAME]),
    vol.Optional(ATTR_KEY_TYPE, default=KeyType.EC_P256.value): vol.All(
        vol.In(_KEY_TYPES), vol.Coerce(KeyType)
    ),
    vol.Optional(ATTR_CADDY, default=False): cv.boolean,
    vol.Optional(ATTR_FOLDER): cv.string,
    vol.Optional(ATTR_AFTER): vol.All(vol.In(_AFTER), vol.Coerce(AfterRenewal)),
}
_REVOKE: Any = {
    **_WHICH,
    vol.Optional(ATTR_REASON, default=RevocationReason.UNSPECIFIED.value): vol.All(
        vol.In(_REASONS), vol.Coerce(RevocationReason)
    ),
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register_reading(hass, "list_managed_certificates", _list, {})
    register(hass, "issue_certificate", _issue, _ISSUE)
    register(hass, "renew_certificate", _renew, _WHICH)
    register(hass, "revoke_certificate", _revoke, _REVOKE)


async def _list(call: ServiceCall) -> ServiceResponse:
    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        found = await asked_of(coordinator, coordinator.client.renewal.list())
        return {"host": entry.title, "certificates": [as_answer(one) for one in found]}

    return await each_host(call, read)


async def _issue(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    hand_over = HandOver(
        caddy=call.data[ATTR_CADDY],
        folder=call.data.get(ATTR_FOLDER),
        container=one_container(call),
        after=call.data.get(ATTR_AFTER),
    )
    body = IssueBody(
        names=tuple(call.data[ATTR_NAMES]),
        key_type=call.data[ATTR_KEY_TYPE],
        hand_over=hand_over,
        wait_s=0,
    )
    command = coordinator.client.renewal.issue(body)
    ended = await done(coordinator, command, wait=call.data[ATTR_WAIT])
    return {"host": entry.title, "names": list(body.names), **ended}


async def _renew(call: ServiceCall) -> ServiceResponse:
    entry, certificate = _known(call)
    coordinator = entry.runtime_data
    command = coordinator.client.renewal.renew(certificate.key, RenewBody(wait_s=0))
    ended = await done(coordinator, command, wait=call.data[ATTR_WAIT])
    return {"host": entry.title, "certificate": certificate.key, **ended}


async def _revoke(call: ServiceCall) -> ServiceResponse:
    entry, certificate = _known(call)
    coordinator = entry.runtime_data
    body = RevokeBody(reason=call.data[ATTR_REASON], wait_s=0)
    command = coordinator.client.renewal.revoke(certificate.key, body)
    ended = await done(coordinator, command, wait=call.data[ATTR_WAIT])
    return {"host": entry.title, "certificate": certificate.key, **ended}


def _known(call: ServiceCall) -> tuple[HomelabConfigEntry, ManagedCertificate]:
    """Return the certificate that is meant by its key, or by the first of its names."""
    text: str = call.data[ATTR_CERTIFICATE].casefold().rstrip(".")
    found = [
        (entry, certificate)
        for entry in hosts(call)
        for certificate in entry.runtime_data.mirror.every(MANAGED_CERTIFICATE)
        if text == certificate.key or text == next(iter(certificate.names), None)
    ]
    if len(found) != 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_such_managed_certificate",
            translation_placeholders={"certificate": call.data[ATTR_CERTIFICATE]},
        )
    return found[0]
