"""Whatever answers where a provider's API should be: bounded, told apart, and no secret goes on."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from homelab_agent.areas.dns.providers.all_providers import Reach
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    ProviderAway,
    ProviderBusy,
)
from homelab_agent.areas.dns.providers.web_api import USUAL_WAIT_S, Said, WebApi
from homelab_agent.platform.errors import Invalid
from tests.fakes.dns_providers.server import Fault, ProviderServer, running
from tests.fakes.services.faults import drips, floods
from tests.fakes.services.server import serving

HEADERS = {"Authorization": "Bearer correct-horse"}
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


class Echo(ProviderServer):
    """Answers with what it was shown."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/{rest:.*}", self._answer)]

    async def _answer(self, request: web.Request) -> web.Response:
        return web.json_response({"shown": request.headers.get("Authorization")})


@pytest.fixture
async def server() -> AsyncIterator[Echo]:
    async with running(Echo()) as server:
        yield server


def api(url: str, reach: Reach, *, deadline_s: float = 20) -> WebApi:
    return WebApi(url, reach, headers=HEADERS, deadline_s=deadline_s)


async def test_a_redirect_is_not_followed_so_no_key_goes_to_somebody_else(
    server: Echo, reach: Reach
) -> None:
    async with running(Echo()) as other:
        server.fail(Fault(status=302, headers={"Location": other.url}))
        with pytest.raises(ProviderAway, match="elsewhere"):
            await api(server.url, reach).ask("GET", "/zones", changes=False)
        assert not other.count()


@pytest.mark.parametrize("talk", [drips(BEGUN), floods(BEGUN)])
async def test_an_answer_without_end_ends_here(reach: Reach, talk: object) -> None:
    async with serving(talk) as endless:  # type: ignore[arg-type]
        with pytest.raises(ProviderAway):
            async with asyncio.timeout(10):
                await api(endless.url, reach, deadline_s=0.5).ask("GET", "/zones", changes=False)


async def test_where_the_agent_must_not_go_no_provider_leads_it(reach: Reach) -> None:
    with pytest.raises(ProviderAway, match="does not connect"):
        await api("http://169.254.169.254/latest", reach).ask("GET", "/zones", changes=True)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "-3"}, 1.0),
        ({"Retry-After": "9999999"}, 86_400.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, USUAL_WAIT_S),
        ({"Retry-After": "nan"}, USUAL_WAIT_S),
        ({"Retry-After": "Infinity"}, USUAL_WAIT_S),
        ({}, USUAL_WAIT_S),
    ],
)
async def test_too_many_requests_say_how_long_to_wait(
    server: Echo, reach: Reach, headers: dict[str, str], wait_s: float
) -> None:
    server.fail(Fault(status=429, headers=headers, body="<h1>slow\x00 down</h1>\n"))
    with pytest.raises(ProviderBusy, match="slow down") as caught:
        await api(server.url, reach).ask("GET", "/zones", changes=True)
    assert caught.value.retry_after_s == wait_s
    assert "\x00" not in caught.value.message


@pytest.mark.parametrize("changes", [True, False])
async def test_a_server_in_trouble_may_have_done_what_it_was_told_to(
    server: Echo, reach: Reach, *, changes: bool
) -> None:
    server.fail(Fault(status=502))
    with pytest.raises(ApplyUncertain if changes else ProviderAway) as caught:
        await api(server.url, reach).ask("GET", "/zones", changes=changes)
    assert "correct-horse" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://no-such-host.invalid"])
async def test_nobody_there_means_that_nothing_was_changed(reach: Reach, url: str) -> None:
    with pytest.raises(ProviderAway):
        await api(url, reach).ask("POST", "/zones", changes=True, body={})


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "http://dns.lan:99999",
        "http://:80",
        "http://dns.lan:8x",
        "http://dns.lan?k=v",
    ],
)
async def test_what_is_no_address_is_told_with_its_field_and_not_repeated(
    reach: Reach, url: str
) -> None:
    with pytest.raises(Invalid, match="no address") as caught:
        api(url, reach)
    assert caught.value.field == "settings.url"
    assert url not in caught.value.message


@pytest.mark.parametrize("body", ["[" * 300_000, '[{"name": "\\ud800"}]', "null", ""])
async def test_a_list_that_is_none_is_told_as_an_answer_of_somebody_else(
    server: Echo, reach: Reach, body: str
) -> None:
    server.fail(Fault(status=200, body=body))
    answer = await api(server.url, reach).ask("GET", "/zones", changes=False)
    with pytest.raises(ProviderAway, match="something else"):
        answer.read_all(Said)
