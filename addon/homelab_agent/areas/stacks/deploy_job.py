"""Deploying a version as a job: pull, write, up, verify, keep; or back to what ran before."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from homelab_agent.areas.stacks.compose import Compose, Deployed, Source
from homelab_agent.areas.stacks.files import COMPOSE_FILE, ENVIRONMENT_FILE, StackFiles
from homelab_agent.areas.stacks.history import History
from homelab_agent.areas.stacks.operate_jobs import Guard
from homelab_agent.areas.stacks.pull import ImageToPull, StackImages
from homelab_agent.areas.stacks.verify import Verification
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.labels import COMPOSE_PROJECT
from homelab_agent.platform.errors import (
    AgentError,
    Conflict,
    Failed,
    Protected,
    TimedOut,
    Unavailable,
)
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model

RETURN_S = 120.0
"""How long a deployment waits for an engine that went away in the middle of it."""

_LOOK_AGAIN_S = 0.5
_TRIES = 3

type Kept = Callable[[], Awaitable[None]]

_log = get_logger(__name__)


class Version(Model):
    """A kept version, as far as bringing it up needs it."""

    source: str
    directory: str
    profiles: tuple[str, ...] = ()


class Elsewhere(Model):
    """The files that a stack was deployed from before the agent took it over."""

    files: tuple[str, ...]
    directory: str
    environment_files: tuple[str, ...]


class DeployArguments(Model):
    """What is deployed, and what ran before. All three of that None: there was nothing.

    `digest` is of the model that was planned. `lost`: what ran before has no files here.
    `rewritten` are services of which nothing changes but what compose writes into containers.
    """

    stack: str
    version: Version
    caller: str
    digest: str
    pull: bool
    images: tuple[ImageToPull, ...]
    services: tuple[str, ...]
    held: tuple[str, ...]
    before: Version | None = None
    elsewhere: Elsewhere | None = None
    lost: bool = False
    rewritten: tuple[str, ...] = ()


type _Context = StepContext[DeployArguments]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the steps work with. `kept` is called when other versions are kept than before."""

    compose: Compose
    files: StackFiles
    history: History
    images: StackImages
    engine: Engine
    guard: Guard
    verification: Verification
    kept: Kept


