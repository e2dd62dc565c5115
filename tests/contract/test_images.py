"""What is relied on of images, of every engine; and updates with a real registry."""

import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from homelab_agent.areas.updates.lookup import Follow, Lookup, look
from homelab_agent.areas.updates.registry.client import RegistryClient
from homelab_agent.areas.updates.registry.credentials import Credentials
from homelab_agent.areas.updates.registry.hosts import RegistryHosts
from homelab_agent.areas.updates.registry.lane import Pace
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.engine.demo.images import DemoImages
from homelab_agent.platform.engine.docker.images import DockerImages
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.image_reference import ImageReference, parse_reference
from homelab_agent.platform.engine.images import ImageEngine, RegistryLogin
from homelab_agent.platform.errors import Failed, NotFound
from homelab_agent.platform.secrets import SecretFilter
from tests.fakes.registry import fake_registry
from tests.harness.docker import SOCKET

REGISTRY = "127.0.0.1:5000"

needs_docker = pytest.mark.skipif(not Path(SOCKET).exists(), reason="no Docker here")


@dataclass
class Subject:
    """An engine, an image that it has, and names that nobody else uses."""

    images: ImageEngine
    existing: str
    spare: ImageReference


@pytest.fixture(params=["demo", pytest.param("real", marks=needs_docker)])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    spare = parse_reference(f"contract-images/{secrets.token_hex(4)}:1")
    if request.param == "demo":
        yield Subject(DemoImages(pull_s=0), "caddy:2.11", spare)
        return
    transport = Transport(f"unix://{SOCKET}")
    images = DockerImages(transport)
    yield Subject(images, "busybox:latest", spare)
    with suppress(NotFound):
        await images.remove(str(spare))
    await transport.close()


async def test_an_image_is_found_by_its_name_and_by_its_id(subject: Subject) -> None:
    found = await subject.images.inspect(subject.existing)
    assert subject.existing in found.tags
    assert (await subject.images.inspect(found.id)).id == found.id
    assert found.id in {image.id for image in await subject.images.list_images()}
    assert (found.os, found.size_bytes > 0) == ("linux", True)


async def test_an_image_that_is_not_there_is_not_found(subject: Subject) -> None:
    for name in ("never/was:1", "../../info", "", "sha256:" + "0" * 64):
        with pytest.raises(NotFound):
            await subject.images.inspect(name)
        with pytest.raises(NotFound):
            await subject.images.remove(name)


async def test_a_name_can_be_given_and_taken_away_without_the_image(subject: Subject) -> None:
    images, spare = subject.images, subject.spare
    before = await images.inspect(subject.existing)
    await images.tag(subject.existing, spare)
    assert (await images.inspect(str(spare))).id == before.id
    assert str(spare) in await images.remove(str(spare))
    with pytest.raises(NotFound):
        await images.inspect(str(spare))
    assert (await images.inspect(subject.existing)).id == before.id


