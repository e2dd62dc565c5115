"""What the agent asks docker compose for: reading a text, bringing a stack up and down."""

import asyncio
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from homelab_agent.areas.stacks.compose_errors import final_error, invalid_text, without
from homelab_agent.areas.stacks.compose_process import Process
from homelab_agent.areas.stacks.environment_file import is_name, require_environment, written
from homelab_agent.areas.stacks.files import COMPOSE_FILE, ENVIRONMENT_FILE
from homelab_agent.areas.stacks.injected import injected_digests
from homelab_agent.areas.stacks.masking import secret_values, shown
from homelab_agent.areas.stacks.names import require_profiles
from homelab_agent.areas.stacks.text import require_plain
from homelab_agent.platform.errors import Failed, Invalid, Unavailable
from homelab_agent.platform.jobs.progress import report

READ_S = 30.0
UP_S = 900.0
DOWN_S = 300.0

_LOST = (
    "Cannot connect to the Docker daemon",
    "error during connect",
    "connection refused",
    "connection reset",
    "EOF",
    "broken pipe",
    # of a proxy before the engine
    "502 Bad Gateway",
    "503 Service Unavailable",
    "504 Gateway",
)

type ComposeModel = dict[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A stack as text. `directory` is what its relative paths are relative to.

    `staged`: that folder is the agent's own, and its `.env` is yet to be written.
    """

    name: str
    text: str
    environment: Mapping[str, str]
    profiles: tuple[str, ...]
    directory: Path
    staged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What compose makes of a text. `hashes` are of the services; `shown` is without secrets.

    `injected` is by service what changes with all that compose writes into its containers.
    """

    model: ComposeModel
    hashes: dict[str, str]
    shown: str
    injected: dict[str, str]

    @property
    def digest(self) -> str:
        """What tells two readings apart."""
        text = json.dumps([self.model, self.injected], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The files of a stack that compose is to act upon."""

    name: str
    files: tuple[str, ...]
    directory: str
    environment_files: tuple[str, ...]
    profiles: tuple[str, ...] = ()


class Compose:
    """Docker compose for one engine. `work_dir` is for files that live as long as one call."""

    def __init__(self, process: Process, work_dir: Path) -> None:
        self._process = process
        self._work_dir = work_dir

    async def read(self, source: Source) -> Reading:
        """Return what compose makes of a text; nothing is changed.

        Raises:
            Invalid: it does not take it; `field` and `line` say where.
            Unavailable: there is no room on the disk for a look at it.
        """
        require_environment(source.environment)
        require_profiles(source.profiles)
        await asyncio.to_thread(require_plain, source.text)
        try:
            return await self._read_staged(source)
        except OSError as error:
            raise Unavailable(
                f"The text cannot be looked at here: {error.strerror}.",
                hint="Look at the room on the disk of the agent's data folder.",
            ) from error

    async def _read_staged(self, source: Source) -> Reading:
        stage = await asyncio.to_thread(_stage, self._work_dir, source)
        try:
            return await self._read(source, stage)
        except Invalid as error:
            raise Invalid(
                error.message.replace(str(stage), str(source.directory)),
                field=error.field,
                hint=error.hint,
                extra=error.extra,
            ) from error
        finally:
            await asyncio.to_thread(shutil.rmtree, stage, ignore_errors=True)

    async def merged(self, deployed: Deployed) -> str:
        """Return the files of a stack as one text, with every ${...} left in it."""
        options = ("--no-interpolate", "--no-env-resolution", "--no-path-resolution")
        ended = await self._process.run(
            (*_of(deployed), "config", "--no-normalize", "--no-consistency", *options),
            deadline_s=READ_S,
        )
        if ended.code:
            raise invalid_text(final_error(ended.told), ())
        return ended.output

    async def shown(self, deployed: Deployed) -> str:
        """Return the model of a stack's files as text without secrets."""
        ended = await self._process.run(
            (*_of(deployed), "config", "--format", "json"), deadline_s=READ_S
        )
        if ended.code:
            raise invalid_text(final_error(ended.told), ())
        return shown(json.loads(ended.output), {})

    async def environment(self, deployed: Deployed) -> dict[str, str]:
        """Return the values for ${...} that the files of a stack are read with."""
        ended = await self._process.run(
            (*_of(deployed), "config", "--environment"), deadline_s=READ_S
        )
        pairs = (line.partition("=") for line in ended.output.splitlines())
        found = {name: value for name, sign, value in pairs if sign}
        return {} if ended.code else {n: v for n, v in found.items() if is_name(n) and n != "PWD"}

    async def up(
        self, deployed: Deployed, environment: Mapping[str, str], *, anew: Sequence[str] = ()
    ) -> None:
        """Make the stack run as its files say; no image is pulled and none is built.

        `anew` are services whose containers are made anew though compose sees no change.
        """
        options = ("--detach", "--remove-orphans", "--pull", "never", "--no-build")
        forced = (*options, "--no-deps", "--force-recreate", *anew)
        for each in (options, forced) if anew else (options,):
            ended = await self._process.run(
                ("--progress", "json", *_of(deployed), "up", *each), deadline_s=UP_S, hear=_tell
            )
            if ended.code:
                message = without(secret_values(environment), final_error(ended.told))
                raise _failed(f"docker compose could not bring {deployed.name} up: {message}")

    async def down(self, name: str, deployed: Deployed | None, *, volumes: bool) -> None:
        """Stop and remove what the stack has; its volumes only where that is said."""
        files, by_labels = _of(deployed) if deployed else (), ("--project-name", name)
        if volumes:
            # With files compose removes volumes by the names in them, whoever they belong to;
            # without, those that carry the label of the stack. Only files know of `pre_stop`.
            if files:
                await self._take_down(name, (*files, "stop"))
            await self._take_down(name, (*by_labels, "down", "--remove-orphans", "--volumes"))
        else:
            await self._take_down(name, (*(files or by_labels), "down", "--remove-orphans"))

    async def _take_down(self, name: str, command: Sequence[str]) -> None:
        ended = await self._process.run(
            ("--progress", "json", *command), deadline_s=DOWN_S, hear=_tell
        )
        if ended.code:
            raise _failed(f"docker compose could not take {name} down: {final_error(ended.told)}")

    async def _read(self, source: Source, stage: Path) -> Reading:
        directory = stage if source.staged else source.directory
        files = _arguments(
            source.name,
            (str(stage / COMPOSE_FILE),),
            str(directory),
            (str(stage / ENVIRONMENT_FILE),),
            source.profiles,
        )
        await self._require_near_environment(files, source, directory)
        model = await self._model(files, source)
        if source.staged:
            model = _moved(model, str(stage), str(source.directory))
        hashes = await self._hashes(model, source, stage)
        text = await asyncio.to_thread(shown, model, source.environment)
        injected = injected_digests(model, source.environment)
        return Reading(model=model, hashes=hashes, shown=text, injected=injected)

    async def _model(self, files: Sequence[str], source: Source, *options: str) -> ComposeModel:
        ended = await self._process.run(
            ("--progress", "json", *files, "config", "--format", "json", *options),
            deadline_s=READ_S,
        )
        if ended.code:
            raise invalid_text(final_error(ended.told), secret_values(source.environment))
        model: ComposeModel = json.loads(ended.output)
        if not model.get("services"):
            raise Invalid("There is no service in it.", field="services")
        return model

    async def _require_near_environment(
        self, files: Sequence[str], source: Source, directory: Path
    ) -> None:
        """Refuse files with values from outside of the folder before any of them is read."""
        # With --no-env-resolution alone compose reads the files all the same.
        model = await self._model(files, source, "--no-interpolate")
        await asyncio.to_thread(_require_near, model, (directory, source.directory))

    async def _hashes(self, model: ComposeModel, source: Source, stage: Path) -> dict[str, str]:
        # Of the model and not of the text: `config --hash` of a text with env_file differs from
        # what `up` writes on the containers.
        file = stage / "model.json"
        await asyncio.to_thread(file.write_text, json.dumps(model))
        files = _arguments(
            source.name, (str(file),), str(source.directory), ("/dev/null",), source.profiles
        )
        ended = await self._process.run((*files, "config", "--hash", "*"), deadline_s=READ_S)
        if ended.code:
            raise invalid_text(final_error(ended.told), secret_values(source.environment))
        pairs = (line.split() for line in ended.output.splitlines())
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}  # noqa: PLR2004 - name, hash


def _failed(message: str) -> Failed | Unavailable:
    """Return the error: `Unavailable` where it was the engine that went away."""
    lost = any(sign in message for sign in _LOST)
    return Unavailable(message) if lost else Failed(message)


def _stage(work_dir: Path, source: Source) -> Path:
    """Return a folder with what compose is to read, and all else that lies in the stack's own."""
    work_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(dir=work_dir))
    try:
        _fill(stage, source)
    except OSError:
        # Half of it may be a password.
        shutil.rmtree(stage, ignore_errors=True)
        raise
    return stage


