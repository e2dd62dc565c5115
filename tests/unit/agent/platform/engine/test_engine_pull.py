"""A pull: how far it is, how it fails, how it is ended."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from homelab_agent.platform.engine.docker.images import DockerImages
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.image_reference import parse_reference
from homelab_agent.platform.engine.images import RegistryLogin
from homelab_agent.platform.errors import (
    AgentError,
    Denied,
    Failed,
    NotFound,
    RateLimited,
    TimedOut,
    Unavailable,
)
from homelab_agent.platform.jobs.progress import listening
from tests.fakes.docker_engine import FakeDocker, Fault, fake_docker

IMAGE_ID = "sha256:" + "1" * 64
NGINX = parse_reference("nginx:1")


@pytest.fixture
async def docker() -> AsyncIterator[FakeDocker]:
    async with fake_docker() as made:
        yield made


@pytest.fixture
async def images(docker: FakeDocker) -> AsyncIterator[DockerImages]:
    transport = Transport(docker.url)
    yield DockerImages(transport, idle_s=0.5)
    await transport.close()


def _layer(status: str, layer: str = "a", current: int = 0, total: int = 0) -> dict[str, object]:
    return {
        "status": status,
        "id": layer,
        "progressDetail": {"current": current, "total": total} if total else {},
    }


async def test_progress_grows_and_never_goes_back(docker: FakeDocker, images: DockerImages) -> None:
    docker.add_image(IMAGE_ID, RepoTags=["nginx:1"])
    docker.pull_lines = [
        {"status": "Pulling from library/nginx", "id": "1"},
        _layer("Pulling fs layer"),
        _layer("Downloading", current=50, total=100),
        _layer("Pulling fs layer", "b"),
        _layer("Already exists", "c"),
        _layer("Downloading", "b", 10_000_000, 40_000_000),
        _layer("Download complete"),
        _layer("Extracting", current=50, total=100),
        _layer("Pull complete"),
        _layer("Download complete", "b"),
        _layer("Extracting", "b"),
        _layer("Pull complete", "b"),
        {"status": "Digest: sha256:..."},
        {"aux": {"ID": "x"}},
    ]
    told: list[tuple[float | None, str | None]] = []
    with listening(lambda fraction, words: told.append((fraction, words))):
        pulled = await images.pull(NGINX)
    assert pulled.id == IMAGE_ID
    fractions = [fraction for fraction, _ in told if fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert (None, "Asking the registry") in told
    assert any("of 40 MB" in (words or "") for _, words in told)


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ("toomanyrequests: You have reached your pull rate limit.", RateLimited, "rate limit"),
        ("write /var/lib/docker/x: no space left on device", Failed, "no space left"),
        ("manifest for nginx:1 not found: manifest unknown", NotFound, "manifest unknown"),
        (
            "pull access denied for x, repository does not exist or may require 'docker login'",
            NotFound,
            "does not exist",
        ),
        ("Get https://r/v2/: no basic auth credentials", Failed, "credentials"),
        ("Get https://r/v2/: dial tcp: lookup r: no such host", Unavailable, "no such host"),
        ("Get https://r/v2/: x509: certificate signed by unknown authority", Unavailable, "x509"),
        ("http: server gave HTTP response to HTTPS client", Unavailable, "HTTP response"),
        ("no matching manifest for linux/arm/v7 in the manifest list", Failed, "linux/arm/v7"),
        ("something new", Failed, "something new"),
    ],
)
async def test_an_error_inside_of_a_good_answer_is_an_error(
    docker: FakeDocker, images: DockerImages, said: str, error: type[AgentError], words: str
) -> None:
    docker.pull_lines = [
        _layer("Downloading", current=1, total=2),
        {"errorDetail": {"message": said}, "error": said},
    ]
    with pytest.raises(error, match=words) as caught:
        await images.pull(NGINX)
    assert "nginx:1" in caught.value.message

    docker.faults["POST images/create"] = Fault(status=500, body=json.dumps({"message": said}))
    with pytest.raises(error, match=words):
        await images.pull(NGINX)


async def test_a_proxy_that_forbids_pulls_is_named_and_not_the_registry(
    docker: FakeDocker, images: DockerImages
) -> None:
    docker.faults["POST images/create"] = Fault(status=403, body="Forbidden")
    with pytest.raises(Denied, match="images_change"):
        await images.pull(NGINX)


async def test_a_registry_that_wants_a_login_is_not_taken_for_a_proxy(
    docker: FakeDocker, images: DockerImages
) -> None:
    said = json.dumps({"message": "unauthorized: authentication required"})
    docker.faults["POST images/create"] = Fault(status=401, body=said)
    with pytest.raises(Failed, match="unauthorized") as caught:
        await images.pull(NGINX)
    assert "registries" in (caught.value.hint or "")


async def test_a_pull_that_says_nothing_any_more_ends(
    docker: FakeDocker, images: DockerImages
) -> None:
    docker.faults["POST images/create"] = Fault(half=True)
    with pytest.raises((Failed, Unavailable, TimedOut)):
        await images.pull(NGINX)


async def test_cancelling_ends_the_pull_at_docker_too(
    docker: FakeDocker, images: DockerImages
) -> None:
    docker.pull_lines = [_layer("Pulling fs layer"), _layer("Downloading", current=1, total=2)]
    docker.pull_hangs = True
    begun = asyncio.Event()
    with listening(lambda fraction, _: begun.set() if fraction else None):
        pull = asyncio.create_task(images.pull(NGINX))
        async with asyncio.timeout(30):
            await begun.wait()
            pull.cancel()
            with pytest.raises(asyncio.CancelledError):
                await pull
            await docker.pull_ended.wait()


@pytest.mark.parametrize("identity", [None, "identity-token"])
async def test_the_login_goes_to_docker_and_nowhere_else(
    docker: FakeDocker, images: DockerImages, identity: str | None
) -> None:
    docker.add_image(IMAGE_ID, RepoTags=["nginx:1"])
    login = RegistryLogin(
        username="me",
        password=SecretStr("correct-horse"),
        identity_token=SecretStr(identity) if identity else None,
    )
    await images.pull(NGINX, login=login)
    shown = json.loads(base64.urlsafe_b64decode(docker.pull_headers["X-Registry-Auth"]))
    assert shown["serveraddress"] == "https://index.docker.io/v1/"
    assert shown.get("password", shown.get("identitytoken")) == (identity or "correct-horse")
    assert "correct-horse" not in repr(login)


async def test_never_all_tags_are_pulled(docker: FakeDocker, images: DockerImages) -> None:
    docker.add_image(IMAGE_ID, RepoTags=["nginx:latest"])
    await images.pull(parse_reference("nginx"))
    assert any("fromImage=nginx:latest" in query for query in docker.queries)
