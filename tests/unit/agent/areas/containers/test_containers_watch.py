"""What is published is what the engine does, at once and after every loss."""

import asyncio
import json
from datetime import UTC, datetime

from homelab_agent.areas.containers.models import EngineConnection
from homelab_agent.platform.engine.models import ContainerHealth, ContainerState, EngineRight
from tests.fakes.docker_engine import FakeContainer, FakeDocker, Fault
from tests.fakes.socket_proxy import only_reads, socket_proxy, without
from tests.fakes.watched import Watched, watched


def _state(live: Watched, key: str) -> ContainerState | None:
    container = live.container(key)
    return container.state if container else None


async def test_all_containers_are_published_when_the_engine_is_reached(
    docker: FakeDocker,
) -> None:
    docker.add("web")
    docker.add("job", running=False)
    async with watched(docker.url) as live:
        assert live.status.connection is EngineConnection.UNAVAILABLE
        await live.connected()

        assert _state(live, "web") is ContainerState.RUNNING
        assert _state(live, "job") is ContainerState.CREATED
        assert live.status.counts is not None
        assert (live.status.counts.running, live.status.counts.stopped) == (1, 1)
        assert live.status.host_name == "fake"


async def test_a_container_made_outside_appears_with_all_its_facts(
    docker: FakeDocker, live: Watched
) -> None:
    await live.connected()

    web = docker.add("web", running=False, labels={"a": "b"})
    docker.emit("create", web)

    await live.until(lambda: live.container("web"))
    container = live.container("web")
    assert container is not None
    assert (container.state, container.image, container.labels) == (
        ContainerState.CREATED,
        "busybox",
        {"a": "b"},
    )


async def test_a_state_is_right_from_the_event_alone(docker: FakeDocker, live: Watched) -> None:
    web = docker.add("web", health="healthy")
    await live.connected()
    docker.emit("create", web)
    await live.until(lambda: live.container("web"))
    docker.faults["GET containers/.*/json"] = Fault(hang=True)

    web.finished = datetime.now(UTC).isoformat()
    docker.emit("die", web, exitCode="137")
    await live.until(lambda: _state(live, "web") is ContainerState.EXITED)
    container = live.container("web")
    assert container is not None
    assert container.exit_code == 137
    assert container.health is ContainerHealth.NONE
    assert container.finished_at is not None

    docker.emit("start", web)
    await live.until(lambda: _state(live, "web") is ContainerState.RUNNING)
    container = live.container("web")
    assert container is not None
    assert container.exit_code is None
    assert container.started_at is not None
    assert container.started_at > container.finished_at
    assert container.health is ContainerHealth.STARTING

    docker.emit("health_status: unhealthy", web)
    await live.until(lambda: live.shown("web").health is ContainerHealth.UNHEALTHY)
    assert live.status.counts is not None
    assert live.status.counts.unhealthy == 1

    docker.emit("pause", web)
    await live.until(lambda: _state(live, "web") is ContainerState.PAUSED)
    docker.emit("unpause", web)
    await live.until(lambda: _state(live, "web") is ContainerState.RUNNING)
    docker.emit("destroy", web)
    await live.until(lambda: live.container("web") is None)


async def test_the_engines_own_facts_follow_an_event(docker: FakeDocker, live: Watched) -> None:
    await live.connected()
    web = docker.add("web")
    docker.emit("create", web)
    await live.until(lambda: live.container("web"))

    web.restart_count = 3
    web.ports = {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}
    docker.change(web, "restart")

    await live.until(lambda: live.shown("web").restart_count == 3)
    container = live.container("web")
    assert container is not None
    assert container.ports[0].host_port == 8080
    assert container.started_at == datetime.fromisoformat(web.started)


async def test_a_renamed_container_keeps_its_facts_under_the_new_name(
    docker: FakeDocker, live: Watched
) -> None:
    await live.connected()
    web = docker.add("web")
    docker.emit("create", web)
    await live.until(lambda: live.container("web"))

    web.name = "shop"
    docker.emit("rename", web, oldName="/web")

    await live.until(lambda: live.container("shop"))
    assert live.container("web") is None
    assert live.shown("shop").id == web.id


