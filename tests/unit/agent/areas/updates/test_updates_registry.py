"""Registries, as they are and as they should not be."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from homelab_agent.areas.updates.registry.client import RegistryClient
from homelab_agent.areas.updates.registry.credentials import Credentials
from homelab_agent.areas.updates.registry.hosts import RegistryHosts
from homelab_agent.areas.updates.registry.interface import Platform
from homelab_agent.areas.updates.registry.lane import Pace
from homelab_agent.platform.engine.image_reference import ImageReference, parse_reference
from homelab_agent.platform.errors import (
    AgentError,
    Denied,
    Failed,
    NotFound,
    RateLimited,
    TimedOut,
    Unavailable,
)
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.settings import RegistrySettings
from tests.fakes.certificates import make_certificate
from tests.fakes.registry import FakeRegistry, RegistryFault, fake_registry

AMD64 = Platform(os="linux", architecture="amd64")
FAST = Pace(spacing_s=0.0, first_wait_s=60)


@asynccontextmanager
async def client(
    *settings: RegistrySettings, docker_config: Path | None = None, pace: Pace = FAST
) -> AsyncIterator[RegistryClient]:
    credentials = Credentials(settings, docker_config, SecretFilter())
    made = RegistryClient(RegistryHosts(settings), credentials, pace=pace)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def registry() -> AsyncIterator[FakeRegistry]:
    async with fake_registry() as made:
        yield made


def app(registry: FakeRegistry, tag: str = "1.0") -> ImageReference:
    return parse_reference(f"{registry.address}/team/app:{tag}")


def reader(registry: FakeRegistry, **more: object) -> RegistrySettings:
    return RegistrySettings.model_validate(
        {
            "host": registry.address,
            "username": "reader",
            "password": "correct-horse",
            "insecure": True,
            **more,
        }
    )


async def test_the_digest_is_asked_for_without_fetching_the_image(registry: FakeRegistry) -> None:
    digest = registry.push("team/app", "1.0", {})
    async with client() as asker:
        assert (await asker.answer(app(registry), None)).digest == digest
    assert [each.method for each in registry.asked] == ["HEAD"]


async def test_an_answer_that_is_still_true_is_not_sent_again(registry: FakeRegistry) -> None:
    registry.push("team/app", "1.0", {})
    async with client() as asker:
        first = await asker.answer(app(registry), None)
        assert await asker.answer(app(registry), first) == first
        registry.push("team/app", "1.0", {"version": "2"})
        assert await asker.answer(app(registry), first) != first
    assert registry.asked[1].if_none_match == first.etag


async def test_a_registry_that_names_no_digest_is_still_understood(registry: FakeRegistry) -> None:
    digest = registry.push("team/app", "1.0", {})
    registry.without_digest = True
    async with client() as asker:
        assert (await asker.answer(app(registry), None)).digest == digest


async def test_an_image_for_many_processors_is_looked_behind_for_this_one(
    registry: FakeRegistry,
) -> None:
    digests = registry.push_index(
        "team/app",
        "1.0",
        {"linux/arm/v7": {"v": "arm"}, "unknown/unknown": {}, "linux/amd64": {"v": "amd"}},
    )
    async with client() as asker:
        described = await asker.describe(app(registry), digests[""], AMD64)
        assert described.labels == {"v": "amd"}
        assert digests["linux/amd64"] in described.digests
        assert registry.config_digest(digests["linux/amd64"]) in described.digests
        arm = Platform(os="linux", architecture="arm", variant="v8")
        assert (await asker.describe(app(registry), digests[""], arm)).labels == {"v": "arm"}
        other = Platform(os="linux", architecture="s390x")
        with pytest.raises(Failed, match="not made for linux/s390x"):
            await asker.describe(app(registry), digests[""], other)


async def test_a_registry_that_lies_about_the_digest_is_not_believed(
    registry: FakeRegistry,
) -> None:
    registry.push("team/app", "1.0", {})
    other = registry.push("team/other", "1.0", {"v": "2"})
    registry.faults[f"GET /v2/team/app/manifests/{other}"] = RegistryFault(body=b'{"x": 1}')
    async with client() as asker:
        with pytest.raises(Failed, match="something else"):
            await asker.describe(app(registry), other, AMD64)
        with pytest.raises(Failed, match="does not have it"):
            await asker.describe(app(registry), "sha256:" + "0" * 64, AMD64)


@pytest.mark.parametrize("key", ["token", "access_token"])
async def test_a_token_is_asked_for_once_for_each_repository(key: str) -> None:
    async with fake_registry(login="bearer") as registry:
        registry.token_key = key
        digest = registry.push("team/app", "1.0", {})
        async with client(reader(registry)) as asker:
            for _ in range(3):
                assert (await asker.answer(app(registry), None)).digest == digest
        assert registry.count("GET", "/token") == 1
        assert "repository:team/app:pull" in registry.asked[1].path.replace("%2F", "/")


async def test_a_registry_with_a_password_gets_it_from_the_settings() -> None:
    async with fake_registry(login="basic") as registry:
        digest = registry.push("team/app", "1.0", {})
        async with client(reader(registry)) as asker:
            assert (await asker.answer(app(registry), None)).digest == digest


async def test_without_a_login_a_private_image_says_that_it_needs_one() -> None:
    for login in ("basic", "bearer"):
        async with fake_registry(login=login) as registry:
            registry.push("team/app", "1.0", {})
            async with client() as asker:
                with pytest.raises(Denied) as caught:
                    await asker.answer(app(registry), None)
        assert "registries" in (caught.value.hint or "")


async def test_a_wrong_password_is_not_shown_again_for_every_image() -> None:
    async with fake_registry(login="bearer") as registry:
        registry.push("team/app", "1.0", {})
        async with client(reader(registry, password="wrong-horse")) as asker:
            for number in range(20):
                with pytest.raises(Unavailable, match="refuses the agent's login") as caught:
                    await asker.answer(app(registry, f"1.{number}"), None)
        assert "wrong-horse" not in str(caught.value)
        assert registry.count("GET", "/token") == 1


async def test_a_token_that_is_never_taken_ends_after_two_tries() -> None:
    async with fake_registry(login="bearer") as registry:
        registry.refuses_tokens = True
        registry.push("team/app", "1.0", {})
        async with client(reader(registry)) as asker:
            with pytest.raises(Denied):
                await asker.answer(app(registry), None)
        assert len(registry.asked) == 3


async def test_a_login_does_not_follow_to_another_host(registry: FakeRegistry) -> None:
    async with fake_registry(login="basic") as private:
        digest = registry.push("team/app", "1.0", {"v": "2"})
        private.push("team/app", "1.0", {"v": "2"})
        config = registry.config_digest(digest)
        private.faults["GET /v2/team/app/blobs"] = RegistryFault(
            status=307,
            headers={"Location": f"http://{registry.address}/v2/team/app/blobs/{config}"},
        )
        async with client(reader(private)) as asker:
            await asker.answer(app(private), None)
            assert (await asker.describe(app(private), digest, AMD64)).labels == {"v": "2"}
    assert [each.authorization for each in registry.asked] == [None]


async def test_a_registry_that_sends_in_circles_is_given_up(registry: FakeRegistry) -> None:
    registry.faults["HEAD /v2"] = RegistryFault(status=302, headers={"Location": "/v2/again"})
    async with client() as asker:
        with pytest.raises(Unavailable, match="from one address to another"):
            await asker.answer(app(registry), None)
    assert len(registry.asked) < 6


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (RegistryFault(status=404), NotFound, "has no image"),
        (RegistryFault(status=403), Denied, "does not show"),
        (RegistryFault(status=503), Unavailable, "503 Service Unavailable"),
        (RegistryFault(status=429), RateLimited, "too many requests"),
        (RegistryFault(status=418), Unavailable, "418"),
        (RegistryFault(hang=True), TimedOut, "did not answer within 1 s"),
        (RegistryFault(headers={"Content-Type": "text/html"}, body=b"<html>"), Unavailable, "html"),
        (RegistryFault(endless=True), Unavailable, "more than a registry would"),
        (RegistryFault(status=204), Unavailable, "does not answer as a registry"),
    ],
)
async def test_whatever_a_registry_does_is_said_in_words(
    registry: FakeRegistry, fault: RegistryFault, error: type[AgentError], words: str
) -> None:
    registry.faults["HEAD"] = RegistryFault(status=405) if fault.endless else fault
    registry.faults["GET"] = fault
    async with client(pace=replace(FAST, deadline_s=1) if fault.hang else FAST) as asker:
        with pytest.raises(error, match=words) as caught:
            await asker.answer(app(registry), None)
    assert registry.address in caught.value.message


async def test_a_registry_that_is_down_is_asked_once_and_not_for_every_image(
    registry: FakeRegistry,
) -> None:
    registry.faults["HEAD"] = RegistryFault(status=502)
    async with client() as asker:
        for number in range(300):
            with pytest.raises(Unavailable) as caught:
                await asker.answer(app(registry, f"1.{number}"), None)
            assert caught.value.retry_after_s
    assert len(registry.asked) == 1


async def test_a_registry_that_wants_rest_gets_it_even_when_a_person_asks(
    registry: FakeRegistry,
) -> None:
    registry.faults["HEAD"] = RegistryFault(status=429, headers={"Retry-After": "7200"})
    async with client() as asker:
        for _ in range(5):
            with pytest.raises(RateLimited) as caught:
                await asker.answer(app(registry), None)
            asker.forgive(registry.address)
    assert len(registry.asked) == 1
    assert caught.value.retry_after_s == pytest.approx(7200, abs=10)


async def test_what_is_nearly_used_up_is_left_for_the_person_who_pulls(
    registry: FakeRegistry,
) -> None:
    registry.push("team/app", "1.0", {})
    registry.headers = {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "4;w=21600"}
    async with client() as asker:
        await asker.answer(app(registry), None)
        with pytest.raises(RateLimited, match="only 4 more"):
            await asker.answer(app(registry), None)
    assert len(registry.asked) == 1


async def test_all_pages_of_the_tags_are_read(registry: FakeRegistry) -> None:
    wanted = {f"1.{number}" for number in range(7)}
    for tag in wanted:
        registry.push("team/app", tag, {})
    registry.page_size = 2
    async with client() as asker:
        assert set(await asker.tags(app(registry))) == wanted


async def test_pages_without_an_end_are_not_read_for_ever(registry: FakeRegistry) -> None:
    registry.faults["GET /v2/team/app/tags"] = RegistryFault(
        body=b'{"tags": ["1"]}',
        headers={"Link": '</v2/team/app/tags/list?again>; rel="next"'},
    )
    async with client() as asker:
        assert await asker.tags(app(registry)) == ("1",)
    assert len(registry.asked) <= 10


async def test_a_certificate_that_nobody_vouches_for_needs_its_ca_or_a_word(
    tmp_path: Path,
) -> None:
    certificate = make_certificate(tmp_path)
    async with fake_registry(context=certificate.context) as registry:
        digest = registry.push("team/app", "1.0", {})
        name = registry.address
        strict = RegistrySettings(host=name)
        async with client(strict) as asker:
            with pytest.raises(Unavailable, match="is not trusted") as caught:
                await asker.answer(app(registry), None)
        assert "ca_file" in (caught.value.hint or "")
        for trusting in (
            RegistrySettings(host=name, ca_file=tmp_path / "agent.pem"),
            RegistrySettings(host=name, insecure=True),
        ):
            async with client(trusting) as asker:
                assert (await asker.answer(app(registry), None)).digest == digest


async def test_a_registry_without_tls_is_not_spoken_to_unless_that_is_set(
    registry: FakeRegistry,
) -> None:
    async with client(RegistrySettings(host=registry.address)) as asker:
        with pytest.raises(Unavailable, match="TLS") as caught:
            await asker.answer(app(registry), None)
    assert "insecure" in (caught.value.hint or "")


async def test_nobody_there_and_no_such_name_are_told_apart() -> None:
    texts: Sequence[tuple[str, str]] = (
        ("127.0.0.1:1/app", "cannot be reached"),
        ("registry.invalid/app", "cannot be resolved"),
    )
    async with client() as asker:
        for image, words in texts:
            with pytest.raises(Unavailable, match=words):
                await asker.answer(parse_reference(image), None)


@pytest.mark.parametrize(
    "location", ["http://[::1", "https://[x]:y/", "//[", "https://h:99999999/"]
)
async def test_a_redirect_to_no_address_is_the_registrys_trouble_and_not_the_agents_end(
    registry: FakeRegistry, location: str
) -> None:
    registry.faults["HEAD"] = RegistryFault(status=307, headers={"Location": location})
    async with client() as asker:
        with pytest.raises(Unavailable):
            await asker.answer(app(registry), None)


async def test_a_next_page_at_no_address_ends_the_list_of_tags_and_not_the_agent(
    registry: FakeRegistry,
) -> None:
    registry.faults["GET /v2/team/app/tags/list"] = RegistryFault(
        headers={"Link": '<http://[::1>; rel="next"'}, body=b'{"tags": ["1.0", "1.1"]}'
    )
    async with client() as asker:
        assert await asker.tags(app(registry)) == ("1.0", "1.1")


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"},
        {"Retry-After": "9" * 5000},
        {"RateLimit-Limit": "\u0663", "RateLimit-Remaining": "\u0661"},
        {"WWW-Authenticate": "Bearer " + "a=" * 2000},
    ],
)
async def test_headers_of_nonsense_are_the_registrys_trouble_and_not_the_agents_end(
    registry: FakeRegistry, headers: dict[str, str]
) -> None:
    status = 401 if "WWW-Authenticate" in headers else 429
    registry.faults["HEAD"] = RegistryFault(status=status, headers=headers)
    async with client() as asker:
        with pytest.raises(AgentError):
            await asker.answer(app(registry), None)


@pytest.mark.parametrize(
    "body",
    [
        b'{"tags": ["\\ud800"]}',
        b"[" * 100_000,
        b'{"tags": [1e999]}',
        b'{"tags": "\xff"}',
    ],
)
async def test_tags_of_nonsense_are_the_registrys_trouble_and_not_the_agents_end(
    registry: FakeRegistry, body: bytes
) -> None:
    registry.faults["GET /v2/team/app/tags/list"] = RegistryFault(body=body)
    async with client() as asker:
        with pytest.raises(Unavailable, match=registry.address):
            await asker.tags(app(registry))


async def test_a_list_of_tags_without_an_end_of_them_is_read(registry: FakeRegistry) -> None:
    body = b'{"tags": [' + b'"1.0",' * 200_000 + b'"1.1"]}'
    registry.faults["GET /v2/team/app/tags/list"] = RegistryFault(body=body)
    async with client() as asker:
        assert await asker.tags(app(registry)) == ("1.0", "1.1")


async def test_a_registry_that_nothing_comes_from_any_more_is_forgotten_with_its_troubles(
    registry: FakeRegistry,
) -> None:
    registry.push("team/app", "1.0", {})
    registry.faults["HEAD"] = RegistryFault(status=503, times=1)
    async with client() as asker:
        for kept in ({registry.address}, set[str]()):
            with pytest.raises(Unavailable):
                await asker.answer(app(registry), None)
            asker.keep_only(frozenset(kept))
        assert registry.count("HEAD") == 1
        await asker.answer(app(registry), None)
        assert registry.count("HEAD") == 2
