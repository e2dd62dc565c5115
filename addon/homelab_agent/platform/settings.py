"""What can be set, and where from: a later source wins.

Defaults < TOML file < options of the Supervisor app < environment (HOMELAB_*) < command line.
"""

import difflib
import json
import os
import socket
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from homelab_agent.platform.errors import SettingsError
from homelab_agent.platform.model import Model

FILE_NAME = "homelab-agent.toml"
STORE_FILE = "homelab.db"
APP_OPTIONS = Path("/data/options.json")
PREFIX = "HOMELAB_"
CONFIG_VARIABLE = "HOMELAB_CONFIG"

_LAST_PORT = 65535
_DEFAULT_DATA_DIR = Path("~/.local/share/homelab-agent")
_DOCKER_CONFIG = Path("~/.docker/config.json")

_LISTS = frozenset(
    {
        "certificate_paths",
        "dns_resolvers",
        "protect",
        "public_address_sources",
        "registries",
        "stack_mount_roots",
    }
)
"""What a variable of the environment holds as JSON, or as names between commas."""

# Catches a letter too many, too few or wrong; "LAB_DIR" and the like are the names of others.
_NEAR_MISS = 0.75


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:  # nobody of that name, or nobody with a home
        raise ValueError(f"the home folder in {path} is not known") from error


def _never_or_a_minute(seconds: float) -> float:
    if 0 < seconds < 60:  # noqa: PLR2004 - what takes a minute cannot be done more often
        raise ValueError("at least 60, or 0 for never")
    return seconds


