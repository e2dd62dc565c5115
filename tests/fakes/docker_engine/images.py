"""The fake engine's images: described, and pulled as a test wants it."""

import asyncio
import json
from typing import Any

from aiohttp import web

from tests.fakes.docker_engine.answers import error


class Images:
    """The images by id; `pull_lines` is what a pull says, `pull_hangs` that it then goes on."""

    def __init__(self) -> None:
        self.images: dict[str, dict[str, Any]] = {}
        self.pull_lines: list[dict[str, Any]] = []
        self.pull_hangs = False
        self.pull_headers: dict[str, str] = {}
        self.pull_ended = asyncio.Event()

    def add_image(self, image_id: str, **facts: Any) -> None:
        """Have an image, in Docker's own words."""
        self.images[image_id] = {"Id": image_id, "Os": "linux", "Architecture": "amd64", **facts}

    async def answer_images(
        self, request: web.Request, parts: list[str]
    ) -> web.StreamResponse | None:
        """Answer what is below /images; None for what is not known here."""
        if parts == ["json"]:
            return web.json_response([{"Id": each} for each in self.images])
        if parts == ["create"] and request.method == "POST":
            return await self._pull(request)
        if parts[-1] == "json":
            name = "/".join(parts[:-1])
            for image in self.images.values():
                if name in (image["Id"], *image.get("RepoTags", ())):
                    return web.json_response(image)
            return error(404, f"No such image: {name}")
        return None

    async def _pull(self, request: web.Request) -> web.StreamResponse:
        self.pull_headers = dict(request.headers)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            for line in self.pull_lines:
                await response.write(json.dumps(line).encode() + b"\r\n")
            while self.pull_hangs:
                await asyncio.sleep(0.02)
                await response.write(b"\r\n")
        finally:
            self.pull_ended.set()
        return response
