"""What the tables of kills have in common: an engine and an agent that are hit at a chosen call."""

from typing import Any, Literal

from tests.fakes.holding_proxy import HoldingProxy
from tests.harness.agent import Agent
from tests.harness.private_engine import PrivateEngine

type Fault = Literal["agent", "engine"]


class KillWorld:
    """A private engine behind a proxy, and an agent."""

    def __init__(self, engine: PrivateEngine, proxy: HoldingProxy, agent: Agent) -> None:
        self.engine = engine
        self.proxy = proxy
        self.agent = agent
        self.token = ""

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return the agent's answer."""
        return (await self.agent.ask(method, path, body, token=self.token))[1]

    async def ended(self, job_id: str) -> dict[str, Any] | None:
        """Return a job when it has ended."""
        job = await self.ask("GET", f"/jobs/{job_id}")
        return job if job.get("state") == "finished" else None

    async def hit(self, fault: Fault) -> None:
        """Kill the agent or the engine, and start it again."""
        if fault == "agent":
            await self.agent.kill()
            self.proxy.release()
            await self.agent.start()
        else:
            await self.engine.kill()
            self.proxy.release()
            await self.engine.start()
