"""An authority may answer nonsense, and a disk may keep nonsense: the agent lives on."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from homelab_agent.areas.renewal import key_tools
from homelab_agent.areas.renewal.acme_authority import ASK_AGAIN_S, AcmeAuthority
from homelab_agent.areas.renewal.acme_client import AcmeClient, retry_seconds
from homelab_agent.areas.renewal.authority import Account, AuthorityAway
from homelab_agent.areas.renewal.courier import Answer
from homelab_agent.areas.renewal.models import KeyType
from homelab_agent.areas.renewal.timing import LONGEST_WAIT_S, retry_after
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.errors import Failed
from homelab_agent.platform.outbound.connections import open_outbound
from homelab_agent.platform.outbound.http import OutboundHttp
from homelab_agent.platform.outbound.tls_contexts import TlsContexts
from homelab_agent.platform.settings import Settings
from tests.unit.agent.areas.renewal.test_renewal_failures import signed_with_key_id

WINDOW = {"start": "2026-12-01T00:00:00Z", "end": "2026-12-03T00:00:00Z"}


class Says:
    """A small authority, of which only renewal information can be had."""

    def __init__(self) -> None:
        self.directory = ""
        self.window: dict[str, object] = {"suggestedWindow": WINDOW}
        self.headers: dict[str, str] = {}

    async def answer(self, request: web.Request) -> web.Response:
        """Answer."""
        if request.path == "/dir":
            base = self.directory.removesuffix("dir")
            return web.json_response({"newOrder": f"{base}order", "renewalInfo": f"{base}info"})
        return web.json_response(self.window, headers=self.headers)


@pytest.fixture
async def says() -> AsyncIterator[Says]:
    application, says = web.Application(), Says()
    application.router.add_get("/{path:.*}", says.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    says.directory = f"http://127.0.0.1:{runner.addresses[0][1]}/dir"
    yield says
    await runner.cleanup()


@pytest.fixture
async def authority() -> AsyncIterator[AcmeAuthority]:
    http = OutboundHttp(open_outbound(Settings()))
    yield AcmeAuthority(http, TlsContexts(), utc_now)
    await http.close()


@pytest.mark.parametrize(
    "window",
    [
        {"start": "2026-12-01T00:00:00", "end": "2026-12-03T00:00:00"},
        {"start": "soon", "end": "later"},
        {},
        None,
    ],
)
async def test_a_window_that_is_none_is_told_as_the_authoritys_trouble(
    says: Says, authority: AcmeAuthority, window: object
) -> None:
    says.window = {"suggestedWindow": window}
    with pytest.raises(AuthorityAway, match="no renewal information"):
        await authority.renewal_info(says.directory, None, signed_with_key_id(7)[0])


@pytest.mark.parametrize("header", ["²", "soon", "-1", "1e9", ""])
async def test_a_wait_that_is_no_number_is_a_usual_one(
    says: Says, authority: AcmeAuthority, header: str
) -> None:
    says.headers = {"Retry-After": header}
    found = await authority.renewal_info(says.directory, None, signed_with_key_id(7)[0])
    assert found is not None
    assert found.ask_again_s == ASK_AGAIN_S


async def test_a_damaged_certificate_is_not_asked_about(
    says: Says, authority: AcmeAuthority
) -> None:
    pem = signed_with_key_id(7)[0]
    assert await authority.renewal_info(says.directory, None, pem[: len(pem) // 2]) is None


def test_a_damaged_certificate_that_is_to_be_revoked_is_told_as_one() -> None:
    def send(*_question: object) -> Answer:
        raise AssertionError("nobody is to be asked")

    key_pem = key_tools.new_key(KeyType.EC_P256)
    account = Account(directory="https://authority.example/dir", key_pem=key_pem)
    pem = signed_with_key_id(7)[0]
    with pytest.raises(Failed, match="damaged"):
        AcmeClient(send, account, {}).revoke(pem[: len(pem) // 2], 0)


@pytest.mark.parametrize("header", ["²", "soon", "Tue, 99 Nov 2026", "-5"])
def test_a_refusal_that_names_no_time_is_still_told_as_one(header: str) -> None:
    assert retry_seconds(header) is None


@pytest.mark.parametrize("header", ["9" * 400, "99999999999"])
def test_nobody_waits_for_ever_because_an_authority_says_so(header: str) -> None:
    wanted_s = retry_seconds(header)
    assert wanted_s is not None
    assert retry_after(1, wanted_s=wanted_s, time_left=None).total_seconds() == LONGEST_WAIT_S
