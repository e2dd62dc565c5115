"""Setting up in the user interface: each error can be corrected, nothing leads to a dead end."""

import asyncio
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import pytest_socket
from homeassistant.config_entries import (
    SOURCE_HASSIO,
    SOURCE_IGNORE,
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homelab.const import DOMAIN
from tests.fakes import wire
from tests.fakes.agent_server import Answer, FakeAgent
from tests.fakes.certificates import make_certificate
from tests.integration.home import entry_data, until

ID = "5f1a2b3c"


async def begin(hass: HomeAssistant, source: str = SOURCE_USER, data: Any = None) -> Any:
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": source}, data=data)


async def submit(hass: HomeAssistant, flow: ConfigFlowResult, data: dict[str, Any]) -> Any:
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], data)
    await hass.async_block_till_done()
    return result


def by_hand(agent: FakeAgent, **changes: Any) -> dict[str, Any]:
    """Return what a person types."""
    typed = entry_data(agent, **changes)
    return {key: value for key, value in typed.items() if value is not None}


def announcement(agent: FakeAgent, **changes: Any) -> ZeroconfServiceInfo:
    """Return what an agent announces on the network."""
    address = ip_address(changes.pop("host", "127.0.0.1"))
    properties = {"instance_id": ID, "version": "0.1.0", "tls": "0", "name": "atlas", **changes}
    return ZeroconfServiceInfo(
        ip_address=address,
        ip_addresses=[address],
        port=agent.port,
        hostname="atlas.local.",
        type="_homelab-agent._tcp.local.",
        name="atlas._homelab-agent._tcp.local.",
        properties=properties,
    )


def app(agent: FakeAgent, **changes: Any) -> HassioServiceInfo:
    """Return what the Supervisor hands over."""
    config = {
        "host": "127.0.0.1",
        "port": agent.port,
        "token": agent.token,
        "instance_id": ID,
        "addon": "Homelab Agent",
    }
    config |= changes
    return HassioServiceInfo(config=config, name="Homelab Agent", slug="homelab", uuid="u1")


async def unload(hass: HomeAssistant) -> None:
    """Unload every entry, so that no stream outlives the test."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.state is ConfigEntryState.LOADED:
            await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


@pytest.fixture
async def loaded(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """An entry that is set up and connected."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    return entry


async def test_an_agent_is_added_by_hand(hass: HomeAssistant, agent: FakeAgent) -> None:
    form = await begin(hass)
    assert (form["type"], form["step_id"], form["errors"]) == (FlowResultType.FORM, "user", {})
    done = await submit(hass, form, by_hand(agent, token=f" {agent.token}\n"))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["title"] == "atlas"
    assert done["data"] == entry_data(agent)
    assert done["result"].unique_id == ID
    assert done["result"].state is ConfigEntryState.LOADED
    await unload(hass)


@pytest.mark.parametrize(
    ("script", "field", "error"),
    [
        ({"answers": {"GET /stream": Answer("", 401)}}, "token", "unauthenticated"),
        ({"answers": {"GET /stream": Answer("", 403)}}, "token", "denied"),
        ({"answers": {"GET /stream": Answer("", 429)}}, "base", "rate_limited"),
        ({"answers": {"GET /stream": Answer("", 503)}}, "base", "unavailable"),
        ({"answers": {"GET /stream": Answer("<html>", 200)}}, "base", "not_an_agent"),
        ({"answers": {"GET /info": Answer("<html>")}}, "base", "not_an_agent"),
        (
            {"answers": {"GET /info": Answer(wire.problem(500, "internal", "x"), 500)}},
            "base",
            "unknown",
        ),
        ({"hello": {"contract": 0, "oldest": 0}}, "base", "agent_too_old"),
        ({"hello": {"contract": 9, "oldest": 9}}, "base", "agent_too_new"),
    ],
)
async def test_each_refusal_is_explained_and_can_be_corrected(
    hass: HomeAssistant, agent: FakeAgent, script: dict[str, Any], field: str, error: str
) -> None:
    healthy = {name: getattr(agent, name) for name in script}
    for name, value in script.items():
        setattr(agent, name, value)
    form = await submit(hass, await begin(hass), by_hand(agent))
    assert form["errors"] == {field: error}
    for name, value in healthy.items():
        setattr(agent, name, value)
    done = await submit(hass, form, by_hand(agent))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await unload(hass)


