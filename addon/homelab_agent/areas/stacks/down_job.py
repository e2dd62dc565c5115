"""Taking a stack down as a job: its containers and networks go, its volumes only where said."""

import asyncio

from homelab_agent.areas.objects.service import ObjectService
from homelab_agent.areas.stacks.compose import Deployed
from homelab_agent.areas.stacks.deploy_job import Tools, Version
from homelab_agent.areas.stacks.files import COMPOSE_FILE, ENVIRONMENT_FILE
from homelab_agent.platform.engine.labels import COMPOSE_PROJECT
from homelab_agent.platform.errors import Protected
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.model import Model


class DownArguments(Model):
    """What to take down. `version` is the current one of a managed stack."""

    stack: str
    version: Version | None
    volumes: bool
    forget: bool
    held: tuple[str, ...]


type _Context = StepContext[DownArguments]


class DownJob:
    """The steps; nothing of them can be undone, and each stands being repeated."""

    def __init__(self, tools: Tools, objects: ObjectService) -> None:
        self._objects = objects
        self._compose = tools.compose
        self._files = tools.files
        self._history = tools.history
        self._engine = tools.engine
        self._guard = tools.guard
        self._kept = tools.kept

    def kind(self) -> JobKind[DownArguments]:
        """Return the kind."""
        return JobKind(
            name="stacks.down",
            arguments=DownArguments,
            steps=(Step("down", self._down), Step("forget", self._forget)),
            recovery=Recovery.GO_ON,
            holds=lambda arguments: arguments.held,
        )

    async def _down(self, context: _Context) -> StepResult:
        arguments = context.arguments
        for row in await self._engine.list_containers():
            if row.labels.get(COMPOSE_PROJECT) == arguments.stack and (reason := self._guard(row)):
                raise Protected(f"{row.name}: {reason}", field="name")
        before = await self._objects.stack_volumes(arguments.stack) if arguments.volumes else None
        if before and before.protected_reason:
            raise Protected(before.protected_reason, field="volumes")
        folder, deployed = self._files.folder(arguments.stack), None
        has_files = await asyncio.to_thread((folder / COMPOSE_FILE).is_file)
        if arguments.version and has_files:
            deployed = Deployed(
                name=arguments.stack,
                files=(str(folder / COMPOSE_FILE),),
                directory=arguments.version.directory,
                environment_files=(str(folder / ENVIRONMENT_FILE),),
                profiles=("*",),
            )
        await self._compose.down(arguments.stack, deployed, volumes=arguments.volumes)
        if before is None:
            return StepResult(message=f"{arguments.stack} was taken down; its volumes are kept.")
        left = (await self._objects.stack_volumes(arguments.stack)).own
        return StepResult(
            message=f"{arguments.stack} was taken down and its volumes."
            + _kept(before.of_others, "not its own")
            + _kept(left, "still used by others")
        )

    async def _forget(self, context: _Context) -> StepResult:
        arguments = context.arguments
        if not arguments.forget:
            return StepResult(needed=False)
        await self._history.forget(arguments.stack)
        await asyncio.to_thread(self._files.uninstall, arguments.stack)
        await asyncio.to_thread(self._files.keep_only, arguments.stack, ())
        await self._kept()
        return StepResult()


def _kept(volumes: tuple[str, ...], why: str) -> str:
    return f" Kept, as {why}: {', '.join(volumes)}." if volumes else ""
