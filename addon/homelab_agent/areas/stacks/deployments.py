"""Deploying stacks from a text, and what is kept of that."""

import asyncio
from uuid import uuid7

from homelab_agent.areas.stacks.deploy_job import DeployArguments, Elsewhere, Version
from homelab_agent.areas.stacks.diff import unified
from homelab_agent.areas.stacks.down_job import DownArguments
from homelab_agent.areas.stacks.files import Kept, StackFiles
from homelab_agent.areas.stacks.history import History, VersionRow
from homelab_agent.areas.stacks.models import (
    DeployBody,
    DownBody,
    PolicyFinding,
    RestoreBody,
    StackFile,
    StackHistory,
    StackPlan,
    StackSource,
    StackVersion,
)
from homelab_agent.areas.stacks.names import job_target, require_name
from homelab_agent.areas.stacks.planner import Draft, Planner
from homelab_agent.areas.stacks.pull import ImageToPull
from homelab_agent.areas.stacks.service import StackService
from homelab_agent.areas.stacks.watch import StackWatch
from homelab_agent.platform.commands import Caller, Scope
from homelab_agent.platform.errors import AgentError, Conflict, Denied, Invalid, NotFound
from homelab_agent.platform.jobs.answer import answer
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.secrets import SHORTEST_SECRET, SecretFilter


class StackDeployments:
    """The stacks that the agent deploys and keeps."""

    def __init__(
        self,
        service: StackService,
        planner: Planner,
        files: StackFiles,
        history: History,
        watch: StackWatch,
        runner: JobRunner,
        secrets: SecretFilter,
    ) -> None:
        self._service = service
        self._planner = planner
        self._files = files
        self._history = history
        self._watch = watch
        self._runner = runner
        self._secrets = secrets
        # Between writing a version and its job nobody may take it for what is left of an old one.
        self._staging = asyncio.Lock()

    async def refresh(self) -> None:
        """Publish which stacks are managed, and have their secrets masked in every log."""
        versions = await self._history.current_versions()
        for name in versions:
            current = await self._current(name)
            if current:
                _, kept = await asyncio.to_thread(self._read_or_nothing, name, current.source)
                self._mask(kept.environment)
        await self._watch.manage(versions)

    async def plan(self, name: str, wanted: StackSource) -> StackPlan:
        """Return what deploying this text would do; nothing is changed."""
        return (await self._planner.draft(require_name(name), wanted)).plan

    async def deploy(self, name: str, body: DeployBody, caller: Caller) -> CommandResult:
        """Deploy a text as a job.

        Raises:
            Denied: the policy has findings that no admin confirmed.
            Conflict: the plan is not the one that was looked at.
        """
        draft = await self._planner.draft(require_name(name), body)
        if body.plan_hash is not None and body.plan_hash != draft.plan.hash:
            raise Conflict(
                "This is not what was planned: the text, its values or the host have changed.",
                field="plan_hash",
                hint="Look at a new plan.",
            )
        _require_confirmed(draft.plan.findings, caller, confirmed=body.confirm_findings)
        source = uuid7().hex
        kept = Kept(
            environment=dict(draft.source.environment),
            model=draft.reading.shown,
            diff=draft.plan.diff,
            injected=draft.reading.injected,
        )
        self._mask(kept.environment)
        arguments = _arguments(draft, source, caller, pull=body.pull)
        # Written first: no value of ${NAME} goes through the journal.
        try:
            async with self._staging:
                await asyncio.to_thread(self._files.stage, name, source, body.compose, kept)
                job = await self._runner.start("stacks.deploy", job_target(name), arguments, caller)
        except AgentError:
            await self._discard(name)
            raise
        ended = await self._runner.wait(job.id, body.wait_s)
        if ended.outcome:
            await self._discard(name)
        return answer(ended, meanwhile=f"{name} is still being deployed.")

    async def restore(self, name: str, body: RestoreBody, caller: Caller) -> CommandResult:
        """Deploy a kept version again, with the values it had."""
        row = await self._version(name, body.version)
        text, kept = await asyncio.to_thread(self._files.read, name, row.source)
        again = DeployBody(
            compose=text,
            environment=kept.environment,
            profiles=row.profiles,
            confirm_findings=body.confirm_findings,
            pull=False,
            wait_s=body.wait_s,
        )
        return await self.deploy(name, again, caller)

    async def down(self, name: str, body: DownBody, caller: Caller) -> CommandResult:
        """Take a stack down; its volumes go only where an admin says so twice."""
        stack = self._service.get(name)
        if (body.volumes or body.forget) and body.confirm != name:
            raise Invalid(
                "This cannot be undone: write the name of the stack once more.",
                field="confirm",
                hint=f'Send "confirm": "{name}".',
            )
        if body.volumes and not caller.scope.includes(Scope.ADMIN):
            raise Denied("Removing volumes with their data needs the scope admin.", field="volumes")
        current = await self._current(name)
        if current is None and stack.total == 0:
            raise NotFound(f"There is nothing of {name}.", field="name")
        arguments = DownArguments(
            stack=name,
            version=self._runs(name, current) if current else None,
            volumes=body.volumes,
            forget=body.forget,
            held=tuple(each.key for each in self._watch.containers(name)),
        )
        job = await self._runner.start("stacks.down", job_target(name), arguments, caller)
        ended = await self._runner.wait(job.id, body.wait_s)
        return answer(ended, meanwhile=f"{name} is still being taken down.")

    async def start(self, name: str, caller: Caller, *, wait_s: float) -> CommandResult:
        """Start a stack; one that was taken down is deployed again as it was."""
        self._service.get(name)
        current = await self._current(name)
        if current and not self._watch.containers(name):
            body = RestoreBody(version=current.version, wait_s=wait_s)
            return await self.restore(name, body, caller)
        return await self._service.command("start", name, caller, wait_s=wait_s)

    async def file(self, name: str, version: int | None) -> StackFile:
        """Return the text of a stack, of a kept version where one is named."""
        self._service.last_known(name)
        current = await self._current(name)
        if current is None and version is None:
            text, environment = await self._planner.file_of(name)
            return StackFile(name=name, compose=text, environment=tuple(sorted(environment)))
        row = await self._version(name, version or (current.version if current else 0))
        text, kept = await asyncio.to_thread(self._files.read, name, row.source)
        names = tuple(sorted(kept.environment))
        return StackFile(name=name, compose=text, environment=names, version=row.version)

    async def history(self, name: str) -> StackHistory:
        """Return the kept versions of a stack, the newest first; none where it is not managed."""
        self._service.last_known(name)
        rows = await self._history.versions(name)
        return StackHistory(
            versions=tuple(
                [
                    StackVersion(
                        version=row.version,
                        at=row.at,
                        caller=row.caller,
                        diff=await asyncio.to_thread(self._diff, name, row, rows),
                        current=row is rows[0],
                    )
                    for row in rows
                ]
            )
        )

    def _diff(self, name: str, row: VersionRow, rows: tuple[VersionRow, ...]) -> str:
        """Return the diff to the version before; what was compared then, for the oldest one."""
        _, kept = self._read_or_nothing(name, row.source)
        older = next((each for each in rows if each.version < row.version), None)
        if older is None:
            return kept.diff
        _, before = self._read_or_nothing(name, older.source)
        old_name, new_name = f"version {older.version}", f"version {row.version}"
        return unified(before.model, kept.model, old_name=old_name, new_name=new_name)

    def _read_or_nothing(self, name: str, source: str) -> tuple[str, Kept]:
        try:
            return self._files.read(name, source)
        except NotFound:
            return "", Kept(environment={}, model="", diff="")

    async def _current(self, name: str) -> VersionRow | None:
        return next(iter(await self._history.versions(name)), None)

    async def _version(self, name: str, version: int) -> VersionRow:
        for row in await self._history.versions(name):
            if row.version == version:
                return row
        raise NotFound(
            f"{name} has no version {version}.",
            field="version",
            hint=f"GET /api/v1/stacks/{name}/history lists what is kept.",
        )

    def _runs(self, name: str, row: VersionRow) -> Version:
        directory = row.directory or str(self._files.folder(name))
        return Version(source=row.source, directory=directory, profiles=row.profiles)

    async def _discard(self, name: str) -> None:
        """Remove files of deployments that came to nothing; those of a running one stay."""
        async with self._staging:
            if not self._runner.is_held(job_target(name)):
                sources = {row.source for row in await self._history.versions(name)}
                await asyncio.to_thread(self._files.keep_only, name, sources)

    def _mask(self, environment: dict[str, str]) -> None:
        for value in environment.values():
            if len(value) >= SHORTEST_SECRET:
                self._secrets.add(value)