class DeployJob:
    """The steps. Each `do` stands being repeated, so an interrupted deployment goes on."""

    def __init__(self, tools: Tools, *, return_s: float = RETURN_S) -> None:
        self._compose = tools.compose
        self._files = tools.files
        self._history = tools.history
        self._images = tools.images
        self._engine = tools.engine
        self._guard = tools.guard
        self._verification = tools.verification
        self._kept = tools.kept
        self._return_s = return_s

    def kind(self) -> JobKind[DeployArguments]:
        """Return the kind."""
        return JobKind(
            name="stacks.deploy",
            arguments=DeployArguments,
            steps=(
                Step("check", self._check),
                Step("pull", self._pull),
                Step("write", self._write, self._write_back),
                Step("up", self._up, self._up_again),
                Step("verify", self._verify),
                Step("keep", self._keep),
            ),
            recovery=Recovery.GO_ON,
            holds=lambda arguments: arguments.held,
        )

    async def _check(self, context: _Context) -> StepResult:
        """Look again whether it is still what was planned, and still allowed."""
        arguments = context.arguments
        await self._while_engine_is_there(lambda: self._require_unprotected(arguments.stack))
        version = arguments.version
        text, kept = await asyncio.to_thread(self._files.read, arguments.stack, version.source)
        own = self._files.folder(arguments.stack)
        source = Source(
            name=arguments.stack,
            text=text,
            environment=kept.environment,
            profiles=version.profiles,
            directory=Path(version.directory),
            staged=version.directory == str(own),
        )
        reading = await self._compose.read(source)
        if reading.digest != arguments.digest:
            raise Conflict(
                "Files that the compose text names have changed since the plan was made.",
                hint="Plan it again.",
            )
        return StepResult(needed=False)

    async def _pull(self, context: _Context) -> StepResult:
        arguments = context.arguments
        await self._while_engine_is_there(
            lambda: self._images.pull(arguments.images, again=arguments.pull)
        )
        return StepResult(needed=False, message="All images are here.")

    async def _write(self, context: _Context) -> StepResult:
        arguments = context.arguments
        await self._while_engine_is_there(lambda: self._require_unprotected(arguments.stack))
        await asyncio.to_thread(
            self._files.install,
            arguments.stack,
            arguments.version.source,
            first=arguments.before is None,
        )
        return StepResult()

    async def _write_back(self, context: _Context) -> None:
        await asyncio.to_thread(self._restore_files, context.arguments)

    async def _up(self, context: _Context) -> StepResult:
        arguments = context.arguments
        await self._bring_up(arguments, arguments.version)
        return StepResult(message=f"{arguments.stack} is up.")

    async def _up_again(self, context: _Context) -> None:
        """Bring back what ran before."""
        arguments = context.arguments
        await asyncio.to_thread(self._restore_files, arguments)
        if arguments.before:
            await self._bring_up(arguments, arguments.before)
        elif arguments.elsewhere:
            origin = Deployed(name=arguments.stack, **dict(arguments.elsewhere))
            await self._while_engine_is_there(lambda: self._compose.up(origin, {}))
        elif arguments.lost:
            raise Failed(
                "What ran before was deployed from files that the agent does not have.",
                hint="Deploy it again from where its files are.",
            )
        else:
            await self._while_engine_is_there(
                lambda: self._compose.down(arguments.stack, None, volumes=False)
            )

    async def _verify(self, context: _Context) -> StepResult:
        arguments = context.arguments
        interrupted = context.again
        for _ in range(_TRIES):
            await self._engine_is_back()
            if interrupted:
                # An engine that was killed does not start everything again by itself.
                await self._bring_up(arguments, arguments.version)
            try:
                message = await self._verification.run(arguments.stack, arguments.services)
            except Unavailable, TimedOut:
                interrupted = True
            else:
                return StepResult(needed=False, message=message)
        raise Unavailable("Docker went away again and again.")

    async def _keep(self, context: _Context) -> StepResult:
        arguments = context.arguments
        own = str(self._files.folder(arguments.stack))
        version = await self._history.add(
            arguments.stack,
            caller=arguments.caller,
            source=arguments.version.source,
            directory=None if arguments.version.directory == own else arguments.version.directory,
            profiles=arguments.version.profiles,
        )
        await self._kept()
        await self._tidy(arguments.stack)
        return StepResult(message=f"Version {version} of {arguments.stack} runs.")

    async def _tidy(self, stack: str) -> None:
        sources = {row.source for row in await self._history.versions(stack)}
        try:
            await asyncio.to_thread(self._files.keep_only, stack, sources)
        except AgentError as error:
            _log.warning("old versions of a stack were not removed", stack=stack, why=error.message)

    async def _bring_up(self, arguments: DeployArguments, version: Version) -> None:
        stack = arguments.stack
        folder = self._files.folder(stack)
        _, kept = await asyncio.to_thread(self._files.read, stack, version.source)
        deployed = Deployed(
            name=stack,
            files=(str(folder / COMPOSE_FILE),),
            directory=version.directory,
            environment_files=(str(folder / ENVIRONMENT_FILE),),
            profiles=version.profiles,
        )
        await self._while_engine_is_there(
            lambda: self._compose.up(deployed, kept.environment, anew=arguments.rewritten)
        )

    def _restore_files(self, arguments: DeployArguments) -> None:
        if arguments.before:
            self._files.install(arguments.stack, arguments.before.source, first=False)
        else:
            self._files.uninstall(arguments.stack)

    async def _require_unprotected(self, stack: str) -> None:
        for row in await self._engine.list_containers():
            if row.labels.get(COMPOSE_PROJECT) == stack and (reason := self._guard(row)):
                raise Protected(f"{row.name}: {reason}", field="name")

    async def _while_engine_is_there(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do what may be done twice once more where the engine went away meanwhile."""
        for left in reversed(range(_TRIES)):
            await self._engine_is_back()
            try:
                await work()
            except Unavailable:
                # It need not be the engine: a registry may be away, too.
                if not left:
                    raise
            else:
                return

    async def _engine_is_back(self) -> None:
        give_up = asyncio.get_running_loop().time() + self._return_s
        while True:
            try:
                await self._engine.connect()
            except Unavailable, TimedOut:
                if asyncio.get_running_loop().time() > give_up:
                    raise
            else:
                return
            await asyncio.sleep(_LOOK_AGAIN_S)