async def test_an_agent_that_is_not_running_can_be_started_and_tried_again(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    await agent.stop()
    form = await submit(hass, await begin(hass), by_hand(agent))
    assert form["errors"] == {"base": "cannot_connect"}
    await agent.start()
    done = await submit(hass, form, by_hand(agent))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await unload(hass)


@pytest.mark.parametrize(
    ("typed", "field", "error"),
    [
        ({"host": ""}, "host", "invalid_host"),
        ({"host": "my server"}, "host", "invalid_host"),
        ({"host": "ftp://127.0.0.1"}, "host", "invalid_host"),
        ({"host": "http://me@127.0.0.1"}, "host", "invalid_host"),
        ({"host": "http://127.0.0.1:999999"}, "host", "invalid_host"),
        ({"host": "127.0.0.1/api"}, "host", "invalid_host"),
        ({"fingerprint": "12:34"}, "fingerprint", "invalid_fingerprint"),
        ({"ssl": True}, "base", "tls_failed"),
    ],
)
async def test_each_slip_of_the_pen_is_explained_and_can_be_corrected(
    hass: HomeAssistant, agent: FakeAgent, typed: dict[str, Any], field: str, error: str
) -> None:
    form = await submit(hass, await begin(hass), by_hand(agent, **typed))
    assert form["errors"] == {field: error}
    done = await submit(hass, form, by_hand(agent))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await unload(hass)


async def test_a_pasted_url_is_understood(hass: HomeAssistant, agent: FakeAgent) -> None:
    url = f"http://127.0.0.1:{agent.port}/api/v1/"
    done = await submit(hass, await begin(hass), by_hand(agent, host=url, port=1, ssl=True))
    assert done["data"] == entry_data(agent)
    await unload(hass)


async def test_a_bare_ipv6_address_is_an_address(hass: HomeAssistant, agent: FakeAgent) -> None:
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"])
    form = await submit(hass, await begin(hass), by_hand(agent, host="::1"))
    assert form["errors"] == {"base": "cannot_connect"}


def expect_refused_handshakes(hass: HomeAssistant) -> None:
    """Take it for no failure that the server, in the same loop, notices a client's refusal."""
    handler = hass.loop.get_exception_handler()
    assert handler is not None

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), ConnectionResetError | ssl.SSLError):
            handler(loop, context)

    hass.loop.set_exception_handler(handle)


async def test_a_pinned_certificate_is_trusted_and_no_other(
    hass: HomeAssistant, agent: FakeAgent, tmp_path: Path
) -> None:
    expect_refused_handshakes(hass)
    certificate = await hass.async_add_executor_job(make_certificate, tmp_path)
    await restart_with(agent, certificate.context)
    form = await submit(hass, await begin(hass), by_hand(agent, ssl=True))
    assert form["errors"] == {"fingerprint": "certificate_untrusted"}
    form = await submit(hass, form, by_hand(agent, fingerprint="ab" * 32))
    assert form["errors"] == {"fingerprint": "fingerprint_mismatch"}
    pasted = certificate.fingerprint.upper()
    done = await submit(hass, form, by_hand(agent, fingerprint=pasted))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    expected = entry_data(agent, ssl=True, fingerprint=certificate.fingerprint)
    assert done["data"] == expected
    await unload(hass)


async def restart_with(agent: FakeAgent, context: ssl.SSLContext) -> None:
    await agent.stop()
    await agent.start(context)