class Pushed:
    """A repository of the real registry, with an image that has no layers but a version."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self.name = f"contract-updates/{secrets.token_hex(4)}"

    @property
    def reference(self) -> ImageReference:
        return parse_reference(f"{REGISTRY}/{self.name}:1")

    async def put(self, version: str, platforms: tuple[str, ...]) -> str:
        """Put an index for these platforms by hand; return its digest."""
        manifests = []
        for text in platforms:
            os, architecture = text.split("/")
            config = {
                "os": os,
                "architecture": architecture,
                "config": {"Labels": {"org.opencontainers.image.version": version}},
                "rootfs": {"type": "layers", "diff_ids": []},
            }
            digest, size = await self._blob(config)
            manifest = {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {
                    "mediaType": "application/vnd.oci.image.config.v1+json",
                    "digest": digest,
                    "size": size,
                },
                "layers": [],
            }
            digest, size = await self._manifest(manifest, None)
            manifests.append(
                {
                    "mediaType": manifest["mediaType"],
                    "digest": digest,
                    "size": size,
                    "platform": {"os": os, "architecture": architecture},
                }
            )
        index = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": manifests,
        }
        return (await self._manifest(index, "1"))[0]

    async def _blob(self, document: object) -> tuple[str, int]:
        body = json.dumps(document).encode()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        base = f"http://{REGISTRY}/v2/{self.name}/blobs/uploads/"
        async with self._session.post(base) as answer:
            location = answer.headers["Location"]
        separator = "&" if "?" in location else "?"
        async with self._session.put(f"{location}{separator}digest={digest}", data=body) as answer:
            assert answer.status == 201, await answer.text()
        return digest, len(body)

    async def _manifest(self, document: dict[str, object], tag: str | None) -> tuple[str, int]:
        body = json.dumps(document).encode()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        url = f"http://{REGISTRY}/v2/{self.name}/manifests/{tag or digest}"
        async with self._session.put(
            url, data=body, headers={"Content-Type": str(document["mediaType"])}
        ) as answer:
            assert answer.status == 201, await answer.text()
        return digest, len(body)


@needs_docker
async def test_a_real_registry_tells_of_a_real_update_and_docker_pulls_it() -> None:
    transport = Transport(f"unix://{SOCKET}")
    engine = DockerImages(transport)
    registry = RegistryClient(
        RegistryHosts(()), Credentials((), None, SecretFilter()), pace=Pace(spacing_s=0.0)
    )
    async with ClientSession() as session:
        pushed = Pushed(session)
        reference = pushed.reference
        follow = Follow(reference)
        try:
            first = await pushed.put("1.0", ("linux/amd64", "linux/arm64"))
            image = await engine.pull(reference)
            assert any(first in digest for digest in image.digests)

            known = await look(registry, follow, [image], None)
            assert (known.trouble, known.answered and known.answered.digest) == (None, first)
            assert known.described == {}

            kept = Lookup(
                checked_at=utc_now(),
                next_at=utc_now(),
                target=known.target,
                answered=known.answered,
            )
            same = await look(registry, follow, [image], kept)
            assert same.answered == known.answered

            second = await pushed.put("1.1", ("linux/amd64", "linux/arm64"))
            found = await look(registry, follow, [image], kept)
            assert found.trouble is None
            assert found.answered is not None
            assert found.answered.digest == second
            (described,) = found.described.values()
            assert described.labels["org.opencontainers.image.version"] == "1.1"

            newer = await engine.pull(reference)
            assert newer.labels["org.opencontainers.image.version"] == "1.1"
            assert any(second in digest for digest in newer.digests)
            assert (await engine.inspect(image.id)).id == image.id
            await engine.remove(image.id, force=True)
        finally:
            with suppress(NotFound):
                await engine.remove(str(reference), force=True)
            await registry.close()
            await transport.close()


@needs_docker
@pytest.mark.parametrize("kind", ["basic", "bearer"])
async def test_docker_pulls_a_private_image_only_with_the_login_it_is_handed(
    kind: Literal["basic", "bearer"],
) -> None:
    transport = Transport(f"unix://{SOCKET}")
    engine = DockerImages(transport)
    async with fake_registry(login=kind) as registry:
        registry.push(
            "contract/private",
            "1",
            {"secret": secrets.token_hex(8)},
            rootfs={"type": "layers", "diff_ids": []},
        )
        reference = parse_reference(f"{registry.address}/contract/private:1")
        wrong = RegistryLogin(username="reader", password=SecretStr("wrong-horse"))
        for login in (None, wrong):
            with pytest.raises(Failed) as caught:
                await engine.pull(reference, login=login)
            assert "registries" in (caught.value.hint or "")
            assert "wrong-horse" not in caught.value.message
        right = RegistryLogin(username="reader", password=SecretStr("correct-horse"))
        try:
            assert str(reference) in (await engine.pull(reference, login=right)).tags
        finally:
            with suppress(NotFound):
                await engine.remove(str(reference), force=True)
            await transport.close()
