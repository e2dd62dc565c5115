"""What may go wrong with an update, each with a real engine: the old container is as it was."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import web

from tests.fakes.holding_proxy import holding_proxy
from tests.harness.agent import Agent
from tests.harness.built_images import FOREVER, BuiltImages
from tests.harness.docker import SOCKET, Docker
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until
from tests.lab.update_bench import HEX, Bench

pytestmark = pytest.mark.asyncio(loop_scope="module")

WATCHED_FOR_LONG = {"homelab.update.stable_s": "20"}
"""For what ends by itself: it is seen to end however busy the machine is, and not waited for."""

CHECKED = 'HEALTHCHECK --interval=1s --timeout=30s --retries=2 CMD sh -c "test ! -e /bad"'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def images() -> AsyncIterator[BuiltImages]:
    async with BuiltImages() as images:
        await images.push("1", "1")
        await images.push("2", "2")
        await images.push("ends", "3", script="echo cannot open /config; sleep 0.3; exit 7")
        await images.push("sick", "4", CHECKED, script=f"touch /bad; echo no database; {FOREVER}")
        hangs = "HEALTHCHECK --interval=1s --timeout=60s --retries=1 CMD sleep 600"
        await images.push("hangs", "5", hangs)
        await images.push("well", "6", CHECKED)
        yield images


@pytest_asyncio.fixture(loop_scope="module")
async def bench(
    images: BuiltImages, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bench]:
    async with (
        holding_proxy(SOCKET) as proxy,
        Agent(tmp_path_factory.mktemp("agent"), docker_url=proxy.url) as agent,
        Docker() as docker,
    ):
        bench = Bench(agent, docker, images, proxy, await agent.create_token())
        try:
            yield bench
        finally:
            await bench.remove_all()


async def test_an_update_is_kept_when_its_health_check_says_so(bench: Bench) -> None:
    identity = await bench.have()
    status, answer = await bench.update("well")
    assert (status, answer["outcome"]) == (200, "done"), answer
    assert (await bench.docker.inspect(bench.name))["Id"] != identity
    assert await bench.left() == [bench.name]
    assert (await bench.last())["to_version"] == "6"


@pytest.mark.parametrize(
    ("tag", "reason", "line"),
    [("ends", "exit code 7", "cannot open /config"), ("sick", "is unhealthy", "no database")],
)
async def test_what_does_not_work_is_taken_back_and_its_last_words_are_told(
    bench: Bench, tag: str, reason: str, line: str
) -> None:
    identity = await bench.have(labels=WATCHED_FOR_LONG)
    _, answer = await bench.update(tag)
    assert reason in answer["detail"], answer
    assert line in answer["log"]
    await bench.is_as_before(identity)
    last = await bench.last()
    assert (last["outcome"], last["log"][-1]["text"]) == ("undone", line)
    assert reason in last["reason"]


async def test_a_health_check_that_hangs_is_not_waited_for_for_ever(bench: Bench) -> None:
    identity = await bench.have(labels={"homelab.update.timeout_s": "3"})
    _, answer = await bench.update("hangs")
    assert "did not prove within 3 s" in answer["detail"]
    await bench.is_as_before(identity)


@asynccontextmanager
async def answering(*statuses: int) -> AsyncIterator[int]:
    """Serve on a port: each request gets the next status, the last one for ever."""
    left = list(statuses)

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=left.pop(0) if len(left) > 1 else left[0])

    app = web.Application()
    app.router.add_get("/ok", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_container_that_never_answers_over_http_is_taken_back(bench: Bench) -> None:
    async with answering(200, 503) as port:
        address = f"http://127.0.0.1:{port}/ok"
        label = {"homelab.update.http": address, "homelab.update.timeout_s": "4"}
        # All of that time is for the answer.
        identity = await bench.have(labels=label | {"homelab.update.stable_s": "0"})
        _, answer = await bench.update("2")
    assert f"answers at {address}" in answer["detail"]
    await bench.is_as_before(identity)


async def test_an_update_is_not_begun_whose_proof_could_never_be_had(bench: Bench) -> None:
    identity = await bench.have(labels={"homelab.update.http": "http://127.0.0.1:9/"})
    status, answer = await bench.update("2")
    assert (status, answer["field"]) == (409, "homelab.update.http")
    assert "does not answer now either" in answer["detail"]
    await bench.is_as_before(identity)


async def test_a_label_that_makes_no_sense_is_named_before_anything_is_stopped(
    bench: Bench,
) -> None:
    identity = await bench.have(labels={"homelab.update.stable_s": "soon"})
    status, answer = await bench.update("2")
    assert (status, answer["field"]) == (422, "homelab.update.stable_s")
    await bench.is_as_before(identity)


async def test_a_container_that_answers_over_http_is_kept(bench: Bench) -> None:
    async with answering(200) as port:
        await bench.have(labels={"homelab.update.http": f":{port}/ok"}, NetworkMode="host")
        status, answer = await bench.update("2")
    assert status == 200, answer


async def test_an_image_that_does_not_exist_changes_nothing(bench: Bench) -> None:
    identity = await bench.have()
    status, answer = await bench.update("no-such-tag")
    assert (status, answer["code"]) == (404, "not_found")
    await bench.is_as_before(identity)
    assert (await bench.last())["outcome"] == "failed"


async def test_a_pull_that_is_cut_changes_nothing(bench: Bench) -> None:
    identity = await bench.have()
    bench.proxy.hold(r"POST /images/create\?.*", done_first=True)
    _, begun = await bench.update("no-such-tag", wait_s=0)
    await bench.proxy.reached.wait()
    bench.proxy.release()
    job = await bench.job(begun["job"]["id"])
    assert job["outcome"] == "failed"
    await bench.is_as_before(identity)


async def test_a_port_that_somebody_took_meanwhile_brings_the_old_container_back(
    bench: Bench,
) -> None:
    port = str(free_port())
    ports = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": port}]}
    identity = await bench.have(NetworkMode="bridge", PortBindings=ports)
    bench.proxy.hold(rf"POST /containers/{HEX}/start", done_first=False)
    _, begun = await bench.update("2", wait_s=0)
    await bench.proxy.reached.wait()
    thief = f"{bench.name}-thief"
    exposed = {"ExposedPorts": {"80/tcp": {}}}
    await bench.docker.create(thief, config=exposed | {"HostConfig": {"PortBindings": ports}})
    job = await bench.job_without(thief, begun["job"]["id"])
    assert job["outcome"] == "undone", job
    assert port in job["error"]["message"]
    await bench.is_as_before(identity)


async def test_a_stopped_container_stays_stopped(bench: Bench) -> None:
    await bench.have(start=False)
    status, answer = await bench.update("2")
    assert (status, answer["outcome"]) == (200, "done"), answer
    found = await bench.docker.inspect(bench.name)
    assert found["State"]["Status"] == "created"
    assert found["Config"]["Labels"]["org.opencontainers.image.version"] == "2"


async def test_a_paused_container_is_paused_again(bench: Bench) -> None:
    await bench.have()
    await bench.docker.pause(bench.name)
    status, answer = await bench.update("2")
    assert status == 200, answer
    assert (await bench.docker.inspect(bench.name))["State"]["Status"] == "paused"


async def test_a_second_update_of_the_same_container_is_told_that_it_is_busy(bench: Bench) -> None:
    await bench.have()
    bench.proxy.hold(r"POST /containers/create\?.*", done_first=False)
    _, begun = await bench.update("2", wait_s=0)
    await bench.proxy.reached.wait()
    status, answer = await bench.update("2")
    bench.proxy.release()
    assert (status, answer["code"]) == (409, "busy")
    assert (await bench.job(begun["job"]["id"]))["outcome"] == "done"


async def test_an_old_container_removed_by_hand_does_not_take_the_new_one_along(
    bench: Bench,
) -> None:
    identity = await bench.have(labels=WATCHED_FOR_LONG)
    bench.proxy.hold(rf"POST /containers/{HEX}/start", done_first=True)
    _, begun = await bench.update("ends", wait_s=0)
    await bench.proxy.reached.wait()
    await bench.docker.remove(identity)
    bench.proxy.release()
    job = await bench.job(begun["job"]["id"])
    assert job["outcome"] == "failed"
    assert "removed by somebody" in job["error"]["message"]
    assert await bench.left() == [bench.name]


async def test_a_container_removed_by_hand_before_anything_was_done_stays_removed(
    bench: Bench,
) -> None:
    identity = await bench.have()
    bench.proxy.hold(r"POST /images/create\?.*", done_first=False)
    _, begun = await bench.update("2", wait_s=0)
    await bench.proxy.reached.wait()
    await bench.docker.remove(identity)
    bench.proxy.release()
    job = await bench.job(begun["job"]["id"])
    assert job["outcome"] in {"failed", "undone"}
    assert "no such container" in job["error"]["message"].lower()
    assert await bench.left() == []


async def test_what_shares_the_network_of_a_container_follows_it(bench: Bench) -> None:
    identity = await bench.have()
    side = f"{bench.name}-side"
    await bench.docker.create(
        side,
        image=f"{bench.images.name}:1",
        command=(),
        labels={"homelab.update.stable_s": "1"},
        NetworkMode=f"container:{identity}",
    )
    await wait_until(lambda: bench.sees(side), what="the agent to see it")
    status, answer = await bench.update("2")
    assert status == 200, answer
    new, follower = await asyncio.gather(
        bench.docker.inspect(bench.name), bench.docker.inspect(side)
    )
    assert follower["HostConfig"]["NetworkMode"] == f"container:{new['Id']}"
    assert follower["State"]["Running"]


async def test_what_removes_itself_is_refused_in_words(bench: Bench) -> None:
    identity = await bench.have(AutoRemove=True)
    status, answer = await bench.update("2")
    assert (status, answer["code"]) == (409, "conflict")
    assert "--rm" in answer["detail"]
    await bench.is_as_before(identity)


async def test_nothing_to_go_back_to_is_said(bench: Bench) -> None:
    await bench.have()
    status, answer = await bench.ask("POST", f"/containers/{bench.name}/rollback", {})
    assert status == 404
    assert "to roll back to" in answer["detail"]


async def test_a_protected_container_with_the_name_that_a_new_one_has_for_a_while_stays(
    bench: Bench,
) -> None:
    identity = await bench.have()
    other = await bench.docker.create(
        f"{bench.name}-homelab-new", start=False, labels={"homelab.protect": "true"}
    )
    status, answer = await bench.update("2")
    assert (status, answer["code"]) == (409, "protected"), answer
    assert (await bench.docker.inspect(other))["Id"] == other
    found = await bench.docker.inspect(bench.name)
    assert (found["Id"], found["State"]["Running"]) == (identity, True)
