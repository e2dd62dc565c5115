"""What each scope may have the agent ask."""

import pytest

from homelab_agent.areas.dns.applying import PlanDesk
from homelab_agent.areas.dns.models import AuthoritativeQuery, RecordType
from homelab_agent.areas.dns.routes import DnsRoutes
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Caller, Scope
from homelab_agent.platform.errors import Denied
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.fakes.scripted_dns import ScriptedProvider, records
from tests.unit.agent.areas.dns.house import ZONE, House

DASHBOARD = Caller(name="dashboard", scope=Scope.READ)
PHONE = Caller(name="phone", scope=Scope.OPERATE)


async def test_who_may_only_look_does_not_send_the_agent_to_name_servers_of_their_choice(
    store: Store, clock: HandClock, audit: Audit
) -> None:
    provider = ScriptedProvider(ZONE, records("nas.example.org 300 A 192.0.2.10"))
    house = await House(store, provider).with_provider()
    runner = JobRunner(store, house.resources, clock, audit)
    routes = DnsRoutes(house.service, PlanDesk(house.service, runner))
    elsewhere = AuthoritativeQuery(name="trap.example.net", type=RecordType.A)
    ours = AuthoritativeQuery(name=f"nas.{ZONE}", type=RecordType.A)

    with pytest.raises(Denied, match="in no zone that is managed"):
        await routes.answers(elsewhere, DASHBOARD)

    assert (await routes.answers(ours, DASHBOARD)).agree
    assert (await routes.answers(elsewhere, PHONE)).agree