def _docker_address(url: str) -> str:
    """Refuse what could never be reached: later nobody would know that the setting is at fault."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        if parts.netloc or not parts.path.strip("/"):
            raise ValueError("unix:// needs an absolute path, as in unix:///var/run/docker.sock")
    elif not parts.hostname:
        raise ValueError(f"{parts.scheme}:// needs a host, as in {parts.scheme}://192.0.2.10:2375")
    elif parts.port == 0:  # asking for the port refuses what is no number or too large
        raise ValueError("a port is at least 1")
    return url


type Days = Annotated[int, Field(ge=1, le=3650)]
type HomePath = Annotated[Path, AfterValidator(_absolute)]
type DockerUrl = Annotated[
    str,
    StringConstraints(pattern=r"^(unix|tcp|https?)://.+"),
    AfterValidator(_docker_address),
]
type DatabaseUrl = Annotated[
    str, StringConstraints(pattern=r"^(sqlite\+aiosqlite|postgresql\+asyncpg)://.+")
]

type HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/@]+(/\S*)?$")]
type ResolverAddress = Annotated[
    str,
    StringConstraints(pattern=r"^([0-9.]+(:\d{1,5})?|[0-9a-fA-F:]+|\[[0-9a-fA-F:]+\]:\d{1,5})$"),
]
"""A resolver by its address: "192.0.2.53", "127.0.0.1:5353", "[2001:db8::53]:53"."""
type Window = Annotated[
    str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")
]


class RegistrySettings(Model):
    """One container registry. `insecure`: plain http, or a certificate that nobody vouches for."""

    host: Annotated[str, StringConstraints(pattern=r"^[^\s/@]+$", max_length=255)]
    username: str | None = Field(default=None, min_length=1)
    password: SecretStr | None = None
    password_file: HomePath | None = None
    ca_file: HomePath | None = None
    insecure: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        passwords = [each for each in (self.password, self.password_file) if each is not None]
        if len(passwords) != (self.username is not None):
            raise ValueError(
                f"{self.host} needs both username and one of password and password_file, or none"
            )
        return self


class Settings(Model):
    """Every setting of the agent. `database_url` None is a SQLite file in `data_dir`."""

    data_dir: HomePath = Field(default=_DEFAULT_DATA_DIR, validate_default=True)
    listen: Annotated[str, StringConstraints(pattern=r"^.*:\d{1,5}$")] = "0.0.0.0:8099"
    name: str | None = Field(default=None, min_length=1, max_length=64)
    docker_url: DockerUrl = "unix:///var/run/docker.sock"
    demo: bool = False
    database_url: DatabaseUrl | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "text"] = "json"
    tls: Literal["off", "self_signed", "files"] = "off"
    tls_certificate: HomePath | None = None
    tls_key: HomePath | None = None
    mdns: bool = True
    protect: tuple[str, ...] = ()
    activity_retention_days: Days = 90
    job_retention_days: Days = 30
    stacks_dir: HomePath | None = None
    stack_mount_roots: tuple[HomePath, ...] = ()
    resync_interval_s: float = Field(default=300, ge=5, le=86400)
    disk_usage_interval_s: Annotated[float, AfterValidator(_never_or_a_minute)] = Field(
        default=3600, ge=0, le=604800
    )
    swarm_interval_s: float = Field(default=60, ge=5, le=3600)
    stats_interval_s: float = Field(default=10, ge=2, le=3600)
    stats_always: bool = False
    update_check_interval_h: float = Field(default=6, ge=1, le=24 * 30)
    update_policy: Literal["notify", "manual", "automatic", "off"] = "notify"
    update_window: Window = "03:00-05:00"
    host_proc: HomePath | None = None
    host_sys: HomePath | None = None
    host_root: HomePath | None = None
    host_interval_s: float = Field(default=10, ge=2, le=3600)
    filesystem_interval_s: float = Field(default=60, ge=5, le=3600)
    port_interval_s: float = Field(default=15, ge=2, le=3600)
    public_address_interval_s: Annotated[float, AfterValidator(_never_or_a_minute)] = Field(
        default=900, ge=0, le=604800
    )
    public_address_sources: tuple[HttpUrl, ...] = (
        "https://api.ipify.org",
        "https://icanhazip.com",
        "https://ifconfig.co/ip",
    )
    monitor_result_retention_h: int = Field(default=24, ge=1, le=168)
    monitor_concurrency: int = Field(default=64, ge=1, le=1000)
    certificate_interval_h: float = Field(default=6, ge=1, le=168)
    certificate_paths: tuple[HomePath, ...] = ()
    caddy_storage: HomePath | None = None
    trusted_ca_file: HomePath | None = None
    secrets_key_file: HomePath | None = None
    dns_resolvers: tuple[ResolverAddress, ...] = ()
    domain_interval_s: float = Field(default=300, ge=10, le=86400)
    domain_history_retention_days: Days = 365
    certificates_dir: HomePath | None = None
    proxy_interval_s: float = Field(default=30, ge=2, le=3600)
    proxy_put_back: bool = True
    provision_step_s: float = Field(default=60, ge=1, le=3600)
    provision_propagation_s: float = Field(default=600, ge=1, le=86400)
    provision_certificate_s: float = Field(default=300, ge=1, le=3600)
    provision_undo_s: float = Field(default=300, ge=1, le=86400)
    docker_config: HomePath | None = None
    registries: tuple[RegistrySettings, ...] = ()

    @property
    def display_name(self) -> str:
        """What people call this agent: `name`, else the name of the host."""
        return self.name or socket.gethostname()

    @property
    def listen_host(self) -> str:
        """The address to listen at."""
        return self.listen.rpartition(":")[0].strip("[]") or "0.0.0.0"  # noqa: S104  # the setting's own default

    @property
    def listen_port(self) -> int:
        """The port to listen at; 0 lets the system choose."""
        return int(self.listen.rpartition(":")[2])

    @property
    def docker_config_file(self) -> Path | None:
        """The file with Docker's logins; None where it is not set and nobody has a home."""
        try:
            return self.docker_config or _DOCKER_CONFIG.expanduser()
        except RuntimeError:
            return None

    @property
    def stacks_folder(self) -> Path:
        """Where the files of deployed stacks are kept: `stacks_dir`, else in the data folder."""
        return self.stacks_dir or self.data_dir / "stacks"

    @property
    def certificates_folder(self) -> Path:
        """Where the agent keeps certificates with their keys: `certificates_dir`, else its own."""
        return self.certificates_dir or self.data_dir / "certificates"

    @property
    def store_url(self) -> str:
        """The address of the database."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir}/{STORE_FILE}"

    @field_validator("*", mode="before")
    @classmethod
    def _without_nul(cls, value: object) -> object:
        if isinstance(value, str) and "\0" in value:
            raise ValueError("it holds a NUL character")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.listen_port > _LAST_PORT:
            raise ValueError("listen: a port is at most 65535")
        if self.tls == "files" and not (self.tls_certificate and self.tls_key):
            raise ValueError('tls: "files" needs tls_certificate and tls_key')
        return self


def load_settings(
    config: Path | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    app_options: Path = APP_OPTIONS,
    overrides: Mapping[str, JsonValue] | None = None,
) -> Settings:
    """Read all sources; `overrides` is what the command line says.

    Raises:
        SettingsError: naming the source and the setting that is unknown or wrong.
    """
    sources: list[_Source] = []
    file = _settings_file(config, environment)
    if file:
        sources.append(_Source(str(file), _read_toml(file)))
    if app_options.is_file():
        sources.append(_Source(str(app_options), _read_options(app_options)))
    sources.append(_Source("environment", _read_environment(environment)))
    sources.append(_Source("command line", overrides or {}))
    try:
        return Settings.model_validate(
            {key: value for source in sources for key, value in source.values.items()}
        )
    except ValidationError as error:
        raise _explain(error.errors()[0], sources) from error


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    values: Mapping[str, JsonValue]


def _settings_file(config: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Return the file that was asked for, else the one in the data folder where there is one."""
    if config:
        return config
    if environment.get(CONFIG_VARIABLE):
        return Path(environment[CONFIG_VARIABLE])
    data_dir = environment.get(f"{PREFIX}DATA_DIR")
    try:
        file = _absolute(Path(data_dir or _DEFAULT_DATA_DIR)) / FILE_NAME
    except ValueError as error:
        raise SettingsError(
            f"environment: {PREFIX}DATA_DIR: {error}",
            field="data_dir",
            hint="Give the whole path of the data folder",
        ) from error
    return file if file.is_file() else None


