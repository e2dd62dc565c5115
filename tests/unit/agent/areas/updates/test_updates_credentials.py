"""Logins: from the settings, from Docker's configuration, from its helpers."""

import json
import os
from base64 import b64encode
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from homelab_agent.areas.updates.registry.credentials import Credentials
from homelab_agent.platform.engine.images import RegistryLogin
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.settings import RegistrySettings

AUTH = b64encode(b"reader:correct-horse").decode()

HELPER = """#!/bin/sh
[ "$1" = get ] || exit 2
read -r server
case "$server" in
    good*) echo '{"ServerURL":"x","Username":"reader","Secret":"correct-horse"}' ;;
    identity*) echo '{"ServerURL":"x","Username":"<token>","Secret":"identity-token"}' ;;
    none*) echo 'credentials not found in native keychain'; exit 1 ;;
    html*) echo '<html>' ;;
    *) echo 'keychain is locked'; exit 1 ;;
esac
"""


def docker_config(folder: Path, content: object) -> Path:
    path = folder / "config.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


async def login_for(path: Path, registry: str) -> RegistryLogin | None:
    return await Credentials((), path, SecretFilter()).get(registry)


@pytest.mark.parametrize(
    ("key", "registry"),
    [
        ("https://index.docker.io/v1/", "docker.io"),
        ("registry.example:5000", "registry.example:5000"),
        ("https://registry.example/v2/", "registry.example"),
    ],
)
async def test_the_login_of_docker_is_found_however_it_is_written(
    tmp_path: Path, key: str, registry: str
) -> None:
    path = docker_config(tmp_path, {"auths": {key: {"auth": AUTH}, "other": {"auth": AUTH}}})
    login = await login_for(path, registry)
    assert login is not None
    assert (login.username, login.password.get_secret_value()) == ("reader", "correct-horse")
    assert await login_for(path, "unknown.example") is None
    assert "correct-horse" not in repr(login)


async def test_the_settings_win_and_their_password_never_shows(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from-a-file\n")
    settings = RegistrySettings(
        host="registry.example", username="me", password_file=tmp_path / "password"
    )
    path = docker_config(tmp_path, {"auths": {"registry.example": {"auth": AUTH}}})
    secrets = SecretFilter()
    login = await Credentials((settings,), path, secrets).get("registry.example")
    assert login is not None
    assert (login.username, login.password.get_secret_value()) == ("me", "from-a-file")
    assert secrets.mask("it is from-a-file") == "it is ***"


@pytest.mark.parametrize("content", ["{", "[]", '{"auths": 1}', '{"auths": {"r.example": 5}}'])
async def test_a_broken_configuration_costs_the_logins_and_nothing_else(
    tmp_path: Path, content: str
) -> None:
    with capture_logs() as logs:
        assert await login_for(docker_config(tmp_path, content), "r.example") is None
    assert any("not a configuration of Docker" in str(entry) for entry in logs)


async def test_no_configuration_is_no_trouble(tmp_path: Path) -> None:
    with capture_logs() as logs:
        assert await login_for(tmp_path / "none.json", "docker.io") is None
    assert not logs


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "docker-credential-test"
    program.parent.mkdir()
    program.write_text(HELPER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


@pytest.mark.usefixtures("helper")
async def test_a_credential_helper_is_asked_as_docker_asks_it(tmp_path: Path) -> None:
    config = {
        "credHelpers": {"good.example": "test", "identity.example": "test"},
        "auths": {"none.example": {"auth": AUTH}},
        "credsStore": "test",
    }
    path = docker_config(tmp_path, config)
    good = await login_for(path, "good.example")
    assert good is not None
    assert good.password.get_secret_value() == "correct-horse"
    identity = await login_for(path, "identity.example")
    assert identity is not None
    assert identity.identity_token is not None
    none = await login_for(path, "none.example")
    assert none is not None
    assert none.username == "reader"


@pytest.mark.usefixtures("helper")
@pytest.mark.parametrize("registry", ["locked.example", "html.example", "gone.example"])
async def test_a_helper_that_does_not_help_is_told_of_in_the_log(
    tmp_path: Path, registry: str
) -> None:
    helpers = {"locked.example": "test", "html.example": "test", "gone.example": "../../bin/sh"}
    path = docker_config(tmp_path, {"credHelpers": helpers})
    with capture_logs() as logs:
        assert await login_for(path, registry) is None
    assert any(entry["event"] == "registry_login_not_readable" for entry in logs)
