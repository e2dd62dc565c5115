"""What an agent can be asked and told, typed."""

import json
from collections.abc import AsyncGenerator

import aiohttp

from .api_certificates import CertificatesApi
from .api_dns import DnsApi
from .api_domains import DomainsApi
from .api_dynamic_addresses import DynamicAddressesApi
from .api_host import HostApi
from .api_monitors import MonitorsApi
from .api_network import NetworkApi
from .api_objects import ObjectsApi
from .api_provisioning import ProvisioningApi
from .api_proxy import ProxyApi
from .api_renewal import RenewalApi
from .api_stacks import StacksApi
from .api_swarm import SwarmApi
from .endpoint import Endpoint
from .errors import AgentError, from_problem
from .models import (
    AgentInfo,
    CommandBody,
    CommandResult,
    Container,
    ContainerCommand,
    ContainerList,
    ContainerQuery,
    ContainerUpdateList,
    Hello,
    Job,
    LogFollowQuery,
    LogNews,
    LogNewsType,
    Logs,
    LogSearch,
    LogSearchQuery,
    LogsQuery,
    RecreateBody,
    StatisticsReport,
    UpdateBody,
)
from .parse import reader, understood
from .requests import Requests, parameters
from .session import StreamSession
from .transport import Loads, Transport

LOGS_TIMEOUT_S = 60.0
LOOK_S = 20.0
"""How long an agent waits for a Docker that hangs."""

_INFO = reader(AgentInfo)
_CONTAINER = reader(Container)
_CONTAINERS = reader(ContainerList)
_JOB = reader(Job)
_LOGS = reader(Logs)
_LOG_NEWS = reader(LogNews)
_LOG_SEARCH = reader(LogSearch)
_STATISTICS = reader(StatisticsReport)
_UPDATES = reader(ContainerUpdateList)


class AgentClient:
    """One agent. Nothing is repeated by itself. Every method raises only `AgentError`s."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        endpoint: Endpoint,
        token: str | None,
        *,
        loads: Loads = json.loads,
    ) -> None:
        self.transport = Transport(session, endpoint, token, loads=loads)
        self._requests = Requests(self.transport)
        self.certificates = CertificatesApi(self._requests)
        self.dynamic_addresses = DynamicAddressesApi(self._requests)
        self.dns = DnsApi(self._requests)
        self.domains = DomainsApi(self._requests)
        self.host = HostApi(self._requests)
        self.monitors = MonitorsApi(self._requests)
        self.network = NetworkApi(self._requests)
        self.objects = ObjectsApi(self._requests)
        self.provisioning = ProvisioningApi(self._requests)
        self.proxy = ProxyApi(self._requests)
        self.renewal = RenewalApi(self._requests)
        self.stacks = StacksApi(self._requests)
        self.swarm = SwarmApi(self._requests)

    async def hello(self) -> Hello:
        """Greet the agent on its stream, which tries address, certificate, token and contract."""
        async with self.transport.websocket("stream") as socket:
            return await StreamSession(socket, self.transport.loads).hello()

    async def info(self) -> AgentInfo:
        """Return who the agent is."""
        return await self._requests.get(_INFO, "info")

    async def containers(self, query: ContainerQuery | None = None) -> tuple[Container, ...]:
        """Return the containers that match."""
        found = await self._requests.get(_CONTAINERS, "containers", query=query)
        return found.containers

    async def container(self, name: str) -> Container:
        """Return one container, by key or name."""
        return await self._requests.get(_CONTAINER, "containers", name)

    async def logs(self, name: str, query: LogsQuery | None = None) -> Logs:
        """Return log lines of a container."""
        return await self._requests.get(
            _LOGS, "containers", name, "logs", query=query, timeout_s=LOGS_TIMEOUT_S
        )

    async def search_logs(self, query: LogSearchQuery) -> LogSearch:
        """Search the logs of many containers at once."""
        return await self._requests.get(
            _LOG_SEARCH, "logs", "search", query=query, timeout_s=LOGS_TIMEOUT_S
        )

    async def follow_logs(
        self, name: str, query: LogFollowQuery | None = None
    ) -> AsyncGenerator[LogNews]:
        """Yield a container's log as it is written; it outlives the container's restarts.

        It ends by raising the reason: `NotFound` when the container is gone. Close it with
        `aclosing` where it is not read to its end.
        """
        path = ("containers", name, "logs", "follow")
        async with self.transport.websocket(*path, query=parameters(query)) as socket:
            session = StreamSession(socket, self.transport.loads)
            while True:
                news = understood(_LOG_NEWS, await session.document())
                if news.type is LogNewsType.ENDED:
                    problem = {"code": news.code, "detail": news.message, "hint": news.hint}
                    raise from_problem(AgentError.status, problem)
                yield news

    async def statistics(self) -> StatisticsReport:
        """Return what all running containers use."""
        return await self._requests.get(_STATISTICS, "stats")

    async def updates(self) -> ContainerUpdateList:
        """Return what is known of newer images."""
        return await self._requests.get(_UPDATES, "updates")

    async def job(self, job_id: str) -> Job:
        """Return a job, an ended one too."""
        return await self._requests.get(_JOB, "jobs", job_id)

    async def command(
        self, name: str, command: ContainerCommand, body: CommandBody | None = None
    ) -> CommandResult:
        """Tell a container to do something and wait for the end, at most `body.wait_s`."""
        body = body or CommandBody()
        return await self._requests.command(
            "containers", name, command.value, body=body, wait_s=body.wait_s
        )

    async def update(self, name: str, body: UpdateBody) -> CommandResult:
        """Recreate a container from the newest image; what does not prove itself is taken back."""
        return await self._recreate(name, "update", body)

    async def recreate(self, name: str, body: RecreateBody) -> CommandResult:
        """Recreate a container from the image it has."""
        return await self._recreate(name, "recreate", body)

    async def roll_back(self, name: str, body: RecreateBody) -> CommandResult:
        """Recreate a container from the image it had before its last update."""
        return await self._recreate(name, "rollback", body)

    async def check_update(self, name: str) -> CommandResult:
        """Ask the registry now whether there is a newer image for a container."""
        body = CommandBody()
        return await self._requests.command(
            "containers", name, "check-update", body=body, wait_s=body.wait_s
        )

    async def check_updates(self) -> CommandResult:
        """Have newer images of all containers looked for; the answers come over the stream."""
        return await self._requests.command("updates", "check", body=None, wait_s=0)

    async def look_at_engine(self) -> CommandResult:
        """Have the agent look at its Docker now; what there is comes over the stream."""
        return await self._requests.command("engine", "look", body=None, wait_s=LOOK_S)

    async def _recreate(self, name: str, command: str, body: RecreateBody) -> CommandResult:
        return await self._requests.command(
            "containers", name, command, body=body, wait_s=body.wait_s
        )
