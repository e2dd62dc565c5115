"""One container that is updated while something goes wrong."""

import secrets
from typing import Any

from tests.fakes.holding_proxy import HoldingProxy
from tests.harness.agent import Agent
from tests.harness.built_images import BuiltImages
from tests.harness.docker import Docker
from tests.harness.waiting import wait_until

HEX = r"[0-9a-f]{64}"
"""The id of a container, as a pattern."""


class Bench:
    """An agent on a real engine behind a proxy, and one container to update."""

    def __init__(
        self, agent: Agent, docker: Docker, images: BuiltImages, proxy: HoldingProxy, token: str
    ) -> None:
        self.agent = agent
        self.docker = docker
        self.images = images
        self.proxy = proxy
        self.name = ""
        self._token = token

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return the agent's answer."""
        return await self.agent.ask(method, path, body, token=self._token)

    async def have(
        self,
        *,
        start: bool = True,
        labels: dict[str, str] | None = None,
        networking: dict[str, Any] | None = None,
        **host: Any,
    ) -> str:
        """Have a container of version 1, known to the agent; return its id."""
        self.name = f"fault-{secrets.token_hex(4)}"
        identity = await self.docker.create(
            self.name,
            image=f"{self.images.name}:1",
            command=(),
            labels={"homelab.update.stable_s": "1"} | (labels or {}),
            start=start,
            config={"ExposedPorts": {"80/tcp": {}}, "NetworkingConfig": networking},
            **host,
        )

        async def sees() -> bool:
            status, found = await self.ask("GET", f"/containers/{self.name}")
            return status == 200 and (found["state"] == "running") is start

        await wait_until(sees, what="the agent to see it")
        return identity

    async def sees(self, name: str) -> bool:
        """Return whether the agent knows a container."""
        return (await self.ask("GET", f"/containers/{name}"))[0] == 200

    async def update(self, tag: str, *, wait_s: int = 120) -> tuple[int, Any]:
        """Ask for an update to an image of ours."""
        return await self.update_to(f"{self.images.name}:{tag}", wait_s=wait_s)

    async def update_to(self, image: str, *, wait_s: int = 120) -> tuple[int, Any]:
        """Ask for an update to any image."""
        body = {"image": image, "wait_s": wait_s}
        return await self.ask("POST", f"/containers/{self.name}/update", body)

    async def last(self) -> dict[str, Any]:
        """Return how the last update went."""
        _, status = await self.ask("GET", f"/containers/{self.name}/recreate")
        last: dict[str, Any] = status["last"]
        return last

    async def left(self) -> list[str]:
        """Return the names of all containers that have to do with ours."""
        listed = await self.docker.call("GET", "/containers/json", params={"all": "true"})
        names = [each["Names"][0].removeprefix("/") for each in listed]
        return [name for name in names if name.startswith(self.name)]

    async def remove_all(self) -> None:
        """Remove all containers that have to do with ours."""
        for name in await self.left() if self.name else ():
            await self.docker.remove(name)

    async def job(self, job_id: str) -> dict[str, Any]:
        """Return a job at its end."""

        async def ended() -> dict[str, Any] | None:
            _, job = await self.ask("GET", f"/jobs/{job_id}")
            return job if job["state"] == "finished" else None

        return await wait_until(ended, what="the job's end", within_s=60)

    async def job_without(self, thief: str, job_id: str) -> dict[str, Any]:
        """Let a job go on that finds what it needs taken; the thief goes once it turns back."""
        self.proxy.release()
        # The old one gets its name back, and then it is started.
        self.proxy.hold(rf"POST /containers/{HEX}/rename\?name={self.name}", done_first=False)
        await self.proxy.reached.wait()
        await self.docker.remove(thief)
        self.proxy.release()
        return await self.job(job_id)

    async def is_as_before(self, identity: str) -> None:
        """Fail where the old container does not run under its name, alone."""
        found = await self.docker.inspect(self.name)
        assert found["Id"] == identity
        assert found["State"]["Running"]
        assert await self.left() == [self.name]
