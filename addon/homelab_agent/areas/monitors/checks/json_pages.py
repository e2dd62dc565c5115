"""Answers that are a JSON object."""

import json
from http import HTTPStatus

from pydantic import JsonValue

from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.failures import down
from homelab_agent.areas.monitors.checks.web import Page

type JsonObject = dict[str, JsonValue]

_NOT_LET_IN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def json_object(page: Page, what: str) -> JsonObject | CheckOutcome:
    """Return the object that a page holds, or what is wrong. `what` as in "a Plex server"."""
    if page.status in _NOT_LET_IN:
        return down(
            CheckCode.LOGIN_FAILED, f"{page.place} does not accept the token ({page.status})."
        )
    if page.status != HTTPStatus.OK:
        return down(CheckCode.WRONG_STATUS, f"{page.place} answered {page.status}, unlike {what}.")
    try:
        found = json.loads(page.body)
    except ValueError, RecursionError:
        found = None
    if not isinstance(found, dict):
        return down(CheckCode.BAD_ANSWER, f"{page.place} did not answer like {what}.")
    return found
