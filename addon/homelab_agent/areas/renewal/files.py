"""Certificates and their keys as files: written aside, then put in place at one stroke.

    <folder>/fullchain.pem -> .versions/current/fullchain.pem     and so on
    <folder>/.versions/current -> 20261121190000-5f2a9c0d1e7b
    <folder>/.versions/20261121190000-5f2a9c0d1e7b/{fullchain,privkey,cert,chain}.pem

All four change with the one link `current`, so that no reader finds a key that does not fit. The
version of before is kept.
"""

import asyncio
import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from homelab_agent.areas.renewal.keys import Bundle
from homelab_agent.platform.durable_files import sync_folder, write_new_file
from homelab_agent.platform.errors import AgentError, Conflict, Failed

FULL_CHAIN, KEY, CERTIFICATE, CHAIN = "fullchain.pem", "privkey.pem", "cert.pem", "chain.pem"
NAMES = (FULL_CHAIN, KEY, CERTIFICATE, CHAIN)

_VERSIONS, _CURRENT, _UNFINISHED = ".versions", "current", ".new"
_FOLDER_MODE, _KEY_MODE, _OPEN_MODE = 0o700, 0o600, 0o644
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class CertificateFolders:
    """One folder per certificate, below the agent's own one for certificates.

    What changes something raises:
        Conflict: there are files of somebody else.
        Failed: the disk is full, or does not take it. What was there before is whole.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, folder: str, name: str) -> Path:
        """Return where a file of a certificate always is."""
        return self.root / folder / name

    async def stage(self, folder: str, bundle: Bundle) -> str:
        """Write a version that nobody sees yet; return its name."""
        return await asyncio.to_thread(self._stage, folder, bundle)

    async def switch(self, folder: str, version: str) -> None:
        """Put a version in place; the one before it is kept, older ones go."""
        await asyncio.to_thread(self._switch, folder, version)

    async def current(self, folder: str) -> str | None:
        """Return the name of the version in place."""
        return await asyncio.to_thread(self._current, folder)

    async def read(self, folder: str, name: str) -> str | None:
        """Return what a file holds; None where there is none."""
        return await asyncio.to_thread(self._read, folder, name)

    async def copy(self, source: str, target: str) -> None:
        """Have another folder hold what one holds now."""
        await asyncio.to_thread(self._copy, source, target)

    async def require_free(self, folder: str) -> None:
        """Raise `Conflict` where the folder holds files of somebody else."""
        await asyncio.to_thread(self._require_free, folder)

    async def remove(self, folder: str) -> None:
        """Remove what the agent wrote there, keys first; what others put beside it stays."""
        await asyncio.to_thread(self._remove, folder)

    async def unfinished(self) -> tuple[str, ...]:
        """Return the folders in which there never was a version in place."""
        return await asyncio.to_thread(self._unfinished)

    def _unfinished(self) -> tuple[str, ...]:
        try:
            names = [each.name for each in self.root.iterdir() if not each.is_symlink()]
        except OSError:
            return ()
        return tuple(
            name
            for name in sorted(names)
            if self._versions(name).is_dir() and self._current(name) is None
        )

    def _stage(self, folder: str, bundle: Bundle) -> str:
        facts = bundle.facts
        version = f"{facts.not_before:%Y%m%d%H%M%S}-{facts.fingerprint_sha256[:12]}"
        chain = "".join(bundle.chain)
        texts = {
            FULL_CHAIN: bundle.certificate + chain,
            KEY: bundle.key,
            CERTIFICATE: bundle.certificate,
            CHAIN: chain,
        }
        self._write(folder, version, texts)
        return version

    def _write(self, folder: str, version: str, texts: dict[str, str]) -> None:
        self._require_free(folder)
        versions = self._versions(folder)
        whole, aside = versions / version, versions / f"{version}{_UNFINISHED}"
        with _told(folder):
            for each in (self.root, versions.parent, versions):
                each.mkdir(_FOLDER_MODE, parents=each is self.root, exist_ok=True)
            shutil.rmtree(aside, ignore_errors=True)
            if whole.is_dir():
                return
            try:
                aside.mkdir(_FOLDER_MODE)
                for name, text in texts.items():
                    write_new_file(aside / name, text, _KEY_MODE if name == KEY else _OPEN_MODE)
                aside.rename(whole)
            except OSError:
                shutil.rmtree(aside, ignore_errors=True)
                raise
            sync_folder(versions)

    def _switch(self, folder: str, version: str) -> None:
        self._require_free(folder)
        versions, before = self._versions(folder), self._current(folder)
        with _told(folder):
            if not (versions / version).is_dir():
                raise Conflict(f"The folder {folder} holds no version {version} any more.")
            _link(versions / _CURRENT, version)
            for name in NAMES:
                _link(self.root / folder / name, f"{_VERSIONS}/{_CURRENT}/{name}")
            sync_folder(versions)
        if before != version:
            self._drop_all_but(versions, {version, before})

    def _drop_all_but(self, versions: Path, kept: set[str | None]) -> None:
        for each in versions.iterdir():
            if each.is_dir() and not each.is_symlink() and each.name not in kept:
                shutil.rmtree(each, ignore_errors=True)

    def _current(self, folder: str) -> str | None:
        try:
            return (self._versions(folder) / _CURRENT).readlink().name
        except OSError:
            return None

    def _read(self, folder: str, name: str) -> str | None:
        try:
            return (self.root / folder / name).read_text(encoding="ascii")
        except OSError, UnicodeDecodeError:
            return None

    def _copy(self, source: str, target: str) -> None:
        version = self._current(source)
        place = self._versions(source) / (version or _CURRENT)
        with _told(source):
            # All of one version, also while another one is put in place.
            texts = {name: (place / name).read_text(encoding="ascii") for name in NAMES}
        self._write(target, place.name, texts)
        self._switch(target, place.name)

    def _require_free(self, folder: str) -> None:
        place = self.root / folder
        # Who shares the folder, as a container does, must not lead the agent to somewhere else.
        is_led_away = place.is_symlink() or (place / _VERSIONS).is_symlink()
        if is_led_away or (
            place.is_dir() and any(place.iterdir()) and not (place / _VERSIONS).is_dir()
        ):
            raise Conflict(
                f"{place} holds files that the agent did not put there.",
                hint="Move them away, or choose another name for the certificate or its folder.",
            )

    def _remove(self, folder: str) -> None:
        place = self.root / folder
        versions = place / _VERSIONS
        if place.is_symlink() or versions.is_symlink() or not versions.is_dir():
            return
        with _told(folder):
            for name in NAMES:
                if (place / name).is_symlink():
                    (place / name).unlink()
            shutil.rmtree(versions)
            with suppress(OSError):  # others have something in it
                place.rmdir()

    def _versions(self, folder: str) -> Path:
        return self.root / folder / _VERSIONS


@contextmanager
def _told(folder: str) -> Iterator[None]:
    """Have a disk that does not take it told in words."""
    try:
        yield
    except AgentError:
        raise
    except OSError as error:
        raise Failed(
            f"The files of {folder} cannot be written: {error.strerror or error}.",
            hint="Make room on the disk and try again."
            if error.errno in _FULL
            else "Look at the folder's owner and rights; it is the agent's own.",
        ) from error


def _link(place: Path, target: str) -> None:
    """Have a link lead somewhere else at one stroke."""
    if place.is_symlink() and str(place.readlink()) == target:
        return
    made = place.with_name(f".{place.name}{_UNFINISHED}")
    made.unlink(missing_ok=True)
    made.symlink_to(target)
    made.rename(place)