def _fill(stage: Path, source: Source) -> None:
    (stage / COMPOSE_FILE).write_text(source.text)
    (stage / ENVIRONMENT_FILE).write_text(written(source.environment))
    if source.staged and source.directory.is_dir():
        for each in source.directory.iterdir():
            link = stage / each.name
            if not link.exists():
                link.symlink_to(each)


def _of(deployed: Deployed) -> tuple[str, ...]:
    return _arguments(
        deployed.name,
        deployed.files,
        deployed.directory,
        deployed.environment_files or ("/dev/null",),
        deployed.profiles,
    )


def _arguments(
    name: str,
    files: Iterable[str],
    directory: str,
    environment_files: Iterable[str],
    profiles: Iterable[str],
) -> tuple[str, ...]:
    return (
        *("--project-name", name, "--project-directory", directory),
        *(part for file in files for part in ("--file", file)),
        *(part for file in environment_files for part in ("--env-file", file)),
        *(part for profile in profiles for part in ("--profile", profile)),
    )


def _require_near(model: ComposeModel, folders: tuple[Path, ...]) -> None:
    # What stands in the staged folder may be a link to the stack's own one.
    near = [Path(os.path.realpath(folder)) for folder in folders]
    services = model["services"]
    for name, service in services.items() if isinstance(services, dict) else ():
        for key in ("env_file", "label_file"):
            for number, path in enumerate(_paths(service, key)):
                field = f"services.{name}.{key}[{number}]"
                if "$" in path:
                    raise Invalid(
                        f"{name}: the path of an {key} cannot hold a variable.",
                        field=field,
                        hint="Write the path out.",
                    )
                real = Path(os.path.realpath(path))
                if not any(real.is_relative_to(folder) for folder in near):
                    raise Invalid(
                        f"{name}: {key} lies outside of the stack's folder.",
                        field=field,
                        hint="Give the values as `environment`, or put the file there.",
                    )


def _moved(model: ComposeModel, stage: str, directory: str) -> ComposeModel:
    """Return the model with the paths it has once its text lies where it belongs."""

    def moved(value: JsonValue) -> JsonValue:
        if isinstance(value, dict):
            return {key: moved(each) for key, each in value.items()}
        if isinstance(value, list):
            return [moved(each) for each in value]
        if isinstance(value, str) and (value == stage or value.startswith(f"{stage}/")):
            return directory + value.removeprefix(stage)
        return value

    return {key: moved(each) for key, each in model.items()}


def _paths(service: JsonValue, key: str) -> Iterable[str]:
    entries = service.get(key) if isinstance(service, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        path = entry.get("path") if isinstance(entry, dict) else entry
        if isinstance(path, str):
            yield path


def _tell(line: str) -> None:
    try:
        said = json.loads(line)
    except ValueError:
        return
    if isinstance(said, dict) and said.get("id") and said.get("status"):
        report(None, f"{said['id']}: {said['status']}"[:200])
