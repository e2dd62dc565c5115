"""A container gets a name with HTTPS and gives it back, with real parts only."""

import base64
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from tests.lab.provisioning_secrets import said_and_written, used_secrets
from tests.lab.provisioning_world import (
    SAYS,
    ZONE,
    ProvisioningWorld,
    provisioning_world,
)

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

HEADER = "a-key-that-only-the-service-gets"
PASSWORD = "a password that nobody shall read"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProvisioningWorld]:
    async with provisioning_world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    rows: list[str] = []
    yield rows
    print("\n| way | step | seconds |\n| --- | --- | --- |")  # noqa: T201
    print("\n".join(rows))  # noqa: T201


@pytest.mark.parametrize("way", ["caddy", "dns_01", "managed"])
async def test_a_container_is_served_with_a_certificate_and_all_is_as_before_afterwards(
    world: ProvisioningWorld, table: list[str], way: str
) -> None:
    name = f"{way.replace('_', '-')}.{ZONE}"
    if way == "managed":
        await world.asked("POST", "/managed-certificates", {"names": [name], "key": "own"})
    before = await world.picture()

    job = await world.ended(await world.provision(name, certificate=way))

    assert job["outcome"] == "done", job
    table += await _seconds(world, name, way, job)
    answer = await world.caddy.get(name, authority=world.root)
    assert SAYS in answer.text
    made = await world.asked("GET", f"/provisioning/{name}")
    assert made["provisioned"]
    assert made["certificate"] == way

    back = await world.ended(await world.deprovision(name))

    assert back["outcome"] == "done", back
    table += await _seconds(world, name, f"{way}, back", back)
    assert await world.picture() == before
    assert not await world.serves(name)


async def test_a_password_lets_in_and_is_nowhere_to_be_read(world: ProvisioningWorld) -> None:
    name = f"locked.{ZONE}"
    world.secrets |= {"password": PASSWORD, "header": HEADER}
    users = [{"username": "me", "password": PASSWORD}]
    options = {"login_required": True, "request_headers": {"X-Api-Key": HEADER}}

    job = await world.ended(await world.provision(name, options=options))

    # Nobody has a password yet, so that nobody is let in.
    assert job["outcome"] == "done", job
    assert (await world.caddy.get(name, authority=world.root)).status == 403
    options["request_headers"] = {"X-Api-Key": "*" * 10}

    job = await world.ended(await world.provision(name, options=options, basic_auth=users))

    assert job["outcome"] == "done", job
    assert HEADER in await world.caddy.config_text()
    assert (await world.caddy.get(name, authority=world.root)).status == 401
    said = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    let_in = await world.caddy.get(
        name, authority=world.root, headers={"Authorization": f"Basic {said}"}
    )
    assert SAYS in let_in.text
    await _require_no_secret(world)
    await world.ended(await world.deprovision(name))


async def test_no_secret_is_in_store_log_journal_answer_or_stream_while_one_is_up(
    world: ProvisioningWorld,
) -> None:
    name = f"secret.{ZONE}"
    users = [{"username": "me", "password": PASSWORD}]
    up = await world.ended(await world.provision(name, certificate="dns_01", basic_auth=users))
    assert up["outcome"] == "done", up

    await _require_no_secret(world)

    await world.ended(await world.deprovision(name))


async def _require_no_secret(world: ProvisioningWorld) -> None:
    texts = await said_and_written(world)
    secrets = used_secrets(world)
    leaks = [
        f"{what} in {where}"
        for what, forms in secrets.items()
        for where, text in texts.items()
        if any(form in text for form in forms)
    ]
    places = ", ".join(sorted(texts))
    print(  # noqa: T201
        f"\n{len(secrets)} secrets ({', '.join(secrets)}) looked for in {len(texts)} places "
        f"({places[:200]}...): {len(leaks)} found"
    )
    assert leaks == []
    # No key of an account either, in whatever form keys are written.
    forms = (b"PRIVATE KEY", b'"kty"', rb"\"kty\"")
    assert not [where for where, text in texts.items() if any(form in text for form in forms)]


async def _seconds(world: ProvisioningWorld, name: str, way: str, job: dict[str, Any]) -> list[str]:
    """Return how long each step took, as the domain's history has it."""
    history = await world.asked("GET", f"/domains/{name}/events?limit=100")
    begun = datetime.fromisoformat(job["created_at"])
    rows, total = [], 0.0
    for line in reversed(history["events"]):
        if line["job_id"] == job["id"] and line["type"] == "step":
            at = datetime.fromisoformat(line["at"])
            took_s = (at - begun).total_seconds()
            begun, total = at, total + took_s
            rows.append(f"| {way} | {line['step']} | {took_s:.2f} |")
    return [*rows, f"| {way} | all | {total:.2f} |"]
