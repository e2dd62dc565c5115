"""Compose texts before compose sees them, and what is shown of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from homelab_agent.areas.stacks.compose_errors import final_error, invalid_text
from homelab_agent.areas.stacks.environment_file import require_environment
from homelab_agent.areas.stacks.files import Kept, StackFiles
from homelab_agent.areas.stacks.masking import shown
from homelab_agent.areas.stacks.names import require_name
from homelab_agent.areas.stacks.policy import Ground, judge
from homelab_agent.areas.stacks.text import require_plain
from homelab_agent.platform.errors import Invalid, NotFound

LAUGHS = "\n".join(
    (
        "x0: &x0 [1, 1, 1, 1, 1, 1, 1, 1, 1]",
        *(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 12)),
        "services: {web: {image: a}}",
    )
)


def test_a_text_that_unfolds_to_billions_of_values_is_refused_at_once() -> None:
    with pytest.raises(Invalid, match="unfolds") as refused:
        require_plain(LAUGHS)
    assert refused.value.field == "compose"


@pytest.mark.parametrize("text", ["[" * 100_000, "a: " * 5, "&a [*a, *b]", "!!python/object:os a"])
def test_a_text_that_makes_no_sense_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        require_plain(text)
    assert refused.value.field == "compose"


def test_aliases_merges_and_composes_own_tags_are_taken() -> None:
    require_plain(
        "x: &base {image: a, restart: always}\n"
        "services:\n  web: {<<: *base}\n  db: {<<: *base, ports: !reset [], env: !override {A: b}}"
    )


def test_another_file_is_found_behind_a_merge_too() -> None:
    with pytest.raises(Invalid) as refused:
        require_plain("x: &b {extends: {file: /etc/x, service: s}}\nservices: {web: {<<: *b}}")
    assert refused.value.field == "services.web.extends.file"


@pytest.mark.parametrize(
    ("told", "field", "line"),
    [
        (
            "validating /x/compose.yaml: services.a additional properties 'imag' not allowed",
            "services.a.imag",
            None,
        ),
        ("failed to parse /x/compose.yaml: line 3: mapping key defined", "compose", 3),
        ("error while interpolating services.a.image: T is missing", "services.a.image", None),
        ('service "a" depends on undefined service "b"', "services.a", None),
        ("Invalid containerPort: 99999", "compose", None),
    ],
)
def test_what_compose_refuses_is_told_with_its_place_and_without_our_paths(
    told: str, field: str, line: int | None
) -> None:
    error = invalid_text(told, ())
    assert error.field == field
    assert error.extra.get("line") == line
    assert "/x/" not in error.message


def test_an_error_of_compose_does_not_tell_a_password() -> None:
    assert "hunter22" not in invalid_text("invalid port: hunter22", {"hunter22"}).message


def test_composes_own_word_for_the_error_is_found_among_its_progress() -> None:
    told = ('{"id":"web","status":"Creating"}', '{"error":true,"message":"no"}', "warning")
    assert final_error(told) == "no"
    assert final_error(("just words", "")) == "just words"


def test_secrets_are_masked_wherever_they_stand_in_what_is_shown() -> None:
    model = {
        "services": {
            "web": {
                "command": ["--password", "s3cret-pw", "--url", "postgres://me:other-pw@db/x"],
                "environment": {"DB_PASSWORD": "s3cret-pw", "PIN_SECRET": "12", "USER": "me"},
            }
        },
        "volumes": {"nas": {"driver_opts": {"o": "username=me,password=third-pw,vers=3"}}},
        "secrets": {"key": {"content": "fourth-pw"}},
    }
    text = shown(model, {"API_TOKEN": "fifth-pw"})
    assert "-pw" not in text
    assert "'12'" not in text
    assert "USER: me" in text
    assert "vers=3" in text


@pytest.mark.parametrize("name", ["", "Web", "-web", "we b", "../web", "web/..", "w" * 64, "web\n"])
def test_a_name_that_is_no_name_of_a_stack_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        require_name(name)
    assert refused.value.field == "name"


@pytest.mark.parametrize(
    "environment",
    [{"COMPOSE_FILE": "/etc/passwd"}, {"DOCKER_HOST": "x"}, {"A B": "c"}, {"A": "\0"}],
)
def test_an_environment_that_would_steer_compose_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(Invalid, match=r"steer|cannot|NUL"):
        require_environment(environment)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    folder = tmp_path / "stacks" / "shop"
    folder.mkdir(parents=True)
    return Ground(
        folder=folder,
        roots=(tmp_path / "media",),
        ours=(tmp_path / "stacks",),
        sockets=(Path("/run/docker.sock"),),
        in_container=False,
        machine=Path("/"),
    )


def mounting(source: object) -> dict[str, object]:
    """Return a model with one mount."""
    return {"services": {"web": {"volumes": [{"type": "bind", "source": str(source)}]}}}


def test_a_stack_may_mount_its_own_folders_and_the_allowed_ones(ground: Ground) -> None:
    for source in (ground.folder / "data", ground.roots[0] / "films"):
        assert judge(mounting(source), ground) == ()


def test_a_link_out_of_the_own_folder_is_followed_before_it_is_judged(ground: Ground) -> None:
    (ground.folder / "link").symlink_to("/etc")
    (finding,) = judge(mounting(ground.folder / "link"), ground)
    assert finding.field == "services.web.volumes[0]"


def test_another_stacks_files_and_versions_are_not_for_mounting(ground: Ground) -> None:
    for source in (ground.folder.parent / "other", ground.folder / ".versions", ground.folder):
        assert len(judge(mounting(source), ground)) == 1


def test_a_relative_mount_of_an_agent_in_a_container_is_not_what_it_seems(ground: Ground) -> None:
    inside = Ground(
        folder=ground.folder,
        roots=(),
        ours=ground.ours,
        sockets=ground.sockets,
        in_container=True,
        machine=None,
    )
    (finding,) = judge(mounting(inside.folder / "data"), inside)
    assert "runs in a container" in finding.message


@pytest.fixture
def contained(tmp_path: Path) -> Ground:
    """Return what an agent in a container sees, with the machine's `/` at `machine`."""
    machine = tmp_path / "machine"
    (machine / "srv/media/films").mkdir(parents=True)
    return Ground(
        folder=Path("/data/stacks/shop"),
        roots=(Path("/srv/media"),),
        ours=(Path("/data/stacks"),),
        sockets=(Path("/run/docker.sock"),),
        in_container=True,
        machine=machine,
    )