def _require_confirmed(
    findings: tuple[PolicyFinding, ...], caller: Caller, *, confirmed: bool
) -> None:
    if not findings:
        return
    if confirmed and caller.scope.includes(Scope.ADMIN):
        return
    first, more = findings[0], len(findings) - 1
    ending = f" And {more} more: the plan lists them." if more else ""
    raise Denied(
        f"{first.field}: {first.message}{ending}",
        field=first.field if not confirmed else "confirm_findings",
        hint="A token with the scope admin may deploy it with `confirm_findings`.",
    )


def _arguments(draft: Draft, source: str, caller: Caller, *, pull: bool) -> DeployArguments:
    current, origin = draft.current, draft.origin
    name, directory = draft.plan.name, str(draft.source.directory)
    return DeployArguments(
        stack=name,
        version=Version(source=source, directory=directory, profiles=draft.source.profiles),
        caller=caller.name,
        digest=draft.reading.digest,
        pull=pull,
        images=_images(draft),
        services=tuple(sorted(draft.reading.hashes)),
        held=draft.held,
        before=Version(source=current.source, directory=directory, profiles=current.profiles)
        if current
        else None,
        elsewhere=Elsewhere(
            files=origin.files,
            directory=origin.directory,
            environment_files=origin.environment_files,
        )
        if origin
        else None,
        lost=draft.lost,
        rewritten=draft.rewritten,
    )


def _images(draft: Draft) -> tuple[ImageToPull, ...]:
    services = draft.reading.model["services"]
    found = []
    for name, service in services.items() if isinstance(services, dict) else ():
        if isinstance(service, dict):
            image, platform = service.get("image"), service.get("platform")
            if not isinstance(image, str):
                raise Invalid(f"{name} names no image.", field=f"services.{name}.image")
            found.append(
                ImageToPull(
                    service=name,
                    image=image,
                    platform=platform if isinstance(platform, str) else None,
                    never=service.get("pull_policy") == "never",
                )
            )
    return tuple(found)
