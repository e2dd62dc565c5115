"""Certificates in files: read them, and find those of folders and of Caddy's store."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol

from homelab_agent.areas.certificates.chain import Chain, Unreadable
from homelab_agent.areas.certificates.confined import Confined, Stamp
from homelab_agent.areas.certificates.models import CertificateSource, Verdict
from homelab_agent.areas.certificates.nothing import Nothing
from homelab_agent.areas.certificates.parser import load_parser
from homelab_agent.areas.certificates.pem import certificates_in
from homelab_agent.areas.certificates.places import file_place
from homelab_agent.areas.certificates.watched import Origin, Place
from homelab_agent.platform.errors import Denied, Invalid
from homelab_agent.platform.lone_thread import LoneThread

MOST_DEPTH = 5
MOST_ENTRIES = 5000
MOST_FILES = 500
MOUNTED_ROOT = Path("/host/root")
"""Where a container is given the machine's files, if no setting says otherwise."""

_WITHIN_S = 30.0
"""For so long a file, or a whole folder, is waited for; a file system may never answer."""

_MOST_KNOWN = 2000
"""So many files are remembered; where each gets a new name at each renewal that is long enough."""

_KEPT = ".versions"
"""A folder with one in it holds a certificate that the agent ordered, or was given."""

_SUFFIXES = (".pem", ".crt", ".cer", ".cert", ".der")


@dataclass(frozen=True, slots=True)
class _Read:
    """What a file held when it was read; None where that is no certificate."""

    stamp: Stamp
    chain: Chain | None


class Files(Protocol):
    """The files with certificates: of the machine, or of the demo.

    Each raises `Unavailable` where a file system does not answer.
    """

    async def read_file(self, path: str) -> tuple[bytes, ...] | Nothing:
        """Return the chain that a file holds; why it cannot be had is an answer, not an error."""
        ...

    async def stamp(self, path: str) -> Stamp | None:
        """Return by what a change of a file is noticed; None where it cannot be seen."""
        ...

    async def below(self, path: str) -> tuple[str, ...]:
        """Return the file that a path is, or those with certificates below a folder.

        Raises:
            Denied: it may not be read.
            Invalid: there is nothing.
        """
        ...

    async def found(self) -> tuple[Place, ...]:
        """Return all that is found without being asked for, as it is now."""
        ...


