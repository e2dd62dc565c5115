"""What a person would cut themselves off with cannot be stopped by accident."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from homelab_agent.areas.containers.protection import Protection, own_container_id
from homelab_agent.platform.engine.models import ContainerState, EngineContainer

OWN = "4f1c" * 16
OTHER = "ab" * 32

MOUNTINFO = f"""\
638 530 0:60 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/ABC
639 638 0:63 / /proc rw,nosuid - proc proc rw
651 638 254:1 /var/lib/docker/containers/{OWN}/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda1 rw
652 638 254:1 /var/lib/docker/containers/{OWN}/hostname /etc/hostname rw - ext4 /dev/vda1 rw
"""
PODMAN = (
    f"90 80 0:24 /containers/storage/overlay-containers/{OWN}/userdata/hosts /etc/hosts rw - tmpfs"
)
ON_THE_HOST = f"""\
25 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
99 25 0:50 / /var/lib/docker/containers/{OTHER}/mounts/shm rw,nosuid - tmpfs shm rw
98 25 0:51 /var/lib/docker/containers/{OTHER}/hostname /mnt/looking rw - ext4 /dev/vda1 rw
short line
"""


def _row(
    name: str = "web", image: str = "nginx", identity: str = OTHER, **labels: str
) -> EngineContainer:
    return EngineContainer(
        id=identity,
        name=name,
        image=image,
        image_id="x",
        state=ContainerState.RUNNING,
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        labels={label.replace("_", "."): text for label, text in labels.items()},
    )


def _process(folder: Path, *, mountinfo: str = "", cgroup: str = "") -> Path:
    (folder / "mountinfo").write_text(mountinfo)
    (folder / "cgroup").write_text(cgroup)
    return folder


@pytest.fixture
def rules() -> Protection:
    return Protection(own_id=OWN, listed=("router", "shop:db:1"))


@pytest.mark.parametrize(
    "image",
    [
        "homeassistant/home-assistant:stable",
        "docker.io/homeassistant/home-assistant@sha256:abc",
        "ghcr.io/home-assistant/home-assistant:2026.11",
        "ghcr.io/home-assistant/generic-x86-64-homeassistant:2026.11.0",
        "ghcr.io/home-assistant/amd64-hassio-supervisor",
        "ghcr.io/home-assistant/amd64-hassio-dns:2026.1",
        "homeassistant/qemux86-64-homeassistant",
        "homeassistant/amd64-hassio-supervisor:latest",
        "lscr.io/linuxserver/homeassistant:latest",
        "registry.local:5000/home-assistant/home-assistant",
    ],
)
def test_home_assistant_is_known_by_its_image(rules: Protection, image: str) -> None:
    assert "Home Assistant" in str(rules.reason(_row(image=image), "web"))


@pytest.mark.parametrize(
    "name", ["homeassistant", "home-assistant", "hassio_supervisor", "hassio_dns"]
)
def test_home_assistant_is_known_by_its_name(rules: Protection, name: str) -> None:
    assert "Home Assistant" in str(rules.reason(_row(name=name), name))


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("web", "nginx"),
        ("homeassistant-db", "postgres"),
        ("web", "someone/home-assistant-backup"),
        ("esphome", "ghcr.io/esphome/esphome"),
        ("appdaemon", "acockburn/appdaemon:homeassistant"),
    ],
)
def test_others_are_not_taken_for_home_assistant(rules: Protection, name: str, image: str) -> None:
    assert rules.reason(_row(name, image), name) is None


def test_the_agent_does_not_cut_off_itself(rules: Protection) -> None:
    assert "the Homelab agent itself" in str(rules.reason(_row(identity=OWN), "agent"))
    short = Protection(own_id=OWN[:12], listed=())
    assert "the Homelab agent itself" in str(short.reason(_row(identity=OWN), "agent"))


@pytest.mark.parametrize(
    ("text", "protects"),
    [("true", True), ("True", True), ("1", True), ("yes", True), ("false", False), ("", False)],
)
def test_a_label_protects_when_it_says_so(rules: Protection, text: str, *, protects: bool) -> None:
    reason = rules.reason(_row(homelab_protect=text), "web")

    assert (reason is not None) is protects
    assert not protects or "Remove the label" in str(reason)


def test_the_settings_protect_by_name_and_by_key(rules: Protection) -> None:
    assert "`protect`" in str(rules.reason(_row("router"), "router"))
    assert "`protect`" in str(rules.reason(_row("shop-db-1"), "shop:db:1"))
    assert rules.reason(_row("shop-db-2"), "shop:db:2") is None


@pytest.mark.parametrize("mountinfo", [MOUNTINFO, PODMAN])
def test_the_own_container_is_found_by_its_mounts(tmp_path: Path, mountinfo: str) -> None:
    assert own_container_id(_process(tmp_path, mountinfo=mountinfo)) == OWN


@pytest.mark.parametrize(
    "cgroup",
    [
        f"12:memory:/docker/{OWN}\n1:name=systemd:/docker/{OWN}\n",
        f"0::/system.slice/docker-{OWN}.scope\n",
        f"4:cpu:/kubepods/burstable/pod1/{OTHER}/docker/{OWN}\n",
    ],
)
def test_the_own_container_is_found_by_its_control_group(tmp_path: Path, cgroup: str) -> None:
    assert own_container_id(_process(tmp_path, cgroup=cgroup)) == OWN


def test_the_own_container_is_found_by_its_host_name_last(tmp_path: Path) -> None:
    process = _process(tmp_path, mountinfo="", cgroup="0::/\n")

    assert own_container_id(process, OWN[:12]) == OWN[:12]
    assert own_container_id(process, "nas") is None
    assert own_container_id(tmp_path / "missing", "nas") is None


def test_on_the_host_another_container_is_not_taken_for_the_agents(tmp_path: Path) -> None:
    process = _process(tmp_path, mountinfo=ON_THE_HOST, cgroup="0::/system.slice/homelab.service\n")

    assert own_container_id(process, "nas") is None