@pytest.mark.parametrize("target", ["/etc", "../../etc", "/run", "loop", "/srv/media/../.."])
def test_a_link_that_a_container_left_on_the_machine_opens_nothing(
    contained: Ground, target: str
) -> None:
    assert contained.machine is not None
    (contained.machine / "srv/media/loop").symlink_to("loop")
    (contained.machine / "srv/media/trap").symlink_to(target)
    findings = judge(mounting("/srv/media/trap/docker.sock"), contained)
    assert len(findings) == (0 if target == "loop" else 1)
    assert judge(mounting("/srv/media/films"), contained) == ()


def test_a_link_within_the_allowed_folder_is_fine(contained: Ground) -> None:
    assert contained.machine is not None
    (contained.machine / "srv/media/best").symlink_to("films")
    (contained.machine / "srv/media/absolute").symlink_to("/srv/media/films")
    for name in ("best", "absolute/new"):
        assert judge(mounting(f"/srv/media/{name}"), contained) == ()


def test_who_cannot_see_links_allows_only_the_very_folders_that_are_named(
    contained: Ground,
) -> None:
    blind = replace(contained, machine=None)
    assert judge(mounting("/srv/media"), blind) == ()
    (finding,) = judge(mounting("/srv/media/films"), blind)
    assert "/host/root" in finding.message