async def test_a_cut_stream_is_followed_again_and_nothing_is_missed(
    docker: FakeDocker, live: Watched
) -> None:
    web = docker.add("web")
    await live.connected()
    docker.emit("create", web)
    await live.until(lambda: live.container("web"))

    async with live.recorded() as changes:
        docker.cut_streams()
        docker.change(web, "stop")
        gone = docker.add("job")
        docker.emit("create", gone)
        docker.remove(gone)
        await live.until(lambda: _state(live, "web") is ContainerState.EXITED)
        await docker.wait_attached(2)

    # What happened in between is asked for, from the last event on.
    assert "since=" in [query for query in docker.queries if "/events?" in query][-1]
    # The engine answered all the time: it was never called unavailable.
    assert all(
        change.data.connection is EngineConnection.CONNECTED
        for change in changes
        if change.kind == "engine"
    )


async def test_the_stream_is_followed_again_as_often_as_it_is_cut(
    docker: FakeDocker, live: Watched
) -> None:
    web = docker.add("web")
    await live.connected()
    for times in range(1, 7):
        await docker.wait_attached(times)
        docker.cut_streams()

    await docker.wait_attached(7)
    docker.change(web, "pause")
    await live.until(lambda: _state(live, "web") is ContainerState.PAUSED)


async def test_an_absent_engine_is_said_with_since_and_reason_and_the_containers_stay(
    docker: FakeDocker, live: Watched
) -> None:
    web = docker.add("web")
    await live.connected()
    docker.emit("start", web)
    await live.until(lambda: live.container("web"))
    connected_since = live.status.since

    await docker.stop()
    await live.until(lambda: live.status.connection is EngineConnection.UNAVAILABLE)

    assert "no Docker socket" in str(live.status.reason)
    assert live.status.since > connected_since
    assert live.status.counts is None
    assert live.status.version == "28.5.2"
    assert live.container("web") is not None
    since = live.status.since

    # Another reason is no other absence.
    await docker.stop(keep_socket=True)
    await live.until(lambda: "Nobody answers" in str(live.status.reason))
    assert live.status.since == since
    await docker.stop()

    docker.containers.clear()
    docker.add("new")
    await docker.start()
    await live.until(lambda: live.status.connection is EngineConnection.CONNECTED)

    assert live.container("web") is None
    assert _state(live, "new") is ContainerState.RUNNING
    assert live.status.since > since
    assert live.status.reason is None


async def test_an_engine_that_comes_late_is_found() -> None:
    docker = FakeDocker()
    async with watched(docker.url) as live:
        await live.until(lambda: "no Docker socket" in str(live.status.reason))
        since = live.status.since
        docker.add("web")
        await docker.start()
        await live.connected()

        assert live.status.since > since
        assert live.container("web") is not None
    await docker.close()


async def test_an_engine_that_is_back_is_found_at_once_by_who_asks(docker: FakeDocker) -> None:
    await docker.stop()
    async with watched(docker.url, delays_s=(300,)) as live:
        await live.until(lambda: "no Docker socket" in str(live.status.reason))
        await live.watch.look()
        assert live.status.connection is EngineConnection.UNAVAILABLE
        docker.add("web")
        await docker.start()

        async with asyncio.timeout(10):
            await live.watch.look()

        assert live.status.connection is EngineConnection.CONNECTED
        assert live.container("web") is not None


async def test_a_right_that_was_granted_is_found_at_once_by_all_who_ask(
    docker: FakeDocker,
) -> None:
    forbidden = without("/images/json")
    async with socket_proxy(str(docker.socket), forbidden) as proxy, watched(proxy.url) as live:
        await live.connected()
        assert EngineRight.IMAGES_READ in live.status.missing_rights
        proxy.allows = lambda _method, _path: True

        async with asyncio.timeout(10):
            await asyncio.gather(*(live.watch.look() for _ in range(3)))

        assert not live.status.missing_rights
        since = live.status.since
        await live.watch.look()
        assert live.status.since == since


async def test_events_from_before_the_list_do_not_bring_old_states_back(
    docker: FakeDocker, live: Watched
) -> None:
    web = docker.add("web")
    await live.connected()
    docker.emit("create", web)
    await live.until(lambda: live.container("web"))
    old = [json.dumps(docker.emit("die", web, exitCode="9")), json.dumps(docker.emit("start", web))]
    docker.change(web, "restart")
    await live.until(lambda: live.shown("web").started_at == datetime.fromisoformat(web.started))

    async with live.recorded() as changes:
        docker.send("".join(f"{line}\n" for line in old).encode())
        docker.emit("pause", web)
        await live.until(lambda: _state(live, "web") is ContainerState.PAUSED)

    states = [c.data.state for c in changes if c.kind == "container" and c.data]
    assert ContainerState.EXITED not in states


