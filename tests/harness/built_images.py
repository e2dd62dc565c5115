"""Small images that differ in what they do, in the lab's registry."""

import io
import json
import secrets
import tarfile
from types import TracebackType
from typing import Self

from aiohttp import ClientSession, ClientTimeout, UnixConnector

from tests.harness.docker import ANSWER_S, SOCKET, DockerRefused

REGISTRY = "127.0.0.1:5000"
FOREVER = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"


class BuiltImages:
    """Images of one repository of the lab's registry; what the lab's engine has of it goes."""

    def __init__(self) -> None:
        self.name = f"{REGISTRY}/built-{secrets.token_hex(4)}"
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = ClientSession(
            connector=UnixConnector(SOCKET), timeout=ClientTimeout(total=ANSWER_S)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._remove_all()
        if self._session:
            await self._session.close()

    async def push(self, tag: str, version: str, *lines: str, script: str = FOREVER) -> str:
        """Build an image whose version label is `version`, push it as `tag`; return its name.

        `lines` are further lines of its Dockerfile.
        """
        dockerfile = "\n".join(
            (
                "FROM busybox",
                f"LABEL org.opencontainers.image.version={version}",
                # The same image for two who build it at a time would go with the first of them.
                f"LABEL homelab.test.repository={self.name}",
                *lines,
                f"CMD {json.dumps(['sh', '-c', script])}",
            )
        )
        name = f"{self.name}:{tag}"
        await self._call("POST", "/build", _tar(dockerfile), t=name)
        await self._call("POST", f"/images/{self.name}/push", tag=tag)
        return name

    async def _remove_all(self) -> None:
        """Remove the images under every name, also those under which they were kept."""
        assert self._session is not None
        async with self._session.get("http://docker/images/json") as answer:
            images = await answer.json()
        for image in images:
            names = (*(image["RepoTags"] or ()), *(image["RepoDigests"] or ()))
            if any(name.startswith(self.name) for name in names):
                await self._call("DELETE", f"/images/{image['Id']}", force="true")

    async def _call(
        self, method: str, path: str, body: bytes | None = None, **parameters: str
    ) -> None:
        headers = {"X-Registry-Auth": "e30="}
        assert self._session is not None
        async with self._session.request(
            method,
            f"http://docker{path}",
            params=parameters,
            data=body,
            headers=headers | ({"Content-Type": "application/x-tar"} if body else {}),
        ) as answer:
            said = await answer.text()
            if '"error"' in said or (answer.status >= 400 and method != "DELETE"):
                raise DockerRefused(f"{method} {path}: {said[-500:]}")


def _tar(dockerfile: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(dockerfile.encode())
        archive.addfile(entry, io.BytesIO(dockerfile.encode()))
    return packed.getvalue()