@pytest.mark.parametrize(
    ("volume", "field"),
    [
        ({"driver_opts": {"type": "none", "o": "bind", "device": "/etc"}}, ".driver_opts.device"),
        ({"driver_opts": {"type": "tmpfs", "o": "bind", "device": "/"}}, ".driver_opts.device"),
        ({"driver_opts": {"type": "nfs", "o": "ro,rbind", "device": "/"}}, ".driver_opts.device"),
        ({"driver_opts": {"type": "none", "o": "bind", "device": "etc"}}, ".driver_opts"),
        (
            {"driver_opts": {"type": "overlay", "o": "lowerdir=/:/etc", "device": "overlay"}},
            ".driver_opts",
        ),
        ({"driver_opts": {"type": "proc", "device": "proc"}}, ".driver_opts"),
        ({"driver_opts": {"type": "ext4", "device": "/dev/sda1"}}, ".driver_opts"),
        ({"driver": "local-persist", "driver_opts": {}}, ".driver"),
    ],
)
def test_a_volume_does_not_open_the_host_to_whoever_may_deploy(
    ground: Ground, volume: dict[str, object], field: str
) -> None:
    (finding,) = judge({"services": {}, "volumes": {"vol": volume}}, ground)
    assert finding.field == f"volumes.vol{field}"


@pytest.mark.parametrize(
    "options",
    [
        {"type": "nfs", "o": "addr=10.0.0.2,rw", "device": ":/films"},
        {"type": "cifs", "o": "username=me,password=x", "device": "//nas/films"},
        {"type": "tmpfs", "o": "size=10m", "device": "tmpfs"},
        {"o": "size=1G"},
    ],
)
def test_a_volume_that_shows_nothing_of_the_host_needs_no_admin(
    ground: Ground, options: dict[str, str]
) -> None:
    assert judge({"volumes": {"vol": {"driver_opts": options}}}, ground) == ()


def test_a_key_that_nobody_has_judged_yet_is_a_finding(ground: Ground) -> None:
    (finding,) = judge({"services": {"web": {"brand_new_power": True}}}, ground)
    assert finding.field == "services.web.brand_new_power"


def test_the_original_files_of_a_folder_come_back_when_a_first_deployment_is_undone(
    tmp_path: Path,
) -> None:
    files = StackFiles(tmp_path)
    files.stage("shop", "s1", "new", Kept(environment={"A": "b"}, model="", diff=""))
    (tmp_path / "shop" / "compose.yaml").write_text("theirs")
    for _ in range(2):  # as after a crash
        files.install("shop", "s1", first=True)
    assert (tmp_path / "shop" / "compose.yaml").read_text() == "new"
    for _ in range(2):  # two steps of a deployment do it when they are undone
        files.uninstall("shop")
        assert (tmp_path / "shop" / "compose.yaml").read_text() == "theirs"
        assert not (tmp_path / "shop" / ".env").exists()


def test_files_of_a_stack_that_the_agent_never_wrote_are_not_taken_away(tmp_path: Path) -> None:
    files = StackFiles(tmp_path)
    files.stage("shop", "s1", "new", Kept(environment={}, model="", diff=""))
    (tmp_path / "shop" / "compose.yaml").write_text("theirs")
    files.uninstall("shop")  # as when a deployment fails before it wrote anything
    files.keep_only("shop", ())
    assert (tmp_path / "shop" / "compose.yaml").read_text() == "theirs"


def test_values_are_in_files_of_our_own_alone_and_go_with_their_version(tmp_path: Path) -> None:
    files = StackFiles(tmp_path)
    files.stage("shop", "s1", "text", Kept(environment={"A": "b"}, model="", diff=""))
    files.install("shop", "s1", first=True)
    modes = {file.stat().st_mode & 0o777 for file in tmp_path.rglob("*") if file.is_file()}
    assert modes == {0o600}
    assert files.read("shop", "s1")[1].environment == {"A": "b"}
    files.uninstall("shop")
    files.keep_only("shop", ())
    assert not (tmp_path / "shop").exists()
    with pytest.raises(NotFound):
        files.read("shop", "s1")
