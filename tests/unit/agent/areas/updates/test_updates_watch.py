"""What a person is told about newer images, and how often registries are bothered for it."""

import asyncio

import pytest

from homelab_agent.areas.containers.models import CONTAINER_KIND
from homelab_agent.areas.updates.models import CONTAINER_UPDATE_KIND, UpdateState
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.fakes.docker_engine import FakeDocker, Fault
from tests.fakes.registry import FakeRegistry, RegistryFault, fake_registry
from tests.harness.waiting import wait_until
from tests.unit.agent.areas.updates.conftest import INTERVAL_H, Area, area

OLD, NEW = "sha256:" + "1" * 64, "sha256:" + "2" * 64
VERSION = "org.opencontainers.image.version"
SOURCE = "org.opencontainers.image.source"


async def test_a_newer_image_is_told_of_with_versions_and_notes(live: Area) -> None:
    first = live.registry.push("team/app", "1", {VERSION: "1.0"})
    live.have(OLD, first, Config={"Labels": {VERSION: "1.0"}})
    live.run("app", f"{live.name}:1", OLD)
    current = await live.until("app", lambda shown: shown.state is UpdateState.CURRENT)
    assert (current.installed_version, current.latest_version) == ("1.0", "1.0")

    second = live.registry.push(
        "team/app", "1", {VERSION: "1.1", SOURCE: "https://github.com/team/app"}
    )
    live.clock.advance(hours=INTERVAL_H * 1.2)
    found = await live.until("app", lambda shown: shown.state is UpdateState.AVAILABLE)
    assert (found.installed_version, found.latest_version) == ("1.0", "1.1")
    assert found.latest_digest == second
    assert found.latest_image == f"{live.name}:1"
    assert found.release_notes_url == "https://github.com/team/app/releases"
    assert found.checked_at == live.clock.now


async def test_after_the_update_the_container_is_current_without_another_question(
    live: Area,
) -> None:
    first = live.registry.push("team/app", "1", {VERSION: "1.0"})
    second = live.registry.push("team/app", "1", {VERSION: "1.1"})
    live.have(OLD, first)
    live.run("app", f"{live.name}:1", OLD)
    await live.until("app", lambda shown: shown.state is UpdateState.AVAILABLE)
    asked = live.registry.count("HEAD")

    live.have(NEW, second)
    live.run("app", f"{live.name}:1", NEW)
    await live.until("app", lambda shown: shown.state is UpdateState.CURRENT)
    assert live.registry.count("HEAD") == asked


async def test_an_image_that_was_here_under_another_name_is_known_once_it_was_pulled(
    live: Area,
) -> None:
    first = live.registry.push("team/app", "1", {VERSION: "1.0"})
    live.have(NEW)
    live.run("own", "own-build:1", NEW)
    await live.until("own", lambda shown: shown.state is UpdateState.LOCAL)

    live.have(NEW, first)
    live.run("app", f"{live.name}:1", NEW)
    await live.until("app", lambda shown: shown.state is UpdateState.CURRENT)


async def test_a_registry_that_moved_on_meanwhile_is_asked_again_after_the_update(
    live: Area,
) -> None:
    first = live.registry.push("team/app", "1", {VERSION: "1.0"})
    live.have(OLD, first)
    live.run("app", f"{live.name}:1", OLD)
    await live.until("app", lambda shown: shown.state is UpdateState.CURRENT)

    third = live.registry.push("team/app", "1", {VERSION: "1.2"})
    live.have(NEW, third)
    live.run("app", f"{live.name}:1", NEW)
    await live.until("app", lambda shown: shown.state is UpdateState.CURRENT)


async def test_what_registries_said_of_images_that_are_gone_does_not_fill_the_memory(
    live: Area,
) -> None:
    first = live.registry.push("team/app", "1", {VERSION: "1.0"})
    live.registry.push("team/app", "2", {VERSION: "1.0"})
    live.have(OLD, first)
    for key, tag in (("stays", "1"), ("goes", "2")):
        live.run(key, f"{live.name}:{tag}", OLD)
        await live.until(key, lambda shown: shown.state is UpdateState.CURRENT)
    stays, goes = live.board.follow("stays"), live.board.follow("goes")
    assert stays is not None
    assert goes is not None

    live.resources.remove(CONTAINER_KIND, "goes")
    live.clock.advance(hours=23)

    async def was_asked_again() -> bool:
        known = live.board.lookup(stays)
        return known is not None and known.checked_at == live.clock.now

    await wait_until(was_asked_again, what="the next look at what stays")
    assert live.board.lookup(goes) is not None
    live.clock.advance(hours=2)

    async def is_forgotten() -> bool:
        return live.board.lookup(goes) is None

    await wait_until(is_forgotten, what="the other one to be forgotten")
    assert live.board.lookup(stays) is not None


