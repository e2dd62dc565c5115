"""Actions on the certificates that the agent keeps valid."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv

from .client import CommandResult
from .client.api_renewal import RenewalApi
from .client.kinds import MANAGED_CERTIFICATE
from .client.models import (
    AfterRenewal,
    CertificateDeleteQuery,
    HandOver,
    IssueBody,
    KeyType,
    RenewBody,
    RevocationReason,
    RevokeBody,
)
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
    register_reading,
)
from .services_domains_targets import ATTR_CERTIFICATE, NAME, one_of
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
_WHICH: Any = {vol.Optional(ATTR_CERTIFICATE): NAME, **WAIT_FIELD}
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
    register(hass, "remove_certificate", _remove, _WHICH)


async def _list(call: ServiceCall) -> ServiceResponse:
    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        found = await asked_of(coordinator, coordinator.client.renewal.list())
        account = await asked_of(coordinator, coordinator.client.renewal.account())
        certificates = [as_answer(one) for one in found]
        return {
            "host": entry.title,
            "certificates": certificates,
            "account": as_answer(account),
        }

    return await each_host(call, read)


async def _issue(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    hand_over = HandOver(
        caddy=call.data[ATTR_CADDY],
        folder=call.data.get(ATTR_FOLDER),
        container=one_container(call, coordinator),
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
    return await _told(call, lambda renewal, key: renewal.renew(key, RenewBody(wait_s=0)))


async def _revoke(call: ServiceCall) -> ServiceResponse:
    body = RevokeBody(reason=call.data[ATTR_REASON], wait_s=0)
    return await _told(call, lambda renewal, key: renewal.revoke(key, body))


async def _remove(call: ServiceCall) -> ServiceResponse:
    query = CertificateDeleteQuery(wait_s=0)
    return await _told(call, lambda renewal, key: renewal.forget(key, query))


async def _told(
    call: ServiceCall, tell: Callable[[RenewalApi, str], Awaitable[CommandResult]]
) -> ServiceResponse:
    """Tell the agent of the certificate that is meant by its device, a name of it or its key."""
    entry, certificate = one_of(
        call,
        MANAGED_CERTIFICATE,
        call.data.get(ATTR_CERTIFICATE),
        lambda certificate: (certificate.key, *certificate.names),
        "no_such_managed_certificate",
    )
    coordinator = entry.runtime_data
    command = tell(coordinator.client.renewal, certificate.key)
    ended = await done(coordinator, command, wait=call.data[ATTR_WAIT])
    return {"host": entry.title, "certificate": certificate.key, **ended}
