"""How it went, in words and in the store: written once it is known, so no crash loses it."""

from homelab_agent.areas.recreate.facts import CREATE, LOOK, START, VERIFY, Facts, NewImage
from homelab_agent.areas.recreate.hands import Hands
from homelab_agent.areas.recreate.models import RecreateResult, RecreateTarget
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.engine.models import IN_USE, LogLine
from homelab_agent.platform.engine.recreate import Original
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger

_LAST_LINES = 50
_LINES_IN_ERROR = 15
_LONGEST_LINE = 500

_ANOTHER_FAILED = "Another container of the same job failed."

_log = get_logger(__name__)


class OutcomeNotes:
    """Notes how one container's job goes."""

    def __init__(self, hands: Hands, target: RecreateTarget) -> None:
        self._hands = hands
        self._target = target

    async def failed(self, verb: str, facts: Facts, error: AgentError) -> AgentError:
        """Note why it failed; return the error as whoever asked gets it."""
        log = await self._last_lines(facts) if verb in {START, VERIFY} else ()
        found = facts.found(self._target)
        if verb != LOOK and found is not None:
            result = self._result(
                found.original, facts.image(self._target), Outcome.FAILED, error.message, log
            )
            record = await self._hands.book.read(self._target.key)
            # Before the new container is made there is nothing to take back.
            late = verb == CREATE or facts.new_id(self._target) is not None
            where = "pending" if late else "last"
            await self._hands.book.write(
                self._target.key, record.model_copy(update={where: result})
            )
        extra = dict(error.extra)
        if log:
            extra["log"] = "\n".join(line.text for line in log[-_LINES_IN_ERROR:])
        return type(error)(error.message, field=error.field, hint=error.hint, extra=extra)

    async def undone(self, facts: Facts) -> None:
        """Note that everything was taken back, or that this did not work."""
        found = facts.found(self._target)
        if found is None:
            return
        row = await self._hands.containers.inspect(found.original.id)
        whole = row.name == found.original.name and (row.state in IN_USE) == found.ran
        outcome = Outcome.UNDONE if whole else Outcome.FAILED
        record = await self._hands.book.read(self._target.key)
        result = record.pending or self._result(
            found.original, facts.image(self._target), outcome, _ANOTHER_FAILED, ()
        )
        last = result.model_copy(update={"outcome": outcome, "at": self._hands.book.now()})
        await self._hands.book.write(
            self._target.key, record.model_copy(update={"last": last, "pending": None})
        )

    async def done(self, original: Original, image: NewImage) -> None:
        """Note that the new container is kept."""
        record = await self._hands.book.read(self._target.key)
        last = self._result(original, image, Outcome.DONE, None, ())
        await self._hands.book.write(
            self._target.key, record.model_copy(update={"last": last, "pending": None})
        )

    def _result(
        self,
        original: Original,
        image: NewImage | None,
        outcome: Outcome,
        reason: str | None,
        log: tuple[LogLine, ...],
    ) -> RecreateResult:
        return RecreateResult(
            action=self._target.action,
            outcome=outcome,
            at=self._hands.book.now(),
            from_image=original.image,
            to_image=image.image if image else self._target.image or original.image,
            from_version=image.old_version if image else None,
            to_version=image.version if image else None,
            reason=reason,
            log=log,
        )

    async def _last_lines(self, facts: Facts) -> tuple[LogLine, ...]:
        new_id = facts.new_id(self._target)
        if new_id is None:
            return ()
        try:
            lines = await self._hands.containers.logs(
                new_id, tail=_LAST_LINES, since=None, until=None
            )
        except AgentError as error:
            _log.info("last_lines_not_read", container=self._target.name, why=error.message)
            return ()
        mask = self._hands.secrets.mask
        return tuple(
            line.model_copy(update={"text": mask(line.text)[:_LONGEST_LINE]}) for line in lines
        )
