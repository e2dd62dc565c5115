"""A page: its status, and what is to be read on it."""

import json
import socket
from dataclasses import replace

from pydantic import JsonValue
from yarl import URL

from homelab_agent.areas.monitors.check_settings import CheckType, HttpCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.failures import down
from homelab_agent.areas.monitors.checks.json_pointer import NothingThere, same, value_at
from homelab_agent.areas.monitors.checks.shown_texts import Texts
from homelab_agent.areas.monitors.checks.shown_url import shown_url
from homelab_agent.areas.monitors.checks.web import (
    FEW_BODY_BYTES,
    MOST_BODY_BYTES,
    Page,
    Question,
    Web,
)
from homelab_agent.platform.outbound.http import HttpRequest

_MEGABYTES = MOST_BODY_BYTES // 1024**2
_FAMILIES = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


class HttpCheck:
    """Asks for a page. The response time is until the headers of the last answer are there."""

    type = CheckType.HTTP

    def __init__(self, web: Web) -> None:
        self._web = web

    async def run(
        self, settings: HttpCheckSettings, timeout_s: float, *, allow_guarded: bool
    ) -> CheckOutcome:
        """See `Check.run`."""
        headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
        found = await self._web.ask(
            Question(
                request=HttpRequest(
                    url=URL(settings.url).with_fragment(None),
                    method=settings.method,
                    headers=headers,
                    body=None if settings.body is None else settings.body.encode(),
                    family=_FAMILIES[settings.address_family],
                ),
                verify_tls=settings.verify_tls,
                follow_redirects=settings.follow_redirects,
                most_bytes=MOST_BODY_BYTES if _looks_inside(settings) else FEW_BODY_BYTES,
            ),
            timeout_s,
            allow_guarded=allow_guarded,
        )
        texts = Texts(headers.values())
        return _judge(found, settings, texts) if isinstance(found, Page) else found

    def target(self, settings: HttpCheckSettings) -> str:
        """Return the address without what is asked of it: keys may be in there."""
        return shown_url(settings.url)


def _looks_inside(settings: HttpCheckSettings) -> bool:
    wanted = (settings.contains, settings.not_contains, settings.json_path)
    return any(each is not None for each in wanted)


def _judge(page: Page, settings: HttpCheckSettings, texts: Texts) -> CheckOutcome:
    wrong = _wrong_status(page, settings) or _wrong_text(page, settings)
    if wrong is None and settings.json_path is not None:
        wrong = _wrong_json(page, settings.json_path, settings.json_value, texts)
    return replace(
        wrong or CheckOutcome(ok=True),
        response_ms=page.response_ms,
        status=page.status,
        certificate_days_left=page.certificate_days_left,
    )


def _wrong_status(page: Page, settings: HttpCheckSettings) -> CheckOutcome | None:
    for expected in settings.status:
        first, _, last = expected.partition("-")
        if int(first) <= page.status <= int(last or first):
            return None
    wanted = " or ".join(settings.status)
    return down(CheckCode.WRONG_STATUS, f"{page.place} answered {page.status}, and not {wanted}.")


def _wrong_text(page: Page, settings: HttpCheckSettings) -> CheckOutcome | None:
    if settings.contains is not None and not _holds(page, settings.contains):
        wanted = f'"{settings.contains}"'
        if not page.whole:
            return down(
                CheckCode.TOO_LARGE,
                f"{page.place} answered more than {_MEGABYTES} MB; {wanted} is not in what was "
                "read of it.",
            )
        return down(CheckCode.WRONG_BODY, f"{page.place} answered without {wanted}.")
    if settings.not_contains is not None and _holds(page, settings.not_contains):
        return down(CheckCode.WRONG_BODY, f'{page.place} answered with "{settings.not_contains}".')
    return None


def _holds(page: Page, text: str) -> bool:
    try:
        return text.encode(page.charset) in page.body
    except LookupError, ValueError:  # a charset that nobody knows, or that lacks a letter
        return text.encode() in page.body


def _wrong_json(page: Page, path: str, wanted: JsonValue, texts: Texts) -> CheckOutcome | None:
    if not page.whole:
        return down(
            CheckCode.TOO_LARGE,
            f"{page.place} answered more than {_MEGABYTES} MB, too much to read as JSON.",
        )
    try:
        found = value_at(json.loads(page.body), path)
    except ValueError, RecursionError:
        return down(CheckCode.BAD_ANSWER, f"{page.place} did not answer in JSON.")
    except NothingThere as error:
        return down(
            CheckCode.WRONG_VALUE,
            f'{page.place} answered JSON with nothing at "{path}"; the way ends at '
            f'"{error.reached}".',
        )
    if wanted is None or same(found, wanted):
        return None
    return down(
        CheckCode.WRONG_VALUE,
        f'{page.place} answered {texts.shown(_in_json(found))} at "{path}", and not '
        f"{texts.shown(_in_json(wanted))}.",
    )


def _in_json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)
