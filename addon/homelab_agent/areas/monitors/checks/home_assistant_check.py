"""Home Assistant: it serves its pages, and with a token also whether it is running."""

from dataclasses import replace

from yarl import URL

from homelab_agent.areas.monitors.check_settings import CheckType, HomeAssistantCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.failures import down
from homelab_agent.areas.monitors.checks.json_pages import JsonObject, json_object
from homelab_agent.areas.monitors.checks.shown_texts import Texts
from homelab_agent.areas.monitors.checks.shown_url import shown_url
from homelab_agent.areas.monitors.checks.web import Page, Question, Web
from homelab_agent.areas.monitors.models import MonitorDetail
from homelab_agent.platform.outbound.http import HttpRequest

_WHAT = "Home Assistant"
_PAGE, _API = "manifest.json", "api/config"
_RUNNING = "RUNNING"


class HomeAssistantCheck:
    """Asks once. The response time is that of the answer."""

    type = CheckType.HOME_ASSISTANT

    def __init__(self, web: Web) -> None:
        self._web = web

    async def run(
        self, settings: HomeAssistantCheckSettings, timeout_s: float, *, allow_guarded: bool
    ) -> CheckOutcome:
        """See `Check.run`."""
        token = settings.token.get_secret_value() if settings.token else None
        page = await self._web.ask(
            Question(
                request=HttpRequest(
                    url=URL(settings.url).origin().joinpath(_API if token else _PAGE),
                    headers={"Authorization": f"Bearer {token}"} if token else {},
                ),
                verify_tls=settings.verify_tls,
            ),
            timeout_s,
            allow_guarded=allow_guarded,
        )
        if not isinstance(page, Page):
            return page
        found = json_object(page, _WHAT)
        if isinstance(found, dict):
            texts = Texts([token] if token else [])
            found = _state(page, found, texts) if token else _served(page, found)
        return replace(
            found,
            response_ms=page.response_ms,
            status=page.status,
            certificate_days_left=page.certificate_days_left,
        )

    def target(self, settings: HomeAssistantCheckSettings) -> str:
        """Return the address."""
        return shown_url(settings.url)


def _served(page: Page, manifest: JsonObject) -> CheckOutcome:
    if "start_url" not in manifest:
        return down(CheckCode.BAD_ANSWER, f"{page.place} did not answer like {_WHAT}.")
    return CheckOutcome(ok=True)


def _state(page: Page, config: JsonObject, texts: Texts) -> CheckOutcome:
    state, version = config.get("state"), config.get("version")
    if not isinstance(state, str) or not isinstance(version, str):
        return down(CheckCode.BAD_ANSWER, f"{page.place} did not answer like {_WHAT}.")
    details = (MonitorDetail(name="version", value=texts.shown(version)),)
    if state != _RUNNING:
        reason = f"Home Assistant at {page.place} answers, but its state is {texts.shown(state)}."
        return replace(down(CheckCode.NOT_READY, reason), details=details)
    for mode, name in (("recovery_mode", "recovery mode"), ("safe_mode", "safe mode")):
        if config.get(mode) is True:
            warning = f"Home Assistant at {page.place} runs in {name}."
            return CheckOutcome(ok=True, warning=warning, details=details)
    return CheckOutcome(ok=True, details=details)
