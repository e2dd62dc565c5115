"""The machine over the API of a real agent: what is read, what is refused, what is written down."""

from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.harness.agent import Agent

pytestmark = pytest.mark.asyncio(loop_scope="module")

RSYNC, MARIADB, HOME_ASSISTANT = 2388, 1512, 1401


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(agent: Agent) -> str:
    return await agent.create_token("host-admin", "admin")


async def get(agent: Agent, token: str, path: str) -> tuple[int, Any]:
    async with (
        ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
        session.get(f"{agent.url}/api/v1/{path}") as answer,
    ):
        return answer.status, await answer.json()


async def stop(agent: Agent, token: str, pid: int | str, started_at: str) -> tuple[int, Any]:
    async with (
        ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
        session.post(
            f"{agent.url}/api/v1/host/processes/{pid}/stop", json={"started_at": started_at}
        ) as answer,
    ):
        return answer.status, await answer.json()


async def process(agent: Agent, token: str, pid: int) -> dict[str, Any] | None:
    _, listed = await get(agent, token, "host/processes?limit=1000")
    return next((each for each in listed["processes"] if each["pid"] == pid), None)


async def test_the_machine_is_told_in_four_answers(agent: Agent, token: str) -> None:
    _, info = await get(agent, token, "host/info")
    assert info["host_name"] == "homelab"
    assert info["view"]["hint"] is None
    _, report = await get(agent, token, "host/stats")
    assert report["stats"]["cpu_percent"] > 0
    assert len(report["stats"]["cores_percent"]) == 4
    assert {each["type"] for each in report["sensors"]} == {"temperature", "fan"}
    assert report["power"]["energy_kwh"] >= 0
    _, disks = await get(agent, token, "host/disks")
    assert [each["key"] for each in disks["filesystems"]] == [
        "/",
        "/boot/efi",
        "/mnt/media",
        "/mnt/nas",
    ]
    assert {each["key"]: each["state"] for each in disks["health"]} == {
        "nvme0n1": "ok",
        "sda": "worn",
    }


async def test_processes_are_searched_named_by_container_and_without_secrets(
    agent: Agent, token: str
) -> None:
    _, found = await get(agent, token, "host/processes?search=MARIADB")
    (database,) = found["processes"]
    assert database["container"] == "cloud:db:1"
    assert database["command"] == "mariadbd --user=mysql --password=***"
    _, secret = await get(agent, token, "host/processes?search=not-for-everybody")
    assert secret["total"] == 0
    _, sorted_by_memory = await get(agent, token, "host/processes?sort=memory&limit=2")
    assert [each["pid"] for each in sorted_by_memory["processes"]] == [HOME_ASSISTANT, 1688]


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=1001", "limit"), ("sort=name", "sort"), ("search=", "search")],
)
async def test_a_question_that_makes_no_sense_is_refused_by_name(
    agent: Agent, token: str, query: str, field: str
) -> None:
    status, problem = await get(agent, token, f"host/processes?{query}")
    assert (status, problem["field"]) == (422, field)


async def test_only_an_admin_stops_a_process_and_it_is_written_down(
    agent: Agent, token: str, admin: str
) -> None:
    listed = await process(agent, admin, RSYNC)
    assert listed is not None
    status, problem = await stop(agent, token, RSYNC, listed["started_at"])
    assert (status, problem["code"]) == (403, "denied")
    assert await process(agent, admin, RSYNC) is not None

    status, problem = await stop(agent, admin, RSYNC, "2020-01-01T00:00:00Z")
    assert (status, problem["field"]) == (404, "started_at")

    status, result = await stop(agent, admin, RSYNC, listed["started_at"])
    assert (status, result["outcome"]) == (200, "done")
    assert await process(agent, admin, RSYNC) is None
    _, activity = await get(agent, admin, "activity")
    done = [
        (entry["caller"], entry["outcome"], entry["target"])
        for entry in activity["entries"]
        if entry["action"] == "host.stop_process"
    ]
    assert ("host-admin", "done", str(RSYNC)) in done
    assert ("tests", "refused", str(RSYNC)) in done


@pytest.mark.parametrize("pid", [1, 911, HOME_ASSISTANT])
async def test_what_others_stand_on_is_not_stopped(agent: Agent, admin: str, pid: int) -> None:
    listed = await process(agent, admin, pid)
    assert listed is not None
    status, problem = await stop(agent, admin, pid, listed["started_at"])
    assert (status, problem["code"], problem["field"]) == (409, "protected", "pid")


async def test_a_name_is_no_way_to_stop_processes(agent: Agent, admin: str) -> None:
    status, problem = await stop(agent, admin, "rsync", "2020-01-01T00:00:00Z")
    assert (status, problem["field"]) == (422, "pid")