class CertificateFiles:
    """What may be read is below `paths`, or in one of Caddy's stores.

    All of it is read in a thread of its own: one that hangs is missed by nobody else.
    """

    def __init__(
        self,
        root: Path,
        paths: Sequence[Path],
        stores: Sequence[Path],
        thread: LoneThread | None = None,
    ) -> None:
        self._confined = Confined(root, (*paths, *stores))
        self._paths = tuple(str(path) for path in paths)
        self._stores = tuple(str(store) for store in stores)
        self._thread = thread or LoneThread("certificate files", within_s=_WITHIN_S)
        self._known: dict[str, _Read] = {}

    async def read_file(self, path: str) -> tuple[bytes, ...] | Nothing:
        """Return the chain that a file holds; why it cannot be had is an answer, not an error."""
        try:
            found = certificates_in(await self._do(partial(self._confined.read, path)))
        except Denied as error:
            return Nothing(Verdict.UNREACHABLE, f"{error.message} {error.hint}.")
        except OSError as error:
            return Nothing(Verdict.UNREACHABLE, f"{path} cannot be read: {error.strerror}.")
        return found or Nothing(Verdict.NO_CERTIFICATE, f"{path} holds no certificate.")

    async def stamp(self, path: str) -> Stamp | None:
        """Return by what a change of a file is noticed; None where it cannot be seen."""
        try:
            return await self._do(partial(self._confined.stamp, path))
        except OSError, Denied:
            return None

    async def below(self, path: str) -> tuple[str, ...]:
        """Return the file that a path is, or those with certificates below a folder.

        Raises:
            Denied: it may not be read.
            Invalid: there is nothing.
        """
        try:
            is_folder = await self._do(lambda: self._confined.real(path).is_dir())
        except OSError as error:
            raise Invalid(f"{path} cannot be read: {error.strerror}", field="path") from error
        return await self._in_folder(path) if is_folder else (path,)

    async def found(self) -> tuple[Place, ...]:
        """Return all that the settings' folders and Caddy's stores hold now."""
        places: dict[str, Place] = {}
        for path in self._paths:
            try:
                files = await self.below(path)
            except Denied, Invalid:
                continue  # it may come later
            for file in files:
                place = file_place(file, CertificateSource.FILE, Origin.FILES, None)
                places[place.key] = place
        for store in self._stores:
            for file in await self._do(partial(self._in_store, store)):
                place = file_place(file, CertificateSource.CADDY, Origin.FILES, None)
                places[place.key] = place
        return tuple(places.values())

    async def _in_folder(self, folder: str) -> tuple[str, ...]:
        """Return the files below a folder; of several with one certificate, the fullest.

        Certificates of authorities are left out: they come along with others. Whoever wants one of
        them watched names its file.
        """
        chosen: dict[tuple[str, str], tuple[int, str]] = {}
        for path in await self._do(partial(self._walk, folder)):
            read = await self._look_into(path)
            if read is None or read.chain is None or read.chain.leaf.is_authority:
                continue
            key = path.rpartition("/")[0], read.chain.leaf.fingerprint_sha256
            count = len(read.chain.sent)
            if key not in chosen or count > chosen[key][0]:
                chosen[key] = count, path
        return tuple(sorted(path for _, path in chosen.values()))

    async def _look_into(self, path: str) -> _Read | None:
        stamp = await self.stamp(path)
        if stamp is None:
            return None
        known = self._known.get(path)
        if known is not None and known.stamp == stamp:
            return known
        ders = await self.read_file(path)
        found = _Read(stamp, None if isinstance(ders, Nothing) else await _parsed(ders))
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[path] = found
        return found

    async def _do[Value](self, work: Callable[[], Value]) -> Value:
        otherwise = "A file system with certificates does not answer"
        return await self._thread.answer(work, otherwise=otherwise)

    def _walk(self, folder: str) -> tuple[str, ...]:
        entries = islice(self._entries(folder, MOST_DEPTH), MOST_ENTRIES)
        return tuple(islice((path for path in entries if path.endswith(_SUFFIXES)), MOST_FILES))

    def _entries(self, folder: str, depth: int) -> Iterator[str]:
        """Yield what is below a folder, and folders too: links may lead through them for ever."""
        try:
            entries = self._confined.entries(folder, MOST_ENTRIES)
        except OSError, Denied:
            return
        if any(entry.name == _KEPT for entry in entries):
            return  # what the agent keeps is watched by itself, each once
        has_live = any(entry.name == "live" for entry in entries)
        for entry in entries:
            # certbot keeps all the old ones in `archive`, and links to the newest in `live`.
            if entry.name == "archive" and has_live:
                continue
            path = f"{folder.rstrip('/')}/{entry.name}"
            yield path
            if depth and self._is_folder(entry, path):
                yield from self._entries(path, depth - 1)

    def _in_store(self, store: str) -> tuple[str, ...]:
        """Return the newest certificate of each name; Caddy keeps one for each issuer."""
        newest: dict[str, tuple[int, str]] = {}
        base = f"{store.rstrip('/')}/certificates"
        for issuer in self._names(base):
            for name in self._names(f"{base}/{issuer}"):
                path = f"{base}/{issuer}/{name}/{name}.crt"
                try:
                    changed_ns = self._confined.stamp(path).changed_ns
                except OSError, Denied:
                    continue
                if name not in newest or changed_ns > newest[name][0]:
                    newest[name] = changed_ns, path
        return tuple(path for _, path in newest.values())

    def _names(self, folder: str) -> tuple[str, ...]:
        try:
            return tuple(entry.name for entry in self._confined.entries(folder, MOST_ENTRIES))
        except OSError, Denied:
            return ()

    def _is_folder(self, entry: os.DirEntry[str], path: str) -> bool:
        try:
            if not entry.is_symlink():
                return entry.is_dir()
            # Where it leads is the machine's to say, and not what it would be in our own files.
            return not path.endswith(_SUFFIXES) and self._confined.real(path).is_dir()
        except OSError, Denied:
            return False


async def _parsed(ders: tuple[bytes, ...]) -> Chain | None:
    parse_chain = await load_parser()
    try:
        return parse_chain(ders)
    except Unreadable:
        return None