async def test_an_agent_added_twice_only_gets_its_new_address(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, "host": "192.0.2.1"})
    done = await submit(hass, await begin(hass), by_hand(agent))
    assert (done["type"], done["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert entry.data == entry_data(agent)


async def test_a_new_token_is_taken_after_a_wrong_one(
    hass: HomeAssistant, agent: FakeAgent, loaded: MockConfigEntry
) -> None:
    agent.token = "hl_test_new"
    form: Any = await loaded.start_reauth_flow(hass)
    assert form["step_id"] == "reauth_confirm"
    assert form["description_placeholders"]["address"] == f"http://127.0.0.1:{agent.port}"
    form = await submit(hass, form, {"token": "hl_test_wrong"})
    assert form["errors"] == {"token": "unauthenticated"}
    done = await submit(hass, form, {"token": "hl_test_new"})
    assert (done["type"], done["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    assert loaded.data["token"] == "hl_test_new"
    assert loaded.state is ConfigEntryState.LOADED
    await unload(hass)


async def test_a_token_of_another_agent_is_not_taken(
    hass: HomeAssistant, agent: FakeAgent, loaded: MockConfigEntry
) -> None:
    agent.info = wire.info(instance_id="somebody-else")
    form: Any = await loaded.start_reauth_flow(hass)
    form = await submit(hass, form, {"token": agent.token})
    assert form["errors"] == {"base": "other_agent"}
    agent.info = wire.info()
    done = await submit(hass, form, {"token": agent.token})
    assert done["reason"] == "reauth_successful"
    await unload(hass)


async def test_a_moved_agent_is_found_again_and_keeps_its_token(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, "port": 1})
    form: Any = await entry.start_reconfigure_flow(hass)
    assert form["step_id"] == "reconfigure"
    suggested = {
        str(k): (k.description or {}).get("suggested_value") for k in form["data_schema"].schema
    }
    assert suggested["host"] == "127.0.0.1"
    assert suggested["token"] is None
    typed = by_hand(agent)
    del typed["token"]
    form = await submit(hass, form, typed | {"port": 1})
    assert form["errors"] == {"base": "cannot_connect"}
    done = await submit(hass, form, typed)
    assert (done["type"], done["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    assert entry.data == entry_data(agent)
    assert entry.state is ConfigEntryState.LOADED
    await unload(hass)


async def test_reconfiguring_to_another_agent_is_refused(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    agent.info = wire.info(instance_id="somebody-else")
    form: Any = await entry.start_reconfigure_flow(hass)
    form = await submit(hass, form, by_hand(agent, token="hl_test_0123456789"))
    assert form["errors"] == {"base": "other_agent"}


async def test_the_app_is_set_up_with_one_press(hass: HomeAssistant, agent: FakeAgent) -> None:
    form = await begin(hass, SOURCE_HASSIO, app(agent))
    assert form["step_id"] == "hassio_confirm"
    assert form["description_placeholders"] == {"addon": "Homelab Agent"}
    await agent.stop()
    form = await submit(hass, form, {})
    assert form["errors"] == {"base": "cannot_connect"}
    await agent.start()
    done = await submit(hass, form, {})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["data"] == entry_data(agent)
    assert done["result"].unique_id == ID
    await unload(hass)


async def test_an_app_that_shows_a_wrong_token_says_so_on_the_form_it_has(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    form = await begin(hass, SOURCE_HASSIO, app(agent, token="wrong"))
    form = await submit(hass, form, {})
    assert form["errors"] == {"base": "unauthenticated"}


async def test_an_app_that_tells_too_little_is_passed_over(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    info = app(agent)
    del info.config["token"]
    result = await begin(hass, SOURCE_HASSIO, info)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "invalid_discovery")


@pytest.mark.parametrize("state", [ConfigEntryState.LOADED, ConfigEntryState.SETUP_ERROR])
async def test_a_token_that_the_app_renewed_is_taken_over(
    hass: HomeAssistant, agent: FakeAgent, loaded: MockConfigEntry, state: ConfigEntryState
) -> None:
    agent.token = "hl_test_rotated"
    if state is ConfigEntryState.SETUP_ERROR:
        await hass.config_entries.async_reload(loaded.entry_id)
    assert loaded.state is state
    result = await begin(hass, SOURCE_HASSIO, app(agent))
    assert result["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert loaded.data["token"] == "hl_test_rotated"
    assert loaded.state is ConfigEntryState.LOADED
    assert hass.config_entries.flow.async_progress() == []
    await unload(hass)


@pytest.mark.usefixtures("loaded")
async def test_an_app_that_says_nothing_new_disturbs_nothing(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    await begin(hass, SOURCE_HASSIO, app(agent))
    await hass.async_block_till_done()
    assert len(agent.subscriptions) == 1
    await unload(hass)


@pytest.mark.parametrize("source", [SOURCE_HASSIO, SOURCE_ZEROCONF])
async def test_an_agent_that_was_ignored_stays_ignored(
    hass: HomeAssistant, agent: FakeAgent, source: str
) -> None:
    ignored = MockConfigEntry(domain=DOMAIN, unique_id=ID, source=SOURCE_IGNORE, data={})
    ignored.add_to_hass(hass)
    info = app(agent) if source == SOURCE_HASSIO else announcement(agent)
    result = await begin(hass, source, info)
    assert result["reason"] == "already_configured"
    assert ignored.data == {}


async def test_an_announced_agent_needs_only_its_token(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    form = await begin(hass, SOURCE_ZEROCONF, announcement(agent))
    assert form["step_id"] == "zeroconf_confirm"
    assert form["description_placeholders"] == {
        "name": "atlas",
        "address": f"http://127.0.0.1:{agent.port}",
        "fingerprint": "-",
    }
    form = await submit(hass, form, {"token": "wrong"})
    assert form["errors"] == {"token": "unauthenticated"}
    done = await submit(hass, form, {"token": agent.token})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["data"] == entry_data(agent)
    await unload(hass)


async def test_an_announced_fingerprint_is_pinned(
    hass: HomeAssistant, agent: FakeAgent, tmp_path: Path
) -> None:
    certificate = await hass.async_add_executor_job(make_certificate, tmp_path)
    await restart_with(agent, certificate.context)
    info = announcement(agent, tls="1", fingerprint="ab" * 32)
    form = await submit(hass, await begin(hass, SOURCE_ZEROCONF, info), {"token": agent.token})
    assert form["errors"] == {"base": "fingerprint_mismatch"}
    hass.config_entries.flow.async_abort(form["flow_id"])
    info = announcement(agent, tls="1", fingerprint=certificate.fingerprint)
    done = await submit(hass, await begin(hass, SOURCE_ZEROCONF, info), {"token": agent.token})
    assert done["data"]["fingerprint"] == certificate.fingerprint
    await unload(hass)


async def test_an_announcement_that_lies_about_who_it_is_gets_no_entry(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    form = await begin(hass, SOURCE_ZEROCONF, announcement(agent, instance_id="liar"))
    form = await submit(hass, form, {"token": agent.token})
    assert form["errors"] == {"base": "other_agent"}


async def test_an_incomplete_announcement_is_passed_over(
    hass: HomeAssistant, agent: FakeAgent
) -> None:
    result = await begin(hass, SOURCE_ZEROCONF, announcement(agent, instance_id=""))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "invalid_discovery")


async def test_an_agent_with_a_new_address_is_followed_once_the_old_one_is_dead(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, "port": 1})
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    result = await begin(hass, SOURCE_ZEROCONF, announcement(agent))
    assert result["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert entry.data == entry_data(agent)
    assert entry.state is ConfigEntryState.LOADED
    await unload(hass)


async def test_nobody_on_the_network_can_draw_away_the_token_of_a_working_agent(
    hass: HomeAssistant, agent: FakeAgent, loaded: MockConfigEntry
) -> None:
    async with FakeAgent() as thief:
        await begin(hass, SOURCE_ZEROCONF, announcement(thief))
        await hass.async_block_till_done()
        assert loaded.data["port"] == agent.port
        assert (thief.seen, thief.subscriptions) == ([], [])
    await unload(hass)


@pytest.mark.parametrize("why", ["tls", "app"])
async def test_an_announcement_neither_switches_tls_off_nor_overrules_the_supervisor(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry, why: str
) -> None:
    changes: dict[str, Any] = {"port": 1}
    if why == "tls":
        changes |= {"ssl": True, "fingerprint": "ab" * 32}
    else:
        object.__setattr__(entry, "source", SOURCE_HASSIO)
    hass.config_entries.async_update_entry(entry, data={**entry.data, **changes})
    await hass.config_entries.async_setup(entry.entry_id)
    await begin(hass, SOURCE_ZEROCONF, announcement(agent))
    await hass.async_block_till_done()
    assert entry.data["port"] == 1
    assert agent.seen == []


async def test_a_lost_agent_that_announces_a_new_address_is_followed_while_running(
    hass: HomeAssistant, agent: FakeAgent, loaded: MockConfigEntry
) -> None:
    await agent.stop()
    await until(lambda: not loaded.runtime_data.connected, "the loss")
    agent.port = 0
    await agent.start()
    await begin(hass, SOURCE_ZEROCONF, announcement(agent))
    await hass.async_block_till_done()
    assert loaded.data["port"] == agent.port
    assert loaded.runtime_data.connected
    await unload(hass)
