"""Whoever serves a certificate gets it: Caddy, a container, a full disk's owner an explanation."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio

from tests.harness.caddy import Caddy
from tests.harness.docker import Docker
from tests.harness.waiting import wait_until
from tests.lab.renewal_world import ZONE, RenewalWorld

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

COUNTS_HUPS = ("sh", "-c", "trap 'echo hup >> /hups' HUP; while :; do sleep 0.1; done")
DEAF = ("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
DISK = "size=128k"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caddy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Caddy]:
    async with Caddy(tmp_path_factory.mktemp("caddy")) as caddy:
        yield caddy


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    tmp_path_factory: pytest.TempPathFactory, caddy: Caddy
) -> AsyncIterator[RenewalWorld]:
    async with RenewalWorld(tmp_path_factory.mktemp("renewal")) as world:
        await world.done(
            "PUT",
            "/proxy/setup",
            {
                "mode": "own",
                "admin": f"unix/{caddy.admin_socket}",
                "http_port": caddy.http_port,
                "https_port": caddy.https_port,
            },
        )
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def docker() -> AsyncIterator[Docker]:
    async with Docker() as docker:
        yield docker


async def seen(world: RenewalWorld, name: str) -> str:
    async def there() -> bool:
        return (await world.ask("GET", f"/containers/{name}"))[0] == 200

    await wait_until(there, what=f"the agent to see {name}")
    return name


async def started_at(docker: Docker, name: str) -> str:
    found: str = (await docker.inspect(name))["State"]["StartedAt"]
    return found


async def test_caddy_shows_it_at_once_and_the_renewed_one_too(
    world: RenewalWorld, caddy: Caddy
) -> None:
    key = f"served.{ZONE}"
    status, answer = await world.issue(key, hand_over={"caddy": True})
    assert status == 200, answer
    for _ in range(2):
        config = str(await caddy.config())
        pem = (world.certificates / key / "cert.pem").read_text()
        assert pem.splitlines()[5] in config
        await world.renew(key)


async def test_a_caddy_that_is_away_is_told_and_given_it_when_it_is_back(
    world: RenewalWorld, caddy: Caddy
) -> None:
    key = f"later.{ZONE}"
    await caddy.stop()
    status, _ = await world.issue(key, hand_over={"caddy": True})
    assert status >= 400
    found = await world.certificate(key)
    assert (found["state"], found["failure"]["step"]) == ("failing", "hand_over")
    assert "Caddy did not take it" in found["failure"]["message"]
    await world.require_fits(key)
    await caddy.start()
    serial = found["serial"]
    await world.renew(key)
    assert (await world.certificate(key))["state"] == "valid"
    assert serial is not None


async def test_a_container_is_restarted_once_its_certificate_is_there(
    world: RenewalWorld, docker: Docker
) -> None:
    name = f"renewal-{token_hex(4)}"
    await docker.create(name)
    await seen(world, name)
    before = await started_at(docker, name)
    hand_over = {"container": name, "after": "restart", "folder": name}
    status, answer = await world.issue(f"restarts.{ZONE}", hand_over=hand_over)
    assert status == 200, answer
    assert await started_at(docker, name) != before
    await world.require_fits(name)


async def test_a_container_gets_a_signal_and_goes_on_running(
    world: RenewalWorld, docker: Docker
) -> None:
    name = f"renewal-{token_hex(4)}"
    await docker.create(name, command=COUNTS_HUPS)
    await seen(world, name)
    before = await started_at(docker, name)
    hand_over = {"container": name, "after": "signal_hup"}
    status, answer = await world.issue(f"signals.{ZONE}", hand_over=hand_over)
    assert status == 200, answer
    assert await started_at(docker, name) == before
    assert (await docker.inspect(name))["State"]["Running"]


async def test_a_protected_container_is_refused_before_anything_is_ordered(
    world: RenewalWorld, docker: Docker
) -> None:
    name = f"renewal-{token_hex(4)}"
    await docker.create(name, labels={"homelab.protect": "true"})
    await seen(world, name)
    hand_over = {"container": name, "after": "restart"}
    status, answer = await world.issue(f"protected.{ZONE}", hand_over=hand_over)
    assert (status, answer["code"]) == (409, "protected")
    assert answer["field"] == "hand_over.container"
    assert (await world.ask("GET", f"/managed-certificates/protected.{ZONE}"))[0] == 404


async def test_killed_while_a_container_stops_everybody_has_it_afterwards(
    world: RenewalWorld, docker: Docker
) -> None:
    name, key = f"renewal-{token_hex(4)}", f"deaf.{ZONE}"
    await docker.create(name, command=DEAF)
    await seen(world, name)
    before = await started_at(docker, name)
    hand_over = {"container": name, "after": "restart", "caddy": True}
    await world.issue(key, hand_over=hand_over, wait_s=0)

    async def stopping() -> bool:
        jobs: list[dict[str, Any]] = (await world.done("GET", "/jobs?state=running"))["jobs"]
        return any(job["kind"] == "containers.restart" for job in jobs)

    await wait_until(stopping, what="the container to be restarted", within_s=60)
    await world.agent.kill()
    await world.agent.start()
    await world.until_state(key, "valid", within_s=90)

    async def restarted() -> bool:
        return await started_at(docker, name) != before

    await wait_until(restarted, what="the container to be back", within_s=60)

    async def quiet() -> bool:
        return not (await world.done("GET", "/jobs?state=running"))["jobs"]

    await wait_until(quiet, what="all jobs to end", within_s=60)
    assert (await world.certificate(key))["failure"] is None


async def test_a_full_disk_leaves_the_certificate_of_before_whole(tmp_path: Path) -> None:
    folder, key = tmp_path / "certificates", f"full.{ZONE}"
    folder.mkdir()
    await run("mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(folder))
    try:
        settings = {"HOMELAB_CERTIFICATES_DIR": str(folder)}
        async with RenewalWorld(tmp_path / "world", settings=settings) as world:
            status, answer = await world.issue(key)
            assert status == 200, answer
            before = (folder / key / "privkey.pem").read_text()
            await asyncio.to_thread(fill, folder / "filled")
            path = f"/managed-certificates/{key}/renew"
            status, answer = await world.ask("POST", path, {"wait_s": 60})
            assert status >= 400
            found = await world.certificate(key)
            assert found["failure"]["step"] == "store"
            assert "Make room" in found["failure"]["what_to_do"]
            assert (folder / key / "privkey.pem").read_text() == before
            (folder / "filled").unlink()
            await world.done("POST", path, {"wait_s": 60})
            assert (await world.certificate(key))["failure"] is None
            assert (folder / key / "privkey.pem").read_text() != before
            assert await world.txt_left() == []
    finally:
        await run("umount", "--lazy", str(folder))


def fill(file: Path) -> None:
    """Leave no byte of a disk."""
    with file.open("wb", buffering=0) as opened:
        try:
            while True:
                opened.write(bytes(4096))
        except OSError:
            return


async def run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0, command
