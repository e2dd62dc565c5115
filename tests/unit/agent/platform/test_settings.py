import json
from pathlib import Path

import pytest

from homelab_agent.platform.errors import SettingsError
from homelab_agent.platform.settings import Settings, load_settings


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


class Files:
    """The places that settings come from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.toml = folder / "homelab-agent.toml"
        self.options = folder / "options.json"

    def load(self, environment: dict[str, str] | None = None, **overrides: bool) -> Settings:
        """Load with the data folder here."""
        return load_settings(
            environment={"HOMELAB_DATA_DIR": str(self.folder)} | (environment or {}),
            app_options=self.options,
            overrides=overrides,
        )


def test_nothing_has_to_be_set(files: Files) -> None:
    settings = files.load()

    assert settings.listen == "0.0.0.0:8099"
    assert settings.docker_url == "unix:///var/run/docker.sock"
    assert settings.store_url == f"sqlite+aiosqlite:///{files.folder}/homelab.db"
    assert (settings.activity_retention_days, settings.job_retention_days) == (90, 30)
    assert settings.display_name


def test_without_a_data_folder_given_it_is_in_the_home_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    settings = load_settings(environment={}, app_options=tmp_path / "none")

    assert settings.data_dir == tmp_path / ".local" / "share" / "homelab-agent"


def test_a_later_source_wins_over_an_earlier_one(files: Files) -> None:
    files.toml.write_text('log_level = "error"\nname = "file"\nmdns = false\nprotect = ["a"]\n')
    files.options.write_text(json.dumps({"name": "options", "log_level": "warning"}))

    settings = files.load({"HOMELAB_LOG_LEVEL": "debug"}, demo=True)

    assert settings.log_level == "debug"
    assert settings.name == settings.display_name == "options"
    assert settings.mdns is False
    assert settings.protect == ("a",)
    assert settings.demo is True


def test_a_file_named_by_hand_or_by_variable_is_read_instead_of_the_usual_one(files: Files) -> None:
    files.toml.write_text('name = "usual"')
    other = files.folder / "other.toml"
    other.write_text('name = "other"')

    assert files.load({"HOMELAB_CONFIG": str(other)}).name == "other"
    by_hand = load_settings(other, environment={}, app_options=files.options)
    assert by_hand.name == "other"


def test_a_file_named_by_hand_must_be_there(files: Files) -> None:
    with pytest.raises(SettingsError, match=r"gone\.toml cannot be read: No such file"):
        files.load({"HOMELAB_CONFIG": str(files.folder / "gone.toml")})


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("listn = 'x'", r"homelab-agent\.toml: there is no setting listn"),
        ("mdns = 'perhaps'", r"homelab-agent\.toml: mdns: .*boolean"),
        ("activity_retention_days = 0", r"homelab-agent\.toml: activity_retention_days: .*greater"),
        ("listen = '8099'", r"homelab-agent\.toml: listen: "),
        ("listen = ':70000'", r"a port is at most 65535"),
        ("docker_url = 'ftp://x'", r"homelab-agent\.toml: docker_url: "),
        ("docker_url = 'unix://relative'", r"docker_url: unix:// needs an absolute path"),
        ("docker_url = 'unix://host/docker.sock'", r"docker_url: unix:// needs an absolute path"),
        ("docker_url = 'unix:///'", r"docker_url: unix:// needs an absolute path"),
        ("docker_url = 'tcp://:2375'", r"docker_url: tcp:// needs a host"),
        ("docker_url = 'http:///x'", r"docker_url: http:// needs a host"),
        ("docker_url = 'tcp://nas:docker'", r"toml: docker_url: .*[Pp]ort"),
        ("docker_url = 'tcp://nas:99999'", r"toml: docker_url: .*[Pp]ort"),
        ("docker_url = 'https://nas:0'", r"toml: docker_url: .*port"),
        ("docker_url = 'tcp://[::1'", r"toml: docker_url: .*IPv6"),
        (r'docker_url = "unix:///a\u0000b"', r"toml: docker_url: it holds a NUL character"),
        (r'tls_key = "/a\u0000b"', r"toml: tls_key: it holds a NUL character"),
        ("tls_key = '~nobody-here/k.pem'", r"toml: tls_key: the home folder in ~nobody-here/k"),
        ("database_url = 'mysql://x'", r"homelab-agent\.toml: database_url: "),
        ("tls = 'files'", r'tls: "files" needs tls_certificate and tls_key'),
        ("protect = 'web'", r"homelab-agent\.toml: protect: "),
        ("protect = [1]", r"homelab-agent\.toml: protect: "),
        ("= broken", r"homelab-agent\.toml is not a TOML file"),
    ],
)
def test_a_wrong_setting_in_the_file_is_named_with_its_file(
    files: Files, toml: str, said: str
) -> None:
    files.toml.write_text(toml)

    with pytest.raises(SettingsError, match=said):
        files.load()


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (r'data_dir = "/tmp/a\u0000b"', r"other\.toml: data_dir: it holds a NUL character"),
        (
            "data_dir = '~nobody-here/x'",
            r"other\.toml: data_dir: the home folder in ~nobody-here/x",
        ),
    ],
)
def test_a_data_folder_that_cannot_be_one_is_named_with_its_file(
    files: Files, toml: str, said: str
) -> None:
    other = files.folder / "other.toml"
    other.write_text(toml)

    with pytest.raises(SettingsError, match=said):
        load_settings(other, environment={}, app_options=files.options)


def test_a_data_folder_of_nobody_in_a_variable_is_named(files: Files) -> None:
    with pytest.raises(SettingsError, match="HOMELAB_DATA_DIR: the home folder in ~nobody-here"):
        files.load({"HOMELAB_DATA_DIR": "~nobody-here/x"})


def test_what_is_nested_too_deeply_is_named_instead_of_breaking_the_agent(files: Files) -> None:
    deep = "[" * 100_000
    with pytest.raises(SettingsError, match="HOMELAB_PROTECT"):
        files.load({"HOMELAB_PROTECT": deep})
    files.options.write_text(deep)
    with pytest.raises(SettingsError, match=r"options\.json"):
        files.load()
    files.toml.write_text(f"x = {deep}")
    with pytest.raises(SettingsError, match=r"homelab-agent\.toml"):
        files.load()


def test_a_misspelt_setting_is_answered_with_the_right_one(files: Files) -> None:
    files.toml.write_text("protct = []")

    with pytest.raises(SettingsError) as caught:
        files.load()

    assert (caught.value.field, caught.value.hint) == ("protct", "Did you mean protect?")


def test_a_file_that_is_no_text_is_named(files: Files) -> None:
    files.toml.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match="is not a TOML file"):
        files.load()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('{"colour": 1}', r"options\.json: there is no setting colour"),
        ('{"log_level": "loud"}', r"options\.json: log_level: "),
        ("[]", r"options\.json holds no options"),
        ("{", r"options\.json is not a JSON file"),
    ],
)
def test_a_wrong_option_of_the_app_is_named(files: Files, options: str, said: str) -> None:
    files.options.write_text(options)

    with pytest.raises(SettingsError, match=said):
        files.load()


def test_options_that_cannot_be_read_are_named(files: Files) -> None:
    files.options.mkdir()
    assert files.load().name is None  # a folder is no options

    files.options.rmdir()
    files.options.symlink_to("/proc/self/mem")
    with pytest.raises(SettingsError, match=r"options\.json cannot be read"):
        files.load()


def test_an_option_left_empty_in_the_app_is_one_not_set(files: Files) -> None:
    files.options.write_text('{"name": "", "docker_url": null, "log_level": "debug"}')

    settings = files.load()

    assert settings.name is None
    assert settings.docker_url.startswith("unix:")
    assert settings.log_level == "debug"


def test_a_wrong_variable_is_named_as_a_variable(files: Files) -> None:
    with pytest.raises(SettingsError, match=r"environment: HOMELAB_MDNS: .*boolean") as caught:
        files.load({"HOMELAB_MDNS": "perhaps"})
    assert caught.value.field == "mdns"


@pytest.mark.parametrize(
    "name",
    [
        "HOMELAB_LAB_DIR",
        "HOMELAB_RUN_USER",
        "HOMELAB_RUN_PASSWORD",
        "HOMELAB_RUN_TOKEN",
        "HOMELAB_UPDATE_IMAGES",
        "HOMELAB_PORT",
        "HOMELAB_SERVICE_HOST",
        "HOMELABS_PROTECTED",
    ],
)
def test_variables_of_others_with_the_same_prefix_do_not_stop_the_agent(
    files: Files, name: str
) -> None:
    assert files.load({name: "/x"}).name is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("HOMELAB_PROTECTED", "HOMELAB_PROTECT"),
        ("HOMELAB_PROTCT", "HOMELAB_PROTECT"),
        ("HOMELAB_DATADIR", "HOMELAB_DATA_DIR"),
        ("HOMELAB_LOGLEVEL", "HOMELAB_LOG_LEVEL"),
        ("HOMELAB_CONFG", "HOMELAB_CONFIG"),
    ],
)
def test_a_misspelt_variable_does_not_leave_a_container_unprotected(
    files: Files, name: str, meant: str
) -> None:
    with pytest.raises(SettingsError, match=f"there is no setting {name}") as caught:
        files.load({name: "minecraft"})
    assert caught.value.hint == f"Did you mean {meant}?"


def test_an_empty_variable_is_one_not_set(files: Files) -> None:
    files.toml.write_text('protect = ["web"]\nlog_level = "debug"')

    settings = files.load({"HOMELAB_PROTECT": "", "HOMELAB_LOG_LEVEL": "", "HOMELAB_MDNS": ""})

    assert (settings.protect, settings.log_level, settings.mdns) == (("web",), "debug", True)


def test_an_empty_data_folder_in_a_variable_is_not_the_folder_one_stands_in(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(files.folder))

    assert (
        files.load({"HOMELAB_DATA_DIR": ""}).data_dir == files.folder / ".local/share/homelab-agent"
    )


def test_files_of_a_certificate_may_be_in_the_home_of_the_user(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(files.folder))

    assert files.load({"HOMELAB_TLS_KEY": "~/k.pem"}).tls_key == files.folder / "k.pem"


@pytest.mark.parametrize(
    ("text", "protected"),
    [
        ('["web", "data base"]', ("web", "data base")),
        ("web, database", ("web", "database")),
        ("web", ("web",)),
        ("", ()),
    ],
)
def test_a_list_can_be_written_in_a_variable(
    files: Files, text: str, protected: tuple[str, ...]
) -> None:
    assert files.load({"HOMELAB_PROTECT": text}).protect == protected


def test_a_broken_list_in_a_variable_is_named(files: Files) -> None:
    with pytest.raises(SettingsError, match="HOMELAB_PROTECT is not a JSON list"):
        files.load({"HOMELAB_PROTECT": '["web"'})


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("[::1]:8100", "::1", 8100),
        (":8099", "0.0.0.0", 8099),  # noqa: S104  # the default
    ],
)
def test_the_address_to_listen_at_is_read_whole(
    files: Files, listen: str, host: str, port: int
) -> None:
    settings = files.load({"HOMELAB_LISTEN": listen})

    assert (settings.listen_host, settings.listen_port) == (host, port)


def test_another_database_is_used_when_one_is_given(files: Files) -> None:
    url = "postgresql+asyncpg://me@db/homelab"
    assert files.load({"HOMELAB_DATABASE_URL": url}).store_url == url


def test_registries_can_be_written_in_a_variable_and_their_passwords_do_not_show(
    files: Files,
) -> None:
    text = '[{"host": "r.example:5000", "username": "me", "password": "correct-horse"}]'
    (registry,) = files.load({"HOMELAB_REGISTRIES": text}).registries
    assert registry.password is not None
    assert registry.password.get_secret_value() == "correct-horse"
    assert "correct-horse" not in repr(registry)


@pytest.mark.parametrize(
    "text",
    [
        "[",
        '[{"host": "https://r.example", "insecure": true}]',
        '[{"host": "r.example", "username": "me"}]',
        '[{"host": "r.example", "password": "correct-horse"}]',
        '[{"host": "r", "username": "me", "password": "correct-horse", "password_file": "/x"}]',
        '["correct-horse"]',
    ],
)
def test_a_wrong_registry_is_named_without_its_password(files: Files, text: str) -> None:
    with pytest.raises(SettingsError, match="HOMELAB_REGISTRIES") as caught:
        files.load({"HOMELAB_REGISTRIES": text})
    assert caught.value.field == "registries"
    assert "correct-horse" not in caught.value.message


def test_nobody_without_a_home_is_kept_from_starting_by_docker_logins(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    assert files.load({}).docker_config_file is None