async def test_an_index_that_changed_for_other_processors_is_no_update(live: Area) -> None:
    first = live.registry.push_index("team/app", "1", {"linux/amd64": {"v": "1"}})
    live.have(OLD, first[""])
    live.registry.push_index(
        "team/app", "1", {"linux/amd64": {"v": "1"}, "linux/arm64": {"v": "1"}}
    )
    config = live.registry.config_digest(first["linux/amd64"])
    live.have(config, first[""])
    live.run("app", f"{live.name}:1", config)
    await live.until("app", lambda shown: shown.state is UpdateState.CURRENT)


async def test_many_containers_of_one_image_are_one_question(live: Area) -> None:
    live.have(OLD, live.registry.push("team/app", "1", {}))
    for number in range(50):
        live.run(f"app-{number}", f"{live.name}:1", OLD)
    for number in range(50):
        await live.until(f"app-{number}", lambda shown: shown.state is UpdateState.CURRENT)
    assert live.registry.count("HEAD") == 1


async def test_a_registry_that_is_away_sees_one_question_whatever_runs(live: Area) -> None:
    live.have(OLD, live.registry.push("team/app", "1", {}))
    live.registry.faults["HEAD"] = RegistryFault(status=503)
    today = live.clock().astimezone()  # as the machine's own clock shows it
    for number in range(100):
        live.run(f"app-{number}", f"{live.name}:{number}", OLD)
    for number in range(100):
        shown = await live.until(f"app-{number}", lambda shown: shown.checked_at is not None)
        assert shown.state is UpdateState.UNKNOWN
        assert shown.reason is not None
        assert "503 Service Unavailable" in shown.reason
        assert f"asked again after {today:%Y-%m-%d}" in shown.reason
    assert len(live.registry.asked) == 1


async def test_a_registry_that_hangs_delays_no_other(
    store: Store, clock: HandClock, docker: FakeDocker, registry: FakeRegistry
) -> None:
    async with (
        area(store, clock, docker, registry, deadline_s=4) as live,
        fake_registry() as slow,
    ):
        live.have(OLD, live.registry.push("team/app", "1", {}))
        slow.faults["HEAD"] = RegistryFault(hang=True)
        live.docker.add_image(NEW, RepoDigests=[f"{slow.address}/app@{NEW}"])
        live.run("a-slow", f"{slow.address}/app:1", NEW)
        live.run("quick", f"{live.name}:1", OLD)
        await live.until("quick", lambda shown: shown.state is UpdateState.CURRENT)
        shown = live.board.get("a-slow")
        assert shown is not None
        assert shown.checked_at is None
        shown = await live.until("a-slow", lambda shown: shown.checked_at is not None)
        assert "did not answer within" in (shown.reason or "")


async def test_registries_are_asked_one_thing_at_a_time(live: Area) -> None:
    for number in range(20):
        live.have(OLD, live.registry.push("team/app", str(number), {}))
        live.run(f"app-{number}", f"{live.name}:{number}", OLD)
    await live.until("app-19", lambda shown: shown.checked_at is not None)
    assert live.registry.busiest == 1


async def test_a_lie_about_the_digest_is_no_update(live: Area) -> None:
    live.have(OLD, live.registry.push("team/app", "1", {}))
    live.registry.lying_digest = "sha256:" + "9" * 64
    live.run("app", f"{live.name}:1", OLD)
    shown = await live.until("app", lambda shown: shown.checked_at is not None)
    assert shown.state is UpdateState.UNKNOWN
    assert "does not have it" in (shown.reason or "")


@pytest.mark.parametrize(
    ("image", "state", "words"),
    [
        ("{name}:1@sha256:" + "1" * 64, UpdateState.PINNED, "digest"),
        (OLD, UpdateState.PINNED, "id of an image"),
        ("elsewhere.example/app:1", UpdateState.LOCAL, "built or loaded"),
        ("HTTP://nonsense", UpdateState.UNKNOWN, "no name of an image"),
    ],
)
async def test_what_no_registry_has_to_be_asked_about_is_not_asked(
    live: Area, image: str, state: UpdateState, words: str
) -> None:
    live.have(OLD, live.registry.push("team/app", "1", {}))
    live.run("app", image.format(name=live.name), OLD)
    shown = await live.until("app", lambda shown: shown.state is state)
    assert words in (shown.reason or "")
    assert not live.registry.asked


