"""What the store, Supervisor and GitHub read: each refuses a whole repository for one slip."""

import json
import re
import struct
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ADDON = ROOT / "addon"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
PAGES += [*sorted((ROOT / "docs").glob("*.md")), ADDON / "DOCS.md"]
LATER = {"docs/images/container-device.png", "docs/images/host-device.png"}
"""Made by the lab test."""


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def tracked_files() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [Path(name) for name in names.split("\0") if name]


def test_a_release_carries_one_version_everywhere() -> None:
    manifest = json.loads((ROOT / "custom_components/homelab/manifest.json").read_text())
    agent_init = (ADDON / "homelab_agent/__init__.py").read_text()
    projects = {
        folder: tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        for folder in (ROOT, ADDON)
    }
    versions = {
        "manifest": manifest["version"],
        "app": read_yaml(ADDON / "config.yaml")["version"],
        "agent": re.findall(r'__version__ = "(.+)"', agent_init)[0],
        "agent project": tomllib.loads((ADDON / "pyproject.toml").read_text())["project"][
            "version"
        ],
        "root project": projects[ROOT]["version"],
    }
    assert len(set(versions.values())) == 1, versions


def test_supervisor_finds_one_app_and_takes_no_other_file_for_one() -> None:
    found = [
        path
        for path in tracked_files()
        if path.stem == "config"
        and path.suffix in {".yaml", ".yml", ".json"}
        and not any(part.startswith(".") or part == "rootfs" for part in path.parts)
    ]
    assert found == [Path("addon/config.yaml")]


def test_every_option_of_the_app_has_a_name_a_type_and_a_line_in_its_docs() -> None:
    config = read_yaml(ADDON / "config.yaml")
    names = read_yaml(ADDON / "translations" / "en.yaml")
    documented = set(re.findall(r"^\| `(\w+)` \|", (ADDON / "DOCS.md").read_text(), re.MULTILINE))
    assert config["options"].keys() <= config["schema"].keys()
    assert config["schema"].keys() == names["configuration"].keys()
    assert config["schema"].keys() <= documented
    assert config["ports"].keys() == names["network"].keys()


def test_an_option_without_a_default_may_be_left_out() -> None:
    config = read_yaml(ADDON / "config.yaml")
    for option in config["schema"].keys() - config["options"].keys():
        assert config["schema"][option].endswith("?"), option


def test_the_app_has_pictures_of_the_size_that_supervisor_shows() -> None:
    def size(picture: str) -> tuple[int, int]:
        header = (ADDON / picture).read_bytes()[:24]
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", header[16:])
        return width, height

    assert size("icon.png") == (128, 128)
    assert size("logo.png")[0] <= 250


def test_the_app_offers_itself_to_the_integration_and_asks_for_the_socket() -> None:
    config = read_yaml(ADDON / "config.yaml")
    assert config["discovery"] == ["homelab"]
    assert config["docker_api"] is True
    assert set(config["arch"]) == {"aarch64", "amd64"}


def test_the_store_can_install_the_integration() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text())
    allowed = {"name", "homeassistant", "zip_release", "filename", "hide_default_branch"}
    assert hacs.keys() == allowed
    release = (ROOT / ".github/workflows/release.yml").read_text()
    assert "gh release upload" in release
    assert hacs["filename"] in release
    folders = [path for path in (ROOT / "custom_components").iterdir() if path.is_dir()]
    assert [path.name for path in folders if not path.name.startswith("_")] == ["homelab"]


def test_the_repository_of_apps_can_be_added() -> None:
    assert {"name", "url", "maintainer"} <= read_yaml(ROOT / "repository.yaml").keys()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_stolen_action_tag_cannot_run_in_our_ci(workflow: Path) -> None:
    uses = re.findall(r"uses: (\S+)(.*)", workflow.read_text())
    assert uses
    for action, comment in uses:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert re.match(r" # \S+", comment), f"{action} does not say which version that is"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_no_rights_but_those_a_job_names(workflow: Path) -> None:
    content = read_yaml(workflow)
    assert content["permissions"] == {}
    for name, job in content["jobs"].items():
        writes = {right for right, kind in job["permissions"].items() if kind == "write"}
        assert not writes or "release" in workflow.read_text(), (name, writes)
        assert job["timeout-minutes"] <= 60


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_no_link_in_a_page_leads_nowhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)?(?:#[^)]*)?\)", page.read_text()):
        path = (page.parent / target).resolve()
        assert not target or path.exists() or str(path.relative_to(ROOT)) in LATER, target


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_page_names_the_same_repository(page: Path) -> None:
    # Whose release notes an example names is another matter.
    text = re.sub(r"^ *homelab\.release-notes: .*$", "", page.read_text(), flags=re.MULTILINE)
    for owner, name in re.findall(r"github\.com/([\w-]+)/([\w-]+)", text):
        assert (owner, name) == ("homelab-ha", "homelab")
