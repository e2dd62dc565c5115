"""A Sunshine (GameStream) server: whether it is there, and whether somebody plays."""

from http import HTTPStatus

from yarl import URL

from homelab_agent.areas.monitors.check_settings import CheckType, SunshineCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.failures import down
from homelab_agent.areas.monitors.checks.flat_xml import FlatXml, NotFlatXml, read_flat_xml
from homelab_agent.areas.monitors.checks.shown_texts import Texts
from homelab_agent.areas.monitors.checks.web import FEW_BODY_BYTES, Page, Question, Web
from homelab_agent.areas.monitors.models import MonitorDetail
from homelab_agent.platform.outbound.connections import where
from homelab_agent.platform.outbound.http import HttpRequest

_NO_GAME = "0"
_TEXTS = Texts()
_STATES = {"_SERVER_FREE": "free", "_SERVER_BUSY": "busy"}
"""By how they end: Sunshine and NVIDIA's own server begin differently."""


class SunshineCheck:
    """Asks for what it tells everybody. The response time is that of the answer."""

    type = CheckType.SUNSHINE

    def __init__(self, web: Web) -> None:
        self._web = web

    async def run(
        self, settings: SunshineCheckSettings, timeout_s: float, *, allow_guarded: bool
    ) -> CheckOutcome:
        """See `Check.run`."""
        url = _url(settings)
        if url is None:
            return down(CheckCode.BAD_ADDRESS, f"{settings.host} is no name of a host.")
        page = await self._web.ask(
            Question(
                request=HttpRequest(url=url), follow_redirects=False, most_bytes=FEW_BODY_BYTES
            ),
            timeout_s,
            allow_guarded=allow_guarded,
        )
        return _judge(page) if isinstance(page, Page) else page

    def target(self, settings: SunshineCheckSettings) -> str:
        """Return host and port."""
        return where(settings.host, settings.port)


def _url(settings: SunshineCheckSettings) -> URL | None:
    try:
        return URL.build(scheme="http", host=settings.host, port=settings.port, path="/serverinfo")
    except ValueError:
        return None


def _judge(page: Page) -> CheckOutcome:
    try:
        found = read_flat_xml(page.body)
    except NotFlatXml:
        return down(CheckCode.BAD_ANSWER, f"{page.place} did not answer like Sunshine.")
    said = found.attributes.get("status_code", str(page.status))
    if page.status != HTTPStatus.OK or said != str(HTTPStatus.OK.value):
        return down(
            CheckCode.WRONG_STATUS, f"{page.place} answered with the status {_TEXTS.shown(said)}."
        )
    return _told(page, found)


def _told(page: Page, found: FlatXml) -> CheckOutcome:
    ending = "_SERVER" + found.texts.get("state", "").rpartition("_SERVER")[2]
    if ending not in _STATES:
        return down(CheckCode.BAD_ANSWER, f"{page.place} did not tell a state, unlike Sunshine.")
    told = (("name", "hostname"), ("version", "appversion"), ("application", "currentgame"))
    return CheckOutcome(
        ok=True,
        response_ms=page.response_ms,
        status=page.status,
        details=(
            MonitorDetail(name="state", value=_STATES[ending]),
            *(
                MonitorDetail(name=name, value=_TEXTS.shown(found.texts[key]))
                for name, key in told
                if found.texts.get(key, _NO_GAME) != _NO_GAME
            ),
        ),
    )
