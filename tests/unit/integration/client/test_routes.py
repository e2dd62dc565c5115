"""Whatever the client asks an agent for exists there, with the body that it sends."""

import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from custom_components.homelab.client import AgentClient, ContainerCommand, NotFound
from custom_components.homelab.client.models import (
    AddMonitorBody,
    CheckNowBody,
    ConnectionQuery,
    DeployBody,
    DownBody,
    EndpointBody,
    FileQuery,
    MaintenanceBody,
    MeasureBody,
    NodeBody,
    OccurrenceQuery,
    PortQuery,
    ProcessQuery,
    PruneBody,
    PruneKind,
    PruneQuery,
    Reach,
    RecreateBody,
    ReportFormat,
    ReportQuery,
    RestoreBody,
    ScaleBody,
    StackBody,
    StackSource,
    StopProcessBody,
    SwarmBody,
    UpdateBody,
    UpdateMonitorBody,
    WatchBody,
)
from tests.fakes.agent_server import FakeAgent, Seen
from tests.unit.integration.client.asked_of_domains import OF_DOMAINS

OPENAPI: Any = json.loads((Path(__file__).parents[4] / "addon" / "openapi.json").read_text())
ROOT = "/api/v1"
SOURCE = "services: {}"
PING = {"type": "ping", "host": "example.com"}
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)

type Ask = Callable[[AgentClient], Awaitable[object]]

ASKED: dict[str, Ask] = {
    "info": lambda client: client.info(),
    "containers": lambda client: client.containers(),
    "container": lambda client: client.container("web"),
    "logs": lambda client: client.logs("web"),
    "statistics": lambda client: client.statistics(),
    "updates": lambda client: client.updates(),
    "job": lambda client: client.job("1"),
    "command": lambda client: client.command("web", ContainerCommand.RESTART),
    "update": lambda client: client.update("web", UpdateBody()),
    "recreate": lambda client: client.recreate("web", RecreateBody()),
    "roll_back": lambda client: client.roll_back("web", RecreateBody()),
    "check_update": lambda client: client.check_update("web"),
    "check_updates": lambda client: client.check_updates(),
    "stacks.list": lambda client: client.stacks.list(),
    "stacks.get": lambda client: client.stacks.get("media"),
    "stacks.start": lambda client: client.stacks.start("media", StackBody()),
    "stacks.stop": lambda client: client.stacks.stop("media", StackBody()),
    "stacks.restart": lambda client: client.stacks.restart("media", StackBody()),
    "stacks.update": lambda client: client.stacks.update("media", StackBody()),
    "stacks.down": lambda client: client.stacks.down("media", DownBody()),
    "stacks.plan": lambda client: client.stacks.plan("media", StackSource(compose=SOURCE)),
    "stacks.deploy": lambda client: client.stacks.deploy("media", DeployBody(compose=SOURCE)),
    "stacks.file": lambda client: client.stacks.file("media", FileQuery(version=1)),
    "stacks.history": lambda client: client.stacks.history("media"),
    "stacks.restore": lambda client: client.stacks.restore("media", RestoreBody(version=1)),
    "objects.images": lambda client: client.objects.images(),
    "objects.volumes": lambda client: client.objects.volumes(),
    "objects.networks": lambda client: client.objects.networks(),
    "objects.disk_usage": lambda client: client.objects.disk_usage(),
    "objects.measure": lambda client: client.objects.measure_disk_usage(MeasureBody()),
    "objects.preview_prune": lambda client: client.objects.preview_prune(PruneQuery()),
    "objects.prune": lambda client: client.objects.prune(
        PruneBody(kinds=(PruneKind.IMAGES,), hash="0")
    ),
    "swarm.services": lambda client: client.swarm.services(),
    "swarm.nodes": lambda client: client.swarm.nodes(),
    "swarm.scale": lambda client: client.swarm.scale("shop", ScaleBody(replicas=2)),
    "swarm.force_update": lambda client: client.swarm.force_update("shop", SwarmBody()),
    "swarm.set_availability": lambda client: client.swarm.set_availability(
        "node", NodeBody(availability="drain")
    ),
    "monitors.get": lambda client: client.monitors.get("wiki"),
    "monitors.add": lambda client: client.monitors.add(AddMonitorBody(name="Wiki", check=PING)),
    "monitors.update": lambda client: client.monitors.update(
        "wiki", UpdateMonitorBody(name="Wiki", check=PING)
    ),
    "monitors.remove": lambda client: client.monitors.remove("wiki"),
    "monitors.pause": lambda client: client.monitors.pause("wiki"),
    "monitors.resume": lambda client: client.monitors.resume("wiki"),
    "monitors.check": lambda client: client.monitors.check("wiki", CheckNowBody()),
    "monitors.report": lambda client: client.monitors.report(ReportQuery(name=("wiki",))),
    "monitors.written_report": lambda client: client.monitors.written_report(
        ReportQuery(format=ReportFormat.CSV)
    ),
    "monitors.add_window": lambda client: client.monitors.add_window(
        MaintenanceBody(name="Backup", starts_at=NOW, duration_s=60)
    ),
    "monitors.remove_window": lambda client: client.monitors.remove_window("backup"),
    "monitors.occurrences": lambda client: client.monitors.occurrences(
        OccurrenceQuery(since=NOW, until=NOW)
    ),
    "certificates.watch": lambda client: client.certificates.watch(WatchBody(host="example.com")),
    "certificates.forget": lambda client: client.certificates.forget("example.com-443"),
    "certificates.read": lambda client: client.certificates.read(EndpointBody(host="example.com")),
    "host.info": lambda client: client.host.info(),
    "host.report": lambda client: client.host.report(),
    "host.disks": lambda client: client.host.disks(),
    "host.processes": lambda client: client.host.processes(ProcessQuery(search="x")),
    "host.stop_process": lambda client: client.host.stop_process(
        4711, StopProcessBody(started_at=NOW)
    ),
    "host.insight": lambda client: client.host.insight(),
    "network.report": lambda client: client.network.report(),
    "network.ports": lambda client: client.network.ports(PortQuery(reach=Reach.PUBLIC)),
    "network.connections": lambda client: client.network.connections(ConnectionQuery(port=443)),
    **OF_DOMAINS,
}


def operation(asked: Seen) -> Any:
    """Return the agent's description of what was asked."""
    for path, operations in OPENAPI["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", path.removeprefix(ROOT))
        if re.fullmatch(pattern, asked.path) and asked.method.lower() in operations:
            return operations[asked.method.lower()]
    raise AssertionError(f"the agent has no {asked.method} {asked.path}")


@pytest.mark.parametrize("name", ASKED)
async def test_the_agent_has_what_the_client_asks_for(
    client: AgentClient, agent: FakeAgent, name: str
) -> None:
    with suppress(NotFound):
        await ASKED[name](client)
    (asked,) = [one for one in agent.seen if not one.path.endswith("/stream")]
    described = operation(asked)
    body = described.get("requestBody")
    taken = {one["name"] for one in described.get("parameters", ()) if one["in"] == "query"}
    assert asked.query.keys() <= taken
    assert (asked.body is None) == (body is None)
    if body is not None:
        reference = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        schema = OPENAPI["components"]["schemas"][reference]
        assert asked.body.keys() <= schema["properties"].keys()
        assert set(schema.get("required", ())) <= asked.body.keys()