async def test_a_flood_of_events_does_not_become_a_flood_of_questions(
    docker: FakeDocker, live: Watched
) -> None:
    web = docker.add("web", health="healthy")
    await live.connected()
    docker.emit("create", web)
    await live.until(lambda: live.container("web"))
    before = docker.calls[f"GET containers/{web.id}/json"]

    for number in range(500):
        docker.emit(f"health_status: {'un' if number % 2 else ''}healthy", web)
    web.health = "starting"
    docker.emit("health_status: starting", web)
    await live.until(lambda: live.shown("web").health is ContainerHealth.STARTING)

    assert docker.calls[f"GET containers/{web.id}/json"] - before < 250


async def test_one_container_that_cannot_be_read_does_not_stop_the_others(
    docker: FakeDocker, live: Watched
) -> None:
    await live.connected()
    broken, web = docker.add("broken"), docker.add("web")
    docker.faults[f"GET containers/{broken.id}/json"] = Fault(500, '{"message": "layer gone"}')
    docker.emit("start", broken)
    docker.emit("start", web)

    await live.until(lambda: live.container("web"))


async def test_what_no_event_told_is_found_by_the_watchdog(docker: FakeDocker) -> None:
    async with watched(docker.url, resync_interval_s=0.05) as live:
        await live.connected()
        web = docker.add("web")
        await live.until(lambda: live.container("web"))

        web.status = "exited"
        await live.until(lambda: _state(live, "web") is ContainerState.EXITED)

        # A stream that told nothing of that is not trusted any more.
        assert docker.attachments >= 2


async def test_the_watchdog_does_not_renew_since_when_the_engine_is_there(
    docker: FakeDocker,
) -> None:
    async with watched(docker.url, resync_interval_s=0.01) as live:
        await live.connected()
        since = live.status.since
        for number in range(3):
            docker.add(f"new{number}")
            await live.until(lambda number=number: live.container(f"new{number}"))  # type: ignore[misc]

        assert live.status.since == since


async def test_an_engine_that_hangs_is_noticed_by_the_watchdog(docker: FakeDocker) -> None:
    async with watched(docker.url, resync_interval_s=0.05, deadline_s=0.3) as live:
        await live.connected()
        docker.faults[".*"] = Fault(hang=True)
        await live.until(lambda: live.status.connection is EngineConnection.UNAVAILABLE)
        assert "does not answer" in str(live.status.reason)

        docker.faults.clear()
        await live.connected()


async def test_an_engine_that_hangs_silently_is_noticed_long_before_the_watchdog(
    docker: FakeDocker,
) -> None:
    async with watched(docker.url, ping_s=0.05, deadline_s=0.3) as live:
        await live.connected()
        docker.faults[".*"] = Fault(hang=True)
        await live.until(lambda: live.status.connection is EngineConnection.UNAVAILABLE)


async def test_an_event_during_the_list_wins_over_the_list(docker: FakeDocker) -> None:
    web = docker.add("web")
    async with watched(docker.url, resync_interval_s=0.01) as live:
        await live.connected()
        async with live.recorded() as changes:
            for _ in range(20):
                docker.change(web, "pause")
                await live.until(lambda: _state(live, "web") is ContainerState.PAUSED)
                docker.change(web, "unpause")
                await live.until(lambda: _state(live, "web") is ContainerState.RUNNING)

        states = [c.data.state for c in changes if c.kind == "container" and c.data]
        assert states == [ContainerState.PAUSED, ContainerState.RUNNING] * 20


async def test_behind_a_proxy_that_only_reads_the_states_stay_live(docker: FakeDocker) -> None:
    web = docker.add("web")
    async with socket_proxy(str(docker.socket), only_reads) as proxy, watched(proxy.url) as live:
        await live.connected()
        assert EngineRight.CONTAINERS_CONTROL in live.status.missing_rights
        assert EngineRight.CONTAINERS_READ not in live.status.missing_rights

        docker.change(web, "pause")
        await live.until(lambda: _state(live, "web") is ContainerState.PAUSED)


