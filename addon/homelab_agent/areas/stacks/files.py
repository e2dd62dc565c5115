"""The files of managed stacks: what runs, and every kept version. Slow: call it in a thread.

    NAME/compose.yaml, NAME/.env            the version that runs
    NAME/compose.yaml.original              what lay there before the first deployment
    NAME/compose.yaml.nothing               nothing lay there before the first deployment
    NAME/.versions/SOURCE/compose.yaml      each kept version, and the one being deployed
    NAME/.versions/SOURCE/version.json      its values for ${NAME}, its model and its diff

All of them are for the agent's own user alone.
"""

import contextlib
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from pydantic import Field, ValidationError

from homelab_agent.areas.stacks.environment_file import written
from homelab_agent.platform.durable_files import replace_file
from homelab_agent.platform.errors import NotFound, Unavailable
from homelab_agent.platform.model import Model

COMPOSE_FILE = "compose.yaml"
ENVIRONMENT_FILE = ".env"

_VERSIONS = ".versions"
_ORIGINAL = ".original"
_NOTHING = ".nothing"
_VERSION_FILE = "version.json"


class Kept(Model):
    """What is kept of a version besides its text. `model` and `diff` are without secrets.

    `injected` is by service what changes with all that compose writes into its containers.
    """

    environment: dict[str, str]
    model: str
    diff: str
    injected: dict[str, str] = Field(default_factory=dict)


class StackFiles:
    """The folder of all stacks. Raises `Unavailable` where the disk does not let it work."""

    def __init__(self, stacks_dir: Path) -> None:
        self._stacks_dir = stacks_dir

    def folder(self, name: str) -> Path:
        """Return the folder of one stack, whether it is there or not."""
        return self._stacks_dir / name

    def stage(self, name: str, source: str, compose: str, kept: Kept) -> None:
        """Write a version beside the others."""
        folder = self._version(name, source)
        with _translated():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(folder / COMPOSE_FILE, compose)
            replace_file(folder / _VERSION_FILE, kept.model_dump_json())

    def read(self, name: str, source: str) -> tuple[str, Kept]:
        """Return the text of a version and what is kept with it.

        Raises:
            NotFound: its files are not there any more.
        """
        folder = self._version(name, source)
        try:
            kept = Kept.model_validate_json((folder / _VERSION_FILE).read_text())
            return (folder / COMPOSE_FILE).read_text(), kept
        except (OSError, ValueError, ValidationError) as error:
            raise NotFound(f"The files of this version of {name} are gone.") from error

    def install(self, name: str, source: str, *, first: bool) -> None:
        """Make a version the one that runs, each file whole at any moment.

        `first`: nothing of ours runs yet, so a file that lies there is another's and is kept.
        """
        compose, kept = self.read(name, source)
        texts = {ENVIRONMENT_FILE: written(kept.environment), COMPOSE_FILE: compose}
        with _translated():
            for file, text in texts.items():
                path = self.folder(name) / file
                original, nothing = _before(path)
                if not (original.exists() or nothing.exists()):
                    if first and path.exists():
                        path.replace(original)
                    else:
                        replace_file(nothing, "")
                replace_file(path, text)

    def uninstall(self, name: str) -> None:
        """Take away the version that runs; the kept ones stay, and the originals come back.

        What is not of ours stays: it may be asked for twice, and before anything was written.
        """
        with _translated():
            for file in (COMPOSE_FILE, ENVIRONMENT_FILE):
                path = self.folder(name) / file
                original, nothing = _before(path)
                if original.exists():
                    original.replace(path)
                elif nothing.exists():
                    path.unlink(missing_ok=True)
                    nothing.unlink()

    def keep_only(self, name: str, sources: Collection[str]) -> None:
        """Remove all versions but these, and the stack's folder when nothing is left in it."""
        versions = self.folder(name) / _VERSIONS
        with _translated():
            for folder in tuple(versions.iterdir()) if versions.is_dir() else ():
                if folder.name not in sources:
                    shutil.rmtree(folder)
            if not sources:
                for empty in (versions, self.folder(name)):
                    with contextlib.suppress(OSError):  # what others put there stays
                        empty.rmdir()

    def _version(self, name: str, source: str) -> Path:
        return self.folder(name) / _VERSIONS / source


def _before(path: Path) -> tuple[Path, Path]:
    """Return where it stands what a file of ours replaced: another file, or nothing."""
    return path.with_name(path.name + _ORIGINAL), path.with_name(path.name + _NOTHING)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The files of stacks cannot be written: {error.strerror} ({error.filename}).",
            hint="Look at the setting `stacks_dir`, its owner and the room on its disk.",
        ) from error
