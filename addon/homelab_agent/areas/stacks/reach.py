"""Whether compose files that a label names can be read here. Reads files: call it in a thread."""

import os
import stat
from collections.abc import Collection, Sequence
from pathlib import Path

from homelab_agent.areas.stacks.labels import Origin
from homelab_agent.areas.stacks.text import content_of, services_in
from homelab_agent.platform.errors import Invalid

LARGEST_FILE_BYTES = 512 * 1024

_SUFFIXES = frozenset({".yml", ".yaml", ".json"})


def why_out_of_reach(files: Sequence[Path]) -> str | None:
    """Return in a sentence why the files of a stack cannot be read; None where they can.

    Labels come with images too, so nothing is read that is not a plain file named as compose
    files are.
    """
    if not files:
        return "Its containers do not say which compose files they come from."
    for file in files:
        if not file.is_absolute() or file.suffix not in _SUFFIXES:
            return f"{file} does not look like a compose file."
        try:
            found = file.stat()
        except OSError:
            return f"{file} is not within the agent's reach: it lies on the host or elsewhere."
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_FILE_BYTES:
            return f"{file} is no plain file of at most {LARGEST_FILE_BYTES // 1024} KiB."
        if not os.access(file, os.R_OK):
            return f"The agent may not read {file}."
    return None


def why_not_read(origin: Origin, services: Collection[str]) -> str | None:
    """Return why the files of a stack are not to be read out; None where they may be.

    The labels could name any file that the agent may read: a compose text has one of the stack's
    `services`, and its values stand in a file that is named as such.
    """
    files = tuple(map(Path, origin.config_files))
    if why := why_out_of_reach(files):
        return why
    if origin.working_dir is None or Path(origin.working_dir) not in {
        each.parent for each in files
    }:
        return f"Its folder is not the one of its compose file {files[0]}."
    for values in map(Path, origin.environment_files):
        if not (values.name.startswith(".env") or values.suffix == ".env"):
            return f"{values} does not look like a file of values."
    if not any(_is_about(file, services) for file in files):
        return f"{files[0]} is no compose text with a service of this stack."
    return None


def _is_about(file: Path, services: Collection[str]) -> bool:
    try:
        content = content_of(file.read_text())
    except OSError, ValueError, Invalid:
        return False
    names = {name for name, _ in services_in(content)}
    return bool(names & set(services)) or (isinstance(content, dict) and "include" in content)