async def test_behind_a_proxy_without_events_the_states_are_polled(
    docker: FakeDocker,
) -> None:
    web = docker.add("web")
    async with (
        socket_proxy(str(docker.socket), without("/events")) as proxy,
        watched(proxy.url, resync_interval_s=0.05) as live,
    ):
        await live.connected()
        docker.change(web, "pause")
        await live.until(lambda: _state(live, "web") is ContainerState.PAUSED)

        # Once the right is given, the events are followed.
        proxy.allows = only_reads
        await docker.wait_attached(1)
        await live.until(lambda: EngineRight.EVENTS not in live.status.missing_rights)


async def test_behind_a_proxy_that_hides_the_containers_that_is_said(docker: FakeDocker) -> None:
    docker.add("web")
    async with (
        socket_proxy(str(docker.socket), without("/containers")) as proxy,
        watched(proxy.url) as live,
    ):
        await live.connected()

        assert EngineRight.CONTAINERS_READ in live.status.missing_rights
        assert live.status.counts is None


def _composed(docker: FakeDocker, name: str, **facts: object) -> FakeContainer:
    labels = {
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": "web",
        "com.docker.compose.container-number": "1",
    }
    return docker.add(name, labels=labels, **facts)


async def test_a_compose_recreate_never_takes_the_container_away(
    docker: FakeDocker, live: Watched
) -> None:
    old = _composed(docker, "shop-web-1")
    await live.connected()
    docker.emit("create", old)
    await live.until(lambda: live.container("shop:web:1"))

    async with live.recorded() as changes:
        new = _composed(docker, f"{old.id[:12]}_shop-web-1", running=False)
        docker.emit("create", new)
        await asyncio.sleep(0.05)
        assert live.shown("shop:web:1").id == old.id
        docker.change(old, "stop")
        await live.until(lambda: live.shown("shop:web:1").id == new.id)
        docker.remove(old)
        new.name = "shop-web-1"
        docker.emit("rename", new, oldName=f"/{old.id[:12]}_shop-web-1")
        docker.change(new, "start")
        await live.until(lambda: _state(live, "shop:web:1") is ContainerState.RUNNING)

    assert live.shown("shop:web:1").name == "shop-web-1"
    assert [c for c in changes if c.kind == "container" and c.data is None] == []
    assert {c.key for c in changes if c.kind == "container"} == {"shop:web:1"}


async def test_removed_and_run_again_under_the_same_name_is_the_same_container(
    docker: FakeDocker, live: Watched
) -> None:
    old = docker.add("web")
    await live.connected()
    docker.emit("create", old)
    await live.until(lambda: live.container("web"))
    docker.remove(old)
    new = docker.add("web")
    docker.emit("create", new)
    docker.emit("start", new)

    await live.until(lambda: live.container("web") and live.shown("web").id == new.id)


async def test_labels_that_make_no_sense_cost_nobody_their_containers(
    docker: FakeDocker, live: Watched
) -> None:
    await live.connected()
    labels = {
        "com.docker.compose.project": "a",
        "com.docker.compose.service": "b",
        "com.docker.compose.container-number": "9" * 5000,
        "exitCode": "9" * 4000,
    }
    odd = docker.add("odd", labels=labels)
    docker.emit("create", odd)
    await live.until(lambda: live.container("a:b:1"))
    docker.faults[f"GET containers/{odd.id}/json"] = Fault(hang=True)

    # Docker mixes the labels into what an event tells.
    docker.emit("die", odd, exitCode=labels["exitCode"])

    await live.until(lambda: _state(live, "a:b:1") is ContainerState.EXITED)
    assert live.shown("a:b:1").exit_code is None


async def test_a_lost_engine_is_looked_for_at_once_before_the_first_wait(
    docker: FakeDocker,
) -> None:
    async with watched(docker.url, delays_s=(3600,)) as live:
        await live.connected()
        await docker.wait_attached(1)
        docker.cut_streams()
        await docker.wait_attached(2)

    async with watched(docker.url, delays_s=(3600,)) as live:
        await live.connected()
        await docker.stop()
        await live.until(lambda: live.status.connection is EngineConnection.UNAVAILABLE)