@pytest.mark.parametrize(
    ("label", "state", "words"),
    [
        ("off", UpdateState.OFF, "switched off"),
        ("manual", UpdateState.UNKNOWN, "only when somebody asks"),
        ("sometimes", UpdateState.UNKNOWN, "homelab.update"),
    ],
)
async def test_a_label_decides_whether_a_registry_is_asked(
    live: Area, label: str, state: UpdateState, words: str
) -> None:
    live.have(OLD, live.registry.push("team/app", "1", {}))
    live.run("app", f"{live.name}:1", OLD, homelab_update=label)
    shown = await live.until("app", lambda shown: shown.state is state)
    assert words in (shown.reason or "")
    assert not live.registry.asked


async def test_a_manual_container_is_looked_at_when_a_person_asks(live: Area) -> None:
    live.have(OLD, live.registry.push("team/app", "1", {}))
    live.run("app", f"{live.name}:1", OLD, homelab_update="manual")
    await live.until("app", lambda shown: shown)
    follow = live.board.follow("app")
    assert follow is not None
    async with asyncio.timeout(30):
        await live.watch.request(follow).wait()
    await live.until("app", lambda shown: shown.state is UpdateState.CURRENT)


async def test_newer_tags_are_offered_where_a_pattern_asks_for_them(live: Area) -> None:
    live.have(OLD, live.registry.push("team/app", "1.9.0", {}))
    for tag in ("1.10.0", "1.11.0-rc1", "latest", "2.0.0-alpine"):
        live.registry.push("team/app", tag, {VERSION: tag})
    live.run("app", f"{live.name}:1.9.0", OLD, homelab_update_tags=r"\d+\.\d+\.\d+.*")
    found = await live.until("app", lambda shown: shown.state is UpdateState.AVAILABLE)
    assert found.latest_image == f"{live.name}:1.10.0"
    assert (found.installed_version, found.latest_version) == ("1.9.0", "1.10.0")


async def test_a_container_that_goes_takes_what_was_known_along(live: Area) -> None:
    live.have(OLD, live.registry.push("team/app", "1", {}))
    live.run("app", f"{live.name}:1", OLD)
    await live.until("app", lambda shown: shown.state is UpdateState.CURRENT)
    live.resources.remove(CONTAINER_KIND, "app")
    live.run("other", f"{live.name}:1", OLD)
    await live.until("other", lambda shown: shown.state is UpdateState.CURRENT)
    assert live.resources.keys(CONTAINER_UPDATE_KIND) == ("other",)
    assert live.registry.count("HEAD") == 1


async def test_an_engine_that_is_away_makes_nothing_unknown_that_was_known(live: Area) -> None:
    live.have(OLD, live.registry.push("team/app", "1", {}))
    live.run("app", f"{live.name}:1", OLD)
    await live.until("app", lambda shown: shown.state is UpdateState.CURRENT)
    path = f"GET images/{OLD}/json"
    live.docker.faults[path] = Fault(status=503)
    before = live.docker.calls[path]
    live.clock.advance(hours=INTERVAL_H * 1.2)
    shown = await live.until("app", lambda _: live.docker.calls[path] > before + 1)
    assert shown.state is UpdateState.CURRENT
    live.docker.faults.clear()
    await live.until("app", lambda shown: shown.checked_at == live.clock.now)


async def test_a_restart_asks_no_registry_anything(
    store: Store, clock: HandClock, docker: FakeDocker, registry: FakeRegistry
) -> None:
    digest = registry.push("team/app", "1", {})
    for _ in range(3):
        async with area(store, clock, docker, registry) as live:
            live.have(OLD, digest)
            live.run("app", f"{live.name}:1", OLD)
            shown = await live.until("app", lambda shown: shown.state is UpdateState.CURRENT)
            assert shown.checked_at == clock.now
    assert len(registry.asked) == 1


async def test_a_clock_that_was_years_ahead_does_not_hold_updates_back_for_years(
    live: Area,
) -> None:
    live.have(OLD, live.registry.push("team/app", "1", {}))
    live.clock.advance(days=4000)
    live.run("app", f"{live.name}:1", OLD)
    await live.until("app", lambda shown: shown.state is UpdateState.CURRENT)

    live.clock.advance(days=-4000)
    live.registry.push("team/app", "1", {VERSION: "2"})
    await live.until("app", lambda shown: shown.state is UpdateState.AVAILABLE)
