"""What labels make the agent read: compose texts of that stack, and nothing else."""

from pathlib import Path

import pytest

from homelab_agent.areas.stacks.labels import Origin
from homelab_agent.areas.stacks.reach import why_not_read
from homelab_agent.areas.stacks.text import require_no_files_of_values
from homelab_agent.platform.errors import Invalid

COMPOSE = "services:\n  web: {image: busybox}\n"


def origin(folder: Path, file: str, **more: object) -> Origin:
    known = {"working_dir": str(folder), "config_files": (str(folder / file),), **more}
    return Origin(**known)  # type: ignore[arg-type]


def test_a_compose_text_of_the_stack_is_read(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    values = (str(tmp_path / ".env"), str(tmp_path / "shop.env"))
    found = origin(tmp_path, "compose.yaml", environment_files=values)
    assert why_not_read(found, {"web"}) is None


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("config.json", '{"auths": {"registry": {"auth": "c2VjcmV0"}}}'),
        ("secrets.yaml", "wifi_password: secret\n"),
        ("other.yaml", "services:\n  database: {image: postgres}\n"),
        ("bomb.yaml", "a: &a [x, x]\nb: &b [*a, *a]\n" * 3 + "]"),
        ("key.yaml", "-----BEGIN PRIVATE KEY-----"),
    ],
)
def test_a_label_does_not_make_the_agent_show_passwords_in_files_of_this_host(
    tmp_path: Path, file: str, text: str
) -> None:
    (tmp_path / file).write_text(text)
    assert why_not_read(origin(tmp_path, file), {"web"})


@pytest.mark.parametrize(
    "more",
    [
        {"environment_files": ("/proc/1/environ",)},
        {"environment_files": ("/etc/shadow",)},
        {"working_dir": "/"},
        {"working_dir": None},
    ],
)
def test_a_label_does_not_make_the_agent_read_values_from_anywhere(
    tmp_path: Path, more: dict[str, object]
) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    assert why_not_read(origin(tmp_path, "compose.yaml", **more), {"web"})


@pytest.mark.parametrize("key", ["env_file", "label_file"])
def test_a_text_reads_no_values_from_a_folder_that_only_a_label_names(key: str) -> None:
    text = f"services: {{web: {{image: a, {key}: [etc/os-release]}}}}"
    with pytest.raises(Invalid) as refused:
        require_no_files_of_values(text, "/")
    assert refused.value.field == f"services.web.{key}"
    require_no_files_of_values("services: {web: {image: a}}", "/")
