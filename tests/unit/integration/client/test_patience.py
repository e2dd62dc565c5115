"""How long the client waits for an agent that asks others first, as a slow provider of DNS."""

import asyncio

import pytest

from custom_components.homelab.client import AgentClient, NoAnswer
from custom_components.homelab.client.models import (
    ApplyBody,
    CertificateDeleteQuery,
    DeployBody,
    DeprovisionBody,
    DomainApplyBody,
    DomainDeleteQuery,
    DynamicAddressBody,
    ProcessQuery,
    ProxyMode,
    ProxySetupBody,
    PruneBody,
    PruneKind,
    RestoreBody,
    StartBody,
    UploadBody,
)
from tests.fakes.agent_server import FakeAgent
from tests.harness.waiting import wait_until
from tests.unit.integration.client.asked_of_domains import HASH, NAME, ROUTE, WANTED
from tests.unit.integration.client.test_routes import SOURCE, Ask

ANSWERS_AFTER_S = 50.0
LONG_AFTER_S = 200.0

SLOW: dict[str, Ask] = {
    "POST /provisioning": lambda client: client.provisioning.start(StartBody(name=NAME, wait_s=0)),
    f"POST /provisioning/{NAME}/remove": lambda client: client.provisioning.take_back(
        NAME, DeprovisionBody(wait_s=0)
    ),
    "POST /dns/apply": lambda client: client.dns.apply(
        ApplyBody(wanted=WANTED, plan_hash=HASH, wait_s=0)
    ),
    f"POST /domains/{NAME}/apply": lambda client: client.domains.apply(
        NAME, DomainApplyBody(plan_hash=HASH, wait_s=0)
    ),
    f"DELETE /domains/{NAME}": lambda client: client.domains.forget(
        NAME, DomainDeleteQuery(plan_hash=HASH, wait_s=0)
    ),
    "PUT /proxy/setup": lambda client: client.proxy.set_up(
        ProxySetupBody(mode=ProxyMode.OWN, admin="http://192.0.2.9:2019", wait_s=0)
    ),
    f"PUT /proxy/routes/{NAME}": lambda client: client.proxy.put(NAME, ROUTE),
    f"POST /proxy/routes/{NAME}/apply": lambda client: client.proxy.restore(NAME),
    f"DELETE /proxy/routes/{NAME}": lambda client: client.proxy.remove(NAME),
    "POST /dynamic-addresses": lambda client: client.dynamic_addresses.add(
        DynamicAddressBody(name=NAME)
    ),
    "POST /managed-certificates/upload": lambda client: client.renewal.upload(
        UploadBody(certificate_pem="-", key_pem="-")
    ),
    "GET /host/processes": lambda client: client.host.processes(ProcessQuery()),
    "PUT /stacks/media": lambda client: client.stacks.deploy(
        "media", DeployBody(compose=SOURCE, wait_s=0)
    ),
    "POST /stacks/media/restore": lambda client: client.stacks.restore(
        "media", RestoreBody(version=1, wait_s=0)
    ),
    "POST /prune": lambda client: client.objects.prune(
        PruneBody(kinds=(PruneKind.IMAGES,), hash="0", wait_s=0)
    ),
    f"DELETE /managed-certificates/{NAME}": lambda client: client.renewal.forget(
        NAME, CertificateDeleteQuery()
    ),
}


class Skipping:
    """The clock of an event loop, which can be put forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        real = loop.time
        self._skipped_s = 0.0
        monkeypatch.setattr(loop, "time", lambda: real() + self._skipped_s)

    async def skip(self, seconds: float) -> None:
        """Let the next seconds pass at once, one after the other, with all that ends in them."""
        for _ in range(round(seconds)):
            self._skipped_s += 1
            await asyncio.sleep(0)


@pytest.mark.parametrize("path", SLOW)
async def test_what_takes_the_agent_long_to_answer_is_not_given_up_meanwhile(
    client: AgentClient, agent: FakeAgent, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    agent.hangs.add(path)
    method, _, place = path.partition(" ")
    asking = asyncio.ensure_future(SLOW[path](client))

    async def arrived() -> bool:
        return agent.count(method, place) == 1

    await wait_until(arrived, what="the question")
    clock = Skipping(monkeypatch)
    await clock.skip(ANSWERS_AFTER_S)
    assert not asking.done()
    await clock.skip(LONG_AFTER_S)
    with pytest.raises(NoAnswer):
        await asking
