"""Cleaning up a real engine: exactly what was shown goes, and nothing that anyone could miss."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from homelab_agent.areas.objects.models import PruneKind, PrunePreview
from homelab_agent.areas.objects.prune_job import PRUNE_JOB, PruneArguments
from homelab_agent.areas.objects.service import PRUNE_TARGET
from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.errors import Conflict, Invalid
from homelab_agent.platform.jobs.kinds import StepContext
from tests.fakes.kept import Kept, kept
from tests.harness.docker import Docker
from tests.harness.private_engine import PrivateEngine

PERSON = Caller(name="person", scope=Scope.ADMIN)
EVERYTHING = tuple(PruneKind)
ENDS = ("true",)


def next_week() -> datetime:
    return datetime.now(UTC) + timedelta(days=9)


async def commit(docker: Docker, container: str, *names: str) -> str:
    """Make an image of a container, with these names; return its id."""
    image = await docker.call("POST", "/commit", params={"container": container}, json={})
    for name in names:
        repo, _, tag = name.partition(":")
        params = {"repo": repo, "tag": tag}
        await docker.call("POST", f"/images/{image['Id']}/tag", params=params)
    return str(image["Id"])


async def furnish(docker: Docker) -> None:
    """Make something of each sort, and something of each that must stay."""
    for name, labels in (("used-data", {}), ("wiki-data", {}), ("dear", {"homelab.protect": "1"})):
        await docker.call("POST", "/volumes/create", json={"Name": name, "Labels": labels})
    for name in ("left-over", "in-use"):
        await docker.call("POST", "/networks/create", json={"Name": name, "Driver": "bridge"})
    project = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    await docker.create("web", NetworkMode="in-use", Binds=["used-data:/data"], start=False)
    always = {"Name": "unless-stopped"}
    for name, labels, host in (
        ("old-job", {}, {}),
        ("dear-job", {"homelab.protect": "true"}, {}),
        ("of-stack", project, {}),
        ("switched-off", {}, {"RestartPolicy": always}),
    ):
        await docker.create(name, command=ENDS, labels=labels, start=False, **host)
    await docker.start("web")
    await commit(docker, "web", "extra:1", "other:2")
    await commit(docker, "web")
    await commit(docker, "web", "homelab-rollback/web:1")


def going(shown: PrunePreview) -> set[tuple[str, str]]:
    return {
        (item.kind.value, item.name) for item in shown.items if item.kind is not PruneKind.IMAGES
    }


@pytest.mark.timeout(240)
async def test_only_what_was_shown_goes_and_nothing_that_is_missed(tmp_path: Path) -> None:
    async with PrivateEngine() as engine, Docker(engine.socket) as docker:
        await engine.copy_image("busybox")
        await furnish(docker)
        async with kept(engine.url, tmp_path, next_week) as agent:
            await what_is_used_says_by_whom(agent)
            shown = await what_nobody_misses_is_shown(agent)
            with pytest.raises(Conflict, match="something changed") as refused:
                await agent.service.prune(EVERYTHING, "0" * 32, PERSON, 30)
            assert refused.value.field == "hash"
            await what_came_into_use_is_skipped(agent, docker, shown)
            await only_the_rest_is_left(docker)
            await taken_up_again_it_takes_nothing_more(agent, shown)
            await only_the_rest_is_left(docker)
            await the_disk_use_is_measured(agent)


async def what_is_used_says_by_whom(agent: Kept) -> None:
    volumes = {each.name: each for each in (await agent.service.volumes()).volumes}
    assert volumes["used-data"].containers == ("web",)
    assert volumes["wiki-data"].containers == ()
    networks = {each.name: each for each in (await agent.service.networks()).networks}
    assert networks["in-use"].containers == ("web",)
    assert networks["bridge"].builtin
    with pytest.raises(Conflict, match=r"in use\. Used by web\."):
        await agent.service.remove_volume("used-data", "used-data")
    with pytest.raises(Invalid) as refused:
        await agent.service.remove_volume("wiki-data", "yes")
    assert refused.value.field == "confirm"
    with pytest.raises(Conflict, match="is in use"):
        await agent.service.remove_image("busybox:latest")
    with pytest.raises(Conflict, match="is in use"):
        await agent.service.remove_network("in-use")
    with pytest.raises(Conflict, match="Docker's own"):
        await agent.service.remove_network("bridge")


async def what_nobody_misses_is_shown(agent: Kept) -> PrunePreview:
    by_default = await agent.service.preview(
        (PruneKind.CONTAINERS, PruneKind.IMAGES, PruneKind.NETWORKS, PruneKind.BUILD_CACHE)
    )
    assert going(by_default) == {("containers", "old-job"), ("networks", "left-over")}
    assert [item.kind for item in by_default.items].count(PruneKind.IMAGES) == 1

    shown = await agent.service.preview(EVERYTHING)
    assert going(shown) == {
        ("containers", "old-job"),
        ("networks", "left-over"),
        ("unused_images", "extra:1, other:2"),
        ("volumes", "wiki-data"),
    }
    reasons = {item.name: item.reason for item in shown.kept}
    assert "homelab.protect" in reasons["dear-job"]
    assert "homelab.protect" in reasons["dear"]
    assert "stack shop" in reasons["of-stack"]
    assert "somebody stopped it" in reasons["switched-off"]
    assert "rolled back" in reasons["homelab-rollback/web:1"]
    assert "Used by" in reasons["busybox:latest"]
    return shown


async def what_came_into_use_is_skipped(agent: Kept, docker: Docker, shown: PrunePreview) -> None:
    """A container takes the volume after everything was checked: the job itself must see it."""
    arguments = PruneArguments(kinds=EVERYTHING, items=shown.items, holds=("old-job",))
    await docker.create("late", command=ENDS, start=False, Binds=["wiki-data:/data"])
    job = await agent.base.runner.start(PRUNE_JOB, PRUNE_TARGET, arguments, PERSON)
    ended = await agent.base.runner.wait(job.id, 60)
    assert ended.outcome is Outcome.DONE, ended.error
    assert ended.message is not None
    assert ended.message.startswith(f"Removed 4 of {len(shown.items)} (")
    assert "Skipped: wiki-data: Used by late." in ended.message


async def taken_up_again_it_takes_nothing_more(agent: Kept, shown: PrunePreview) -> None:
    """As after a crash that came when everything was removed and nothing was written down."""
    arguments = PruneArguments(kinds=EVERYTHING, items=shown.items, holds=())
    (step,) = agent.prune.kind().steps_for(arguments)
    context = StepContext(job_id="1", arguments=arguments, data={}, again=True)
    result = await step.do(context)
    assert result.message is not None
    assert result.message.startswith(f"Removed 4 of {len(shown.items)} (")


async def only_the_rest_is_left(docker: Docker) -> None:
    containers = await docker.call("GET", "/containers/json", params={"all": "true"})
    names = {row["Names"][0] for row in containers}
    assert names == {"/web", "/dear-job", "/of-stack", "/switched-off", "/late"}
    volumes = (await docker.call("GET", "/volumes"))["Volumes"]
    assert {row["Name"] for row in volumes} == {"used-data", "wiki-data", "dear"}
    networks = {row["Name"] for row in await docker.call("GET", "/networks")}
    assert "left-over" not in networks
    assert "in-use" in networks
    images = await docker.call("GET", "/images/json")
    tags = {tag for row in images for tag in row["RepoTags"] or ()}
    assert tags == {"busybox:latest", "homelab-rollback/web:1"}
    assert len(images) == 2


async def the_disk_use_is_measured(agent: Kept) -> None:
    done = await agent.service.measure(PERSON, 60)
    assert done.outcome is Outcome.DONE
    usage = agent.service.disk_usage()
    assert (usage.images, usage.volumes, usage.volumes_unused) == (2, 3, 1)
    assert usage.networks_unused == 0
    assert usage.images_bytes > 1_000_000
    assert usage.volumes_bytes is not None