def _read_toml(file: Path) -> Mapping[str, JsonValue]:
    try:
        values: dict[str, JsonValue] = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:  # broken TOML or not UTF-8
        raise SettingsError(f"{file} is not a TOML file: {error}") from error
    except RecursionError as error:
        raise SettingsError(f"{file} is nested too deeply") from error
    return values


def _read_options(file: Path) -> Mapping[str, JsonValue]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{file} is not a JSON file: {error}") from error
    except RecursionError as error:
        raise SettingsError(f"{file} is nested too deeply") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{file} holds no options")
    # The app's page leaves an option that was emptied as null or "".
    return {key: value for key, value in values.items() if value not in (None, "")}


def _read_environment(environment: Mapping[str, str]) -> Mapping[str, JsonValue]:
    """Return our variables that are not empty.

    Others with the same prefix belong to others and are left alone, but for those that look like
    one of ours with a slip of the pen: without them the agent would run unprotected, for example.
    """
    ours = {PREFIX + key.upper(): key for key in Settings.model_fields}
    for name in environment.keys() - ours.keys() - {CONFIG_VARIABLE}:
        if name.startswith(PREFIX):
            _refuse_near_miss(name.removeprefix(PREFIX), [*ours, CONFIG_VARIABLE])
    return {
        key: _list_from_text(name, text) if key in _LISTS else text
        for name, key in ours.items()
        if (text := environment.get(name))
    }


def _refuse_near_miss(name: str, ours: Sequence[str]) -> None:
    # Compared without the prefix, which would make all of them alike.
    known = [each.removeprefix(PREFIX) for each in ours]
    similar = difflib.get_close_matches(name, known, n=1, cutoff=_NEAR_MISS)
    if similar:
        raise SettingsError(
            f"environment: there is no setting {PREFIX}{name}",
            field=name.lower(),
            hint=f"Did you mean {PREFIX}{similar[0]}?",
        )


def _list_from_text(name: str, text: str) -> JsonValue:
    """Read a JSON list, or names between commas."""
    if not text.lstrip().startswith("["):
        return [name.strip() for name in text.split(",") if name.strip()]
    try:
        names: JsonValue = json.loads(text)
    except ValueError as error:
        raise SettingsError(
            f"environment: {name} is not a JSON list: {error}", field=_field(name)
        ) from error
    except RecursionError as error:
        raise SettingsError(
            f"environment: {name} is nested too deeply", field=_field(name)
        ) from error
    return names


def _field(name: str) -> str:
    return name.removeprefix(PREFIX).lower()


def _explain(wrong: ErrorDetails, sources: Sequence[_Source]) -> SettingsError:
    said = wrong["msg"].removeprefix("Value error, ")
    key = str(wrong["loc"][0]) if wrong["loc"] else None
    if key is None:
        return SettingsError(f"settings: {said}")
    # The last source that names the key is the one that won.
    source = next((source for source in reversed(sources) if key in source.values), sources[-1])
    shown = PREFIX + key.upper() if source.name == "environment" else key
    if wrong["type"] == "extra_forbidden":
        similar = difflib.get_close_matches(key, Settings.model_fields, n=1)
        hint = f"Did you mean {similar[0]}?" if similar else None
        return SettingsError(f"{source.name}: there is no setting {shown}", field=key, hint=hint)
    return SettingsError(f"{source.name}: {shown}: {said}", field=key)
