"""The one gate before every operation: authorise, protect, run, audit."""

import asyncio
from collections.abc import Awaitable, Callable

from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Caller, Operation, Outcome
from homelab_agent.platform.errors import AgentError, Busy, Denied, Protected, Unauthenticated
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model
from homelab_agent.platform.refusals import Refusals

type Protection = Callable[[str], Awaitable[str | None]]

NOBODY = "nobody"
"""The caller of who brought no valid token."""

_SERVER_ERRORS = 500
_log = get_logger(__name__)


class Gate:
    """Lets an operation through, or says why not.

    Every command leaves exactly one activity entry. A command that started a job is audited when
    that job ends, by the job runner; all else, refused readings included, is audited here. What
    somebody may not do is counted in one entry when it is asked for again and again.
    """

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._refusals = Refusals(audit)
        self._protections: dict[str, list[Protection]] = {}

    def protect(self, target_kind: str, check: Protection) -> None:
        """Ask `check` before anything dangerous is done to a target of this kind.

        It returns the reason and the remedy in a sentence, or None where nothing protects it.
        """
        self._protections.setdefault(target_kind, []).append(check)

    async def run[Result: Model](
        self,
        operation: Operation,
        caller: Caller | None,
        target: str | None,
        call: Callable[[], Awaitable[Result]],
        *,
        hear: Callable[[], Awaitable[None]] | None = None,
    ) -> Result:
        """Return what `call` returns, if it may be called at all.

        `hear` takes in what else was asked. Protection is looked at after it: who sends slowly
        must not choose the moment between the look and the deed.

        Raises:
            Unauthenticated: it needs a token, and there is no caller.
            Denied: the caller's scope is too small.
            Protected: the target is protected from it.
        """
        try:
            _authorise(operation, caller)
        except AgentError as error:
            await self._note_refusal(operation, caller, target, error)
            raise
        if not operation.declaration.changes:
            if hear:
                await hear()
            return await call()
        try:
            if hear:
                await hear()
            await self._require_unprotected(operation, target)
            result = await call()
        except asyncio.CancelledError:
            # Who asked went away: what was begun may have been done.
            given_up = AgentError("The request was given up before its end")
            await asyncio.shield(self._note_error(operation, caller, target, given_up))
            raise
        except AgentError as error:
            await self._note_error(operation, caller, target, error)
            raise
        except Exception:
            await self._note_error(operation, caller, target, AgentError("Internal error"))
            raise
        if not (isinstance(result, CommandResult) and result.job):
            outcome, message = _outcome(result)
            await self._note(operation, caller, target, outcome, None, message)
        return result

    async def _require_unprotected(self, operation: Operation, target: str | None) -> None:
        kind = operation.declaration.target
        if not operation.declaration.dangerous or kind is None or target is None:
            return
        checks = self._protections.get(kind)
        if not checks:
            # A protection that was forgotten must not look like one that allows all.
            raise ValueError(f"nothing protects targets of the kind {kind}")
        for check in checks:
            if reason := await check(target):
                raise Protected(reason, field=operation.path_parameters[0])

    async def _note_refusal(
        self, operation: Operation, caller: Caller | None, target: str | None, error: AgentError
    ) -> None:
        try:
            await self._refusals.note(_name(caller), operation.name, target, error)
        except AgentError as trouble:
            _tell_unaudited(operation, caller, target, Outcome.REFUSED, error.code, trouble)

    async def _note_error(
        self, operation: Operation, caller: Caller | None, target: str | None, error: AgentError
    ) -> None:
        # The error of a job names it, and that job is audited by itself. `Busy` names another's.
        if "job_id" in error.extra and not isinstance(error, Busy):
            return
        outcome = Outcome.REFUSED if error.status < _SERVER_ERRORS else Outcome.FAILED
        await self._note(operation, caller, target, outcome, error.code, error.message)

    async def _note(
        self,
        operation: Operation,
        caller: Caller | None,
        target: str | None,
        outcome: Outcome,
        code: str | None,
        message: str | None,
    ) -> None:
        try:
            await self._audit.record(
                caller=_name(caller),
                action=operation.name,
                target=target,
                outcome=outcome,
                code=code,
                message=message,
            )
        except AgentError as trouble:
            _tell_unaudited(operation, caller, target, outcome, code, trouble)


def _tell_unaudited(
    operation: Operation,
    caller: Caller | None,
    target: str | None,
    outcome: Outcome,
    code: str | None,
    trouble: AgentError,
) -> None:
    # What was done is done, and what was refused stays refused; the log is what is left.
    _log.error(
        "not audited",
        caller=_name(caller),
        action=operation.name,
        target=target,
        outcome=outcome,
        code=code,
        reason=trouble.message,
    )


def _name(caller: Caller | None) -> str:
    return caller.name if caller else NOBODY


def _authorise(operation: Operation, caller: Caller | None) -> None:
    needed = operation.declaration.scope
    if needed is None:
        return
    if caller is None:
        raise Unauthenticated(
            "No token was sent, or one that is not known", hint="Send Authorization: Bearer TOKEN"
        )
    if not caller.scope.includes(needed):
        raise Denied(
            f"{operation.name} needs the scope {needed}; {caller.name} has {caller.scope}",
            hint=f"Create a token with the scope {needed}",
        )


def _outcome(result: Model) -> tuple[Outcome, str | None]:
    if isinstance(result, CommandResult):
        return result.outcome or Outcome.DONE, result.message
    return Outcome.DONE, None
