"""Stacks on a real engine with the real docker compose."""

import asyncio
import json
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.harness.agent import Agent
from tests.harness.docker import Docker
from tests.harness.waiting import wait_until
from tests.lab.network import run

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

SLEEPS = """["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait $$!; done"]"""
IMAGE = f"image: busybox, network_mode: none, command: {SLEEPS}"
WEB = f"""
services:
  web:
    image: busybox
    network_mode: none
    command: {SLEEPS}
    environment: {{GREETING: hello}}
"""


class Stacks:
    """The API of an agent as two callers: one that may operate, and an admin."""

    def __init__(self, agent: Agent, operator: str, admin: str) -> None:
        self.agent = agent
        self.stacks_dir = agent.data_dir / "stacks"
        self._operator = operator
        self._admin = admin

    async def ask(
        self, method: str, path: str, body: object = None, *, admin: bool = False
    ) -> tuple[int, Any]:
        """Return status and answer."""
        token = self._admin if admin else self._operator
        return await self.agent.ask(method, path, body, token=token)

    async def get(self, name: str) -> dict[str, Any] | None:
        """Return a stack, None where there is none."""
        status, answer = await self.ask("GET", f"/stacks/{name}")
        return answer if status == 200 else None

    async def plan(self, name: str, compose: str, **more: object) -> tuple[int, Any]:
        """Return the plan of a text."""
        return await self.ask("POST", f"/stacks/{name}/plan", {"compose": compose, **more})

    async def deploy(
        self, name: str, compose: str, *, admin: bool = False, **more: object
    ) -> tuple[int, Any]:
        """Deploy a text and wait for the end."""
        body = {"compose": compose, "wait_s": 120, "pull": False, **more}
        return await self.ask("PUT", f"/stacks/{name}", body, admin=admin)

    async def command(self, name: str, verb: str) -> dict[str, Any]:
        """Do a command that must succeed."""
        status, answer = await self.ask("POST", f"/stacks/{name}/{verb}", {"wait_s": 120})
        assert status == 200, answer
        found: dict[str, Any] = answer
        return found

    async def becomes(self, name: str, **wanted: object) -> dict[str, Any]:
        """Wait until a stack is as wanted."""

        async def so() -> dict[str, Any] | None:
            stack = await self.get(name)
            return stack if stack and {key: stack[key] for key in wanted} == wanted else None

        return await wait_until(so, what=f"{name} to be {wanted}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stacks(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stacks]:
    async with Agent(tmp_path_factory.mktemp("agent")) as agent:
        operator = await agent.create_token("operator")
        admin = await agent.create_token("admin", "admin")
        yield Stacks(agent, operator, admin)


@pytest_asyncio.fixture(loop_scope="module")
async def name() -> AsyncIterator[str]:
    """The name of a stack of which nothing is left afterwards."""
    name = f"stk-{uuid4().hex[:8]}"
    yield name
    await run("docker", "compose", "--project-name", name, "down", "--volumes", "--timeout", "1")
    await _remove_volumes(name)


async def _remove_volumes(name: str) -> None:
    label = f"label=com.docker.compose.project={name}"
    volumes = (await run("docker", "volume", "ls", "--quiet", "--filter", label)).split()
    if volumes:
        await run("docker", "volume", "rm", *volumes)


async def compose_up(folder: Path, name: str, text: str, *more: str) -> None:
    (folder / "compose.yaml").write_text(text)
    await run(
        *("docker", "compose", "--project-name", name, "--project-directory", str(folder)),
        *("--file", str(folder / "compose.yaml"), *more, "up", "--detach"),
    )


async def world(name: str) -> str:
    """Return all there is of a stack, to be compared with later."""
    label = f"label=com.docker.compose.project={name}"
    rows = [
        await run("docker", kind, "ls", *more, "--no-trunc", "--quiet", "--filter", label)
        for kind, *more in (("container", "--all"), ("network",))
    ]
    ids = rows[0].split()
    states = await run("docker", "inspect", "--format", "{{.State}}", *ids) if ids else ""
    return "\n".join((*rows, states))


# --- found from labels


async def test_a_stack_that_compose_started_is_shown_with_what_it_is(
    stacks: Stacks, name: str, tmp_path: Path
) -> None:
    text = f"""
    services:
      db:
        image: busybox
        network_mode: none
        command: {SLEEPS}
        healthcheck: {{test: ["CMD", "true"], interval: 1s}}
      once:
        image: busybox
        network_mode: none
        command: ["true"]
      web:
        image: busybox
        network_mode: none
        command: {SLEEPS}
        depends_on:
          db: {{condition: service_healthy}}
          once: {{condition: service_completed_successfully}}
    """
    await compose_up(tmp_path, name, textwrap.dedent(text))
    stack = await stacks.becomes(name, state="running", running=2, total=3)
    assert stack["problem"] is None
    assert stack["files_reason"] is None
    assert not stack["managed"]
    by_name = {each["name"]: each for each in stack["services"]}
    assert by_name["web"]["depends_on"] == ["db", "once"]
    assert by_name["db"]["containers"] == [f"{name}:db:1"]

    await run("docker", "kill", f"{name}-web-1")
    stack = await stacks.becomes(name, state="degraded")
    assert stack["problem"] == "web exited with code 137"

    stopped = await stacks.command(name, "stop")
    assert stopped["outcome"] == "done"
    assert [step["name"] for step in stopped["job"]["steps"]] == ["stop db"]
    await stacks.becomes(name, state="stopped", running=0)

    started = await stacks.command(name, "start")
    steps = [step["name"] for step in started["job"]["steps"]]
    assert steps == ["start db", "start once", "start web"]
    await stacks.becomes(name, state="running", running=2)

    restarted = await stacks.command(name, "restart")
    steps = [step["name"] for step in restarted["job"]["steps"]]
    assert steps == ["stop web", "stop db", "start db", "start web"]
    assert (await stacks.becomes(name, state="running", running=2))["problem"] is None


async def test_a_stack_whose_files_are_elsewhere_is_commanded_all_the_same_and_says_so(
    stacks: Stacks, name: str
) -> None:
    labels = {
        "com.docker.compose.project": name,
        "com.docker.compose.service": "web",
        "com.docker.compose.container-number": "1",
        "com.docker.compose.project.config_files": "/nowhere/compose.yaml",
        "com.docker.compose.project.working_dir": "/nowhere",
    }
    async with Docker() as docker:
        await docker.create(f"{name}-web-1", labels=labels)
        stack = await stacks.becomes(name, state="running")
        assert "not within the agent's reach" in stack["files_reason"]
        await stacks.command(name, "stop")
        await stacks.becomes(name, state="stopped")
        status, answer = await stacks.ask("GET", f"/stacks/{name}/file")
        assert status == 409
        assert "not within the agent's reach" in answer["detail"]

        # Taking it over cannot be taken back, which an admin is to know.
        status, plan = await stacks.plan(name, WEB.replace("busybox", "busybox:latest"))
        assert [each["field"] for each in plan["findings"]] == ["name"]
        assert "takes it over" in plan["notes"][0]
        assert "-    image: busybox" in plan["diff"]


async def test_a_service_that_cannot_start_is_named_and_what_runs_is_left_running(
    stacks: Stacks, name: str, tmp_path: Path
) -> None:
    text = f"""
    services:
      db: {{image: busybox, network_mode: none, command: {SLEEPS}}}
      web:
        image: busybox
        network_mode: none
        command: {SLEEPS}
        volumes: ["{tmp_path}/file:/file"]
        depends_on: [db]
    """
    (tmp_path / "file").write_text("")
    await compose_up(tmp_path, name, textwrap.dedent(text))
    await stacks.becomes(name, state="running", running=2)
    await stacks.command(name, "stop")
    await stacks.becomes(name, state="stopped")
    (tmp_path / "file").unlink()
    (tmp_path / "file").mkdir()
    status, answer = await stacks.ask("POST", f"/stacks/{name}/start", {"wait_s": 60})
    assert status >= 400
    assert answer["detail"].startswith("web could not be started")
    stack = await stacks.becomes(name, state="degraded", running=1)
    assert stack["problem"].startswith("web exited")


async def test_a_stack_with_a_protected_container_is_not_stopped(
    stacks: Stacks, name: str, tmp_path: Path
) -> None:
    await compose_up(tmp_path, name, WEB + '    labels: {homelab.protect: "true"}\n')
    stack = await stacks.becomes(name, state="running")
    assert "homelab.protect" in stack["protected_reason"]
    before = await world(name)
    for method, path, body in (
        ("POST", "stop", {}),
        ("POST", "restart", {}),
        ("POST", "down", {}),
        ("POST", "update", {}),
        ("PUT", "", {"compose": WEB}),
    ):
        status, answer = await stacks.ask(method, f"/stacks/{name}/{path}".rstrip("/"), body)
        assert (status, answer["code"]) == (409, "protected"), path
    assert await world(name) == before


# --- plan and deploy

DATA = f"""
services:
  web:
    image: busybox
    network_mode: none
    command: {SLEEPS}
    env_file: .env
    environment:
      GREETING: ${{GREETING:-hello}}
      DB_PASSWORD: ${{DB_PASSWORD:?a password is needed}}
    volumes: ["data:/data", "./files:/files"]
volumes: {{data: {{}}}}
"""
PASSWORD = 'it\'s $ecret "7"'


async def environment_of(container: str) -> list[str]:
    """Return the environment that a container really has."""
    found: list[str] = json.loads(
        await run("docker", "inspect", "--format", "{{json .Config.Env}}", container)
    )
    return found


async def test_a_plan_shows_everything_and_the_deployment_is_what_was_planned(
    stacks: Stacks, name: str
) -> None:
    environment = {"DB_PASSWORD": PASSWORD, "TAG": "1"}
    status, plan = await stacks.plan(name, DATA, environment=environment)
    assert status == 200, plan
    assert plan["new"]
    assert (plan["created"], plan["images"], plan["findings"]) == (["web"], ["busybox"], [])
    assert "+    image: busybox" in plan["diff"]
    assert "ecret" not in json.dumps(plan)
    assert await stacks.get(name) is None

    status, refused = await stacks.deploy(
        name, DATA, environment={**environment, "TAG": "2"}, plan_hash=plan["hash"]
    )
    assert (status, refused["field"]) == (409, "plan_hash")
    status, done = await stacks.deploy(name, DATA, environment=environment, plan_hash=plan["hash"])
    assert (status, done["outcome"]) == (200, "done"), done
    stack = await stacks.becomes(name, state="running", managed=True, version=1)
    assert stack["files_reason"] is None
    inside = await environment_of(f"{name}-web-1")
    assert {f"DB_PASSWORD={PASSWORD}", "GREETING=hello"} <= set(inside)

    # The same once more changes nothing at all.
    before = await world(name)
    _, plan = await stacks.plan(name, DATA)
    assert (plan["created"], plan["changed"], plan["removed"], plan["diff"]) == ([], [], [], "")
    assert (await stacks.deploy(name, DATA))[1]["outcome"] == "done"
    assert await world(name) == before


async def test_a_changed_config_or_secret_reaches_the_service_that_has_it_and_no_other(
    stacks: Stacks, name: str
) -> None:
    text = f"""
services:
  web: {{{IMAGE}}}
  api: {{{IMAGE}, configs: [greeting], secrets: [word]}}
configs: {{greeting: {{content: "good ${{PART}}"}}}}
secrets: {{word: {{environment: WORD}}}}
"""

    async def written() -> str:
        paths = ("/greeting", "/run/secrets/word")
        return await run("docker", "exec", f"{name}-api-1", "cat", *paths)

    first = {"PART": "morning", "WORD": "sesame"}
    assert (await stacks.deploy(name, text, environment=first))[1].get("outcome") == "done"
    assert await written() == "good morningsesame"
    web = await run("docker", "inspect", "--format", "{{.Id}}", f"{name}-web-1")

    _, plan = await stacks.plan(name, text, environment=first)
    assert plan["changed"] == []
    second = {"PART": "evening", "WORD": "poppy"}
    _, plan = await stacks.plan(name, text, environment=second)
    assert plan["changed"] == ["api"]
    _, done = await stacks.deploy(name, text, environment=second, plan_hash=plan["hash"])
    assert done.get("outcome") == "done", done
    assert await written() == "good eveningpoppy"
    assert web == await run("docker", "inspect", "--format", "{{.Id}}", f"{name}-web-1")


async def test_every_version_is_kept_with_its_values_and_comes_back_when_asked(
    stacks: Stacks, name: str
) -> None:
    await stacks.deploy(name, DATA, environment={"DB_PASSWORD": PASSWORD})
    changed = DATA.replace("GREETING:-hello", "GREETING:-goodbye")
    _, plan = await stacks.plan(name, changed)
    assert plan["changed"] == ["web"]
    assert "-      GREETING: hello" in plan["diff"]
    assert "+      GREETING: goodbye" in plan["diff"]
    _, done = await stacks.deploy(name, changed)
    assert done["outcome"] == "done", done
    await stacks.becomes(name, state="running", version=2)

    _, history = await stacks.ask("GET", f"/stacks/{name}/history")
    versions = history["versions"]
    assert [(each["version"], each["current"]) for each in versions] == [(2, True), (1, False)]
    assert versions[0]["caller"] == "operator"
    assert "GREETING: goodbye" in versions[0]["diff"]
    _, file = await stacks.ask("GET", f"/stacks/{name}/file?version=1")
    assert (file["compose"], file["environment"]) == (DATA, ["DB_PASSWORD"])

    body = {"version": 1, "wait_s": 60}
    _, done = await stacks.ask("POST", f"/stacks/{name}/restore", body)
    assert done["outcome"] == "done", done
    await stacks.becomes(name, version=3)
    inside = await environment_of(f"{name}-web-1")
    assert {f"DB_PASSWORD={PASSWORD}", "GREETING=hello"} <= set(inside)
    # Nothing of the values is anywhere but in the stack's own files.
    for file_of_agent in stacks.agent.data_dir.iterdir():
        if file_of_agent.is_file():
            assert b"$ecret" not in file_of_agent.read_bytes(), file_of_agent


async def test_taking_a_stack_down_keeps_its_data_until_an_admin_says_otherwise_twice(
    stacks: Stacks, name: str
) -> None:
    volume = f"{name}_data"
    await stacks.deploy(name, DATA, environment={"DB_PASSWORD": PASSWORD})
    await stacks.becomes(name, state="running")
    assert (await stacks.command(name, "down"))["outcome"] == "done"
    await stacks.becomes(name, state="unknown", total=0)
    assert volume in await run("docker", "volume", "ls", "--quiet")

    assert (await stacks.command(name, "start"))["outcome"] == "done"
    await stacks.becomes(name, state="running", version=2)

    body: dict[str, object] = {"volumes": True, "forget": True, "wait_s": 60}
    status, refused = await stacks.ask("POST", f"/stacks/{name}/down", body, admin=True)
    assert (status, refused["field"]) == (422, "confirm")
    body["confirm"] = name
    status, refused = await stacks.ask("POST", f"/stacks/{name}/down", body)
    assert (status, refused["code"]) == (403, "denied")
    assert volume in await run("docker", "volume", "ls", "--quiet")

    kept, labels = f"{name}_kept", (f"com.docker.compose.project={name}", "homelab.protect=true")
    await run("docker", "volume", "create", *(f"--label={each}" for each in labels), kept)
    status, refused = await stacks.ask("POST", f"/stacks/{name}/down", body, admin=True)
    assert (status, refused["code"], refused["field"]) == (409, "protected", "volumes")
    assert kept in refused["detail"]
    await stacks.becomes(name, state="running")
    await run("docker", "volume", "rm", kept)

    _, done = await stacks.ask("POST", f"/stacks/{name}/down", body, admin=True)
    assert done["outcome"] == "done", done
    assert volume not in await run("docker", "volume", "ls", "--quiet")

    async def gone() -> bool:
        return await stacks.get(name) is None

    await wait_until(gone, what="the stack to be forgotten")


async def test_taking_a_stack_down_with_its_data_leaves_the_data_of_others(
    stacks: Stacks, name: str
) -> None:
    text = f"""
    services:
      web:
        image: busybox
        network_mode: none
        command: {SLEEPS}
        volumes: [own:/own, shared:/shared, photos:/photos, by_hand:/by_hand, /nameless]
    volumes:
      own: {{}}
      shared: {{}}
      photos: {{name: {name}-photos}}
      by_hand: {{name: {name}-by-hand}}
    """
    others = [f"{name}-by-hand", f"{name}-photos"]
    label = f"com.docker.compose.project={name}-photoprism"
    await run("docker", "volume", "create", others[0])
    await run("docker", "volume", "create", f"--label={label}", others[1])
    try:
        _, deployed = await stacks.deploy(
            name, textwrap.dedent(text), admin=True, confirm_findings=True
        )
        assert deployed["outcome"] == "done", deployed
        await stacks.becomes(name, state="running")
        await run(
            *("docker", "create", "--name", f"{name}-reader"),
            *("--volume", f"{name}_shared:/data", "busybox"),
        )
        body = {"volumes": True, "confirm": name, "wait_s": 60}
        status, done = await stacks.ask("POST", f"/stacks/{name}/down", body, admin=True)
        assert (status, done["outcome"]) == (200, "done"), done
        assert done["message"] == (
            f"{name} was taken down and its volumes. Kept, as not its own: {', '.join(others)}. "
            f"Kept, as still used by others: {name}_shared."
        )
        left = (await run("docker", "volume", "ls", "--quiet", "--filter", f"name={name}")).split()
        assert sorted(left) == [*others, f"{name}_shared"]
    finally:
        await run("docker", "rm", "--force", f"{name}-reader")
        await run("docker", "compose", "--project-name", name, "down", "--timeout", "1")
        await run("docker", "volume", "rm", "--force", *others)


async def test_a_stack_that_does_not_come_up_is_taken_back_and_its_last_words_are_told(
    stacks: Stacks, name: str
) -> None:
    assert (await stacks.deploy(name, WEB))[1]["outcome"] == "done"
    broken = WEB.replace(SLEEPS, '["sh", "-c", "echo I cannot work; exit 3"]')
    status, answer = await stacks.deploy(name, broken)
    assert status >= 400
    assert "web-1 exited with code 3. Its last words: I cannot work" in answer["detail"]
    _, job = await stacks.ask("GET", f"/jobs/{answer['job_id']}")
    assert job["outcome"] == "undone"
    await stacks.becomes(name, state="running", version=1)
    assert (stacks.stacks_dir / name / "compose.yaml").read_text() == WEB


async def test_a_new_stack_that_does_not_come_up_leaves_nothing(stacks: Stacks, name: str) -> None:
    broken = WEB.replace(SLEEPS, '["false"]')
    status, answer = await stacks.deploy(name, broken)
    assert status >= 400, answer
    assert not (await world(name)).strip()
    assert not (stacks.stacks_dir / name).exists()

    async def gone() -> bool:
        return await stacks.get(name) is None

    await wait_until(gone, what="the stack to be gone")


async def test_of_two_deployments_at_once_one_is_told_to_wait(stacks: Stacks, name: str) -> None:
    (_, first), (status, second) = await asyncio.gather(
        stacks.deploy(name, WEB, wait_s=0), stacks.deploy(name, WEB, wait_s=0)
    )
    answers = {each.get("code") for each in (first, second)}
    assert answers == {None, "busy"}, (status, first, second)
    await stacks.becomes(name, state="running", version=1)


FORMS = {
    "${V}": "v",
    "${V:-d}": "v",
    "${NO:-d}": "d",
    "${EMPTY:-d}": "d",
    "${EMPTY-d}": "",
    "${NO-d}": "d",
    "${V:?e}": "v",
    "${EMPTY?e}": "",
    "${V:+r}": "r",
    "${EMPTY:+r}": "",
    "${EMPTY+r}": "r",
    "${NO+r}": "",
    "${NO:-${V}}": "v",
    "$$V": "$V",
    "${HOME-none}": "none",
    "${HOMELAB_DATA_DIR-none}": "none",
    "${PATH-none}": "none",
}
"""What stands in a text, and what a container gets: the agent's own environment is not in it."""


async def test_every_form_of_variables_means_what_compose_says(stacks: Stacks, name: str) -> None:
    lines = [f"      F{number}: '{form}'" for number, form in enumerate(FORMS)]
    text = WEB.replace("    environment: {GREETING: hello}", "    environment:") + "\n".join(lines)
    environment = {"V": "v", "EMPTY": ""}
    status, done = await stacks.deploy(name, text, environment=environment)
    assert status == 200, done
    inside = await environment_of(f"{name}-web-1")
    found = dict(each.split("=", 1) for each in inside)
    assert {form: found[f"F{number}"] for number, form in enumerate(FORMS)} == FORMS


async def test_only_the_services_of_the_chosen_profiles_are_deployed(
    stacks: Stacks, name: str
) -> None:
    text = WEB + f"  debug: {{{IMAGE}, profiles: [debug]}}\n"
    _, plan = await stacks.plan(name, text)
    assert plan["created"] == ["web"]
    _, plan = await stacks.plan(name, text, profiles=["debug"])
    assert plan["created"] == ["debug", "web"]


async def test_a_stack_of_several_files_is_taken_over_with_its_values_and_its_data(
    stacks: Stacks, name: str, tmp_path: Path
) -> None:
    text = WEB.replace("hello", '"${GREETING:-none}"') + '    volumes: ["./data:/data"]\n'
    (tmp_path / ".env").write_text("GREETING=from the file\n")
    (tmp_path / "more.yaml").write_text("services: {web: {labels: {second: file}}}\n")
    await compose_up(tmp_path, name, text, "--file", str(tmp_path / "more.yaml"))
    await stacks.becomes(name, state="running", managed=False)

    _, file = await stacks.ask("GET", f"/stacks/{name}/file")
    assert "${GREETING:-none}" in file["compose"]
    assert "second: file" in file["compose"]
    assert file["environment"] == ["GREETING"]

    _, plan = await stacks.plan(name, file["compose"])
    assert "takes it over" in plan["notes"][0]
    assert (plan["changed"], plan["diff"]) == ([], ""), plan
    before = await world(name)
    status, done = await stacks.deploy(name, file["compose"], admin=True, confirm_findings=True)
    assert status == 200, done
    await stacks.becomes(name, managed=True, version=1)
    assert await world(name) == before, "taking over what runs must not restart it"


# --- what is refused, with nothing changed

REFUSED = {
    "no yaml": ("services:\n  web: {image: [}\n", "compose", "line 2"),
    "unknown key": ("services: {web: {imag: busybox}}", "services.web.imag", "imag"),
    "not a mapping": ("- web", "compose", "mapping"),
    "no service": ("services: {}", "services", "no service"),
    "missing value": ("services: {web: {image: 'a:${T:?say which}'}}", "services.web.image", "say"),
    "open brace": ("services: {web: {image: 'a:${T'}}", "services.web.image", "interpolation"),
    "undefined service": (
        "services: {web: {image: a, depends_on: [db]}}",
        "services.web",
        "undefined service",
    ),
    "build": ("services: {web: {build: .}}", "services.web.build", "builds no images"),
    "include": ("include: [/etc/x.yaml]\nservices: {}", "include", "one text"),
    "extends": (
        "services: {web: {extends: {file: ../x.yaml, service: a}}}",
        "services.web.extends.file",
        "one text",
    ),
    "env file elsewhere": (
        "services: {web: {image: a, env_file: [/etc/passwd]}}",
        "services.web.env_file[0]",
        "outside",
    ),
    "env file by a way round": (
        "services: {web: {image: a, env_file: [../../homelab.db]}}",
        "services.web.env_file[0]",
        "outside",
    ),
    "env file by a variable": (
        "services: {web: {image: a, env_file: ['${X:-/etc/passwd}']}}",
        "services.web.env_file[0]",
        "variable",
    ),
    "no such network": (
        "services: {web: {image: a, networks: [n]}}\nnetworks: {n: {external: true, name: stk-no}}",
        "networks.n",
        "does not exist",
    ),
    "no such image": (
        "services: {web: {image: '127.0.0.1:5000/stk-none:1', network_mode: none}}",
        "services.web.image",
        "stk-none",
    ),
    "registry that is away": (
        "services: {web: {image: '127.0.0.1:1/stk-none:1', network_mode: none}}",
        "services.web.image",
        "127.0.0.1:1",
    ),
    "port of the registry": (
        f"services: {{web: {{{IMAGE.replace('network_mode: none, ', '')}, ports: ['5000:80']}}}}",
        "services.web.ports[0]",
        "taken",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_cannot_be_deployed_is_refused_with_its_place_and_changes_nothing(
    stacks: Stacks, name: str, case: str
) -> None:
    text, field, words = REFUSED[case]
    assert (await stacks.deploy(name, WEB))[1]["outcome"] == "done"
    await stacks.becomes(name, state="running", version=1)
    before, files = await world(name), _tree(stacks.stacks_dir / name)

    status, answer = await stacks.deploy(name, text, admin=True, confirm_findings=True)

    assert 400 <= status < 500 or case in {"no such image", "registry that is away"}, answer
    assert answer["field"] == field, answer
    assert words in answer["detail"], answer
    assert await world(name) == before
    assert _tree(stacks.stacks_dir / name) == files
    assert (await stacks.becomes(name, state="running"))["version"] == 1


FINDINGS = {
    "privileged": ("privileged: true", "services.web.privileged"),
    "host network": ("network_mode: host", "services.web.network_mode"),
    "host processes": ("pid: host", "services.web.pid"),
    "host ipc": ("ipc: host", "services.web.ipc"),
    "host users": ("userns_mode: host", "services.web.userns_mode"),
    "host name": ("uts: host", "services.web.uts"),
    "socket": ("volumes: ['/var/run/docker.sock:/s']", "services.web.volumes[0]"),
    "folder of the socket": ("volumes: ['/run:/r']", "services.web.volumes[0]"),
    "socket as asked by name": ("use_api_socket: true", "services.web.use_api_socket"),
    "mount elsewhere": ("volumes: ['/etc:/e']", "services.web.volumes[0]"),
    "mount by a way round": ("volumes: ['./../../..:/e']", "services.web.volumes[0]"),
    "own files": ("volumes: ['.:/e']", "services.web.volumes[0]"),
    "kept values": ("volumes: ['./.env:/e']", "services.web.volumes[0]"),
    "device": ("devices: ['/dev/null:/dev/x']", "services.web.devices[0]"),
    "power": ("cap_add: [SYS_ADMIN]", "services.web.cap_add[0]"),
    "unconfined": ("security_opt: ['seccomp:unconfined']", "services.web.security_opt[0]"),
    "another's volumes": ("volumes_from: ['container:x']", "services.web.volumes_from"),
    "volume on a path": (
        "volumes: ['vol:/v']\nvolumes: {vol: {driver_opts: {type: none, o: bind, device: /etc}}}",
        "volumes.vol.driver_opts.device",
    ),
    "secret of the host": (
        "secrets: [s]\nsecrets: {s: {file: /etc/shadow}}",
        "secrets.s.file",
    ),
}


@pytest.mark.parametrize("case", FINDINGS)
async def test_what_reaches_beyond_the_stack_needs_an_admin(stacks: Stacks, case: str) -> None:
    name = f"stk-{uuid4().hex[:8]}"
    first, *rest = FINDINGS[case][0].split("\n")
    text = "\n".join((f"services:\n  web:\n    image: busybox\n    {first}", *rest))
    status, plan = await stacks.plan(name, text)
    assert status == 200, plan
    assert [each["field"] for each in plan["findings"]] == [FINDINGS[case][1]]
    for more in ({}, {"confirm_findings": True}):
        status, answer = await stacks.deploy(name, text, **more)
        assert (status, answer["code"]) == (403, "denied"), answer
    assert await stacks.get(name) is None
    assert not (stacks.stacks_dir / name).exists()


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
