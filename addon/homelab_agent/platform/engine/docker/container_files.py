"""A file of a container as the engine gives and takes it: in a tar."""

import io
import tarfile

from homelab_agent.platform.errors import Failed

MOST_BYTES = 4 * 1024 * 1024


class Archive:
    """Takes up what the engine gives for one path."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._given = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take up the next part; raise `Failed` for more than a file of a few megabytes."""
        self._given += chunk
        if len(self._given) > MOST_BYTES:
            raise Failed(f"{self._path} is larger than {MOST_BYTES // 1024**2} MiB.")

    def from_the_root(self) -> bytes:
        """Return the same with its whole path: folders on the way to it are made, too."""
        made = io.BytesIO()
        try:
            with (
                tarfile.open(fileobj=io.BytesIO(self._given)) as given,
                tarfile.open(fileobj=made, mode="w") as archive,
            ):
                for member in filter(tarfile.TarInfo.isfile, given):
                    content = given.extractfile(member)
                    member.name, member.pax_headers = self._path.lstrip("/"), {}
                    archive.addfile(member, content)
        except tarfile.TarError as error:
            raise Failed(f"Docker gives {self._path} in no form that can be read.") from error
        return made.getvalue()
