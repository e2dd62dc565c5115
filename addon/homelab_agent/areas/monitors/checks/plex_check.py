"""A Plex media server: who it is, and with a token what is played."""

import asyncio
from dataclasses import replace

from yarl import URL

from homelab_agent.areas.monitors.check_settings import CheckType, PlexCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.failures import down
from homelab_agent.areas.monitors.checks.json_pages import JsonObject, json_object
from homelab_agent.areas.monitors.checks.shown_texts import Texts
from homelab_agent.areas.monitors.checks.shown_url import shown_url
from homelab_agent.areas.monitors.checks.web import Page, Question, Web
from homelab_agent.areas.monitors.models import MonitorDetail
from homelab_agent.platform.outbound.http import HttpRequest

_WHAT = "a Plex media server"


class PlexCheck:
    """Asks for the identity, which needs no token. The response time is that of this answer."""

    type = CheckType.PLEX

    def __init__(self, web: Web) -> None:
        self._web = web

    async def run(
        self, settings: PlexCheckSettings, timeout_s: float, *, allow_guarded: bool
    ) -> CheckOutcome:
        """See `Check.run`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        page = await self._web.ask(
            _question(settings, "identity"), timeout_s, allow_guarded=allow_guarded
        )
        outcome = _identity(page) if isinstance(page, Page) else page
        if settings.token is None or not outcome.ok:
            return outcome
        token = settings.token.get_secret_value()
        left_s = max(until - loop.time(), 0.0)
        sessions = await self._web.ask(
            _question(settings, "status/sessions", {"X-Plex-Token": token}),
            left_s,
            allow_guarded=allow_guarded,
        )
        return _with_sessions(outcome, sessions)

    def target(self, settings: PlexCheckSettings) -> str:
        """Return the address."""
        return shown_url(settings.url)


def _question(
    settings: PlexCheckSettings, path: str, headers: dict[str, str] | None = None
) -> Question:
    return Question(
        request=HttpRequest(
            url=URL(settings.url).with_query(None).with_fragment(None).joinpath(path),
            headers={"Accept": "application/json", **(headers or {})},
        ),
        verify_tls=settings.verify_tls,
    )


def _container(page: Page) -> JsonObject | CheckOutcome:
    found = json_object(page, _WHAT)
    if isinstance(found, CheckOutcome):
        return found
    container = found.get("MediaContainer")
    if not isinstance(container, dict):
        return down(CheckCode.BAD_ANSWER, f"{page.place} did not answer like {_WHAT}.")
    return container


def _identity(page: Page) -> CheckOutcome:
    container = _container(page)
    if isinstance(container, CheckOutcome):
        return replace(container, status=page.status)
    details = tuple(
        MonitorDetail(name=name, value=Texts().shown(value))
        for name, key in (("version", "version"), ("machine", "machineIdentifier"))
        if isinstance(value := container.get(key), str)
    )
    if not details:
        return down(CheckCode.BAD_ANSWER, f"{page.place} did not answer like {_WHAT}.")
    return CheckOutcome(
        ok=True,
        response_ms=page.response_ms,
        status=page.status,
        certificate_days_left=page.certificate_days_left,
        details=details,
    )


def _with_sessions(outcome: CheckOutcome, found: Page | CheckOutcome) -> CheckOutcome:
    """Add how much is played. A server that does not tell is up all the same."""
    container = _container(found) if isinstance(found, Page) else found
    if isinstance(container, CheckOutcome):
        return replace(outcome, warning=f"Its sessions are not known: {container.reason}")
    size = container.get("size")
    if not isinstance(size, int):
        return replace(outcome, warning="Its sessions are not known: it does not tell how many.")
    return replace(outcome, details=(*outcome.details, MonitorDetail(name="sessions", value=size)))
