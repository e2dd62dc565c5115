"""The same question about many containers: a few at once, each with a deadline of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from homelab_agent.platform.errors import Conflict, Failed, NotFound, TimedOut
from homelab_agent.platform.logging import get_logger

_log = get_logger(__name__)


async def few_at_once[Key, Answer](
    keys: Iterable[Key],
    ask: Callable[[Key], Awaitable[Answer | None]],
    *,
    at_once: int,
    deadline_s: float,
) -> dict[Key, Answer]:
    """Return the answers; what is gone, cannot be told or takes too long is left out.

    Raises the other errors of the engine: it answers nobody then.
    """
    answers: dict[Key, Answer] = {}
    waiting = iter(keys)

    async def work() -> None:
        for key in waiting:
            try:
                async with asyncio.timeout(deadline_s):
                    answer = await ask(key)
            except (TimeoutError, TimedOut, NotFound, Conflict, Failed) as error:
                _log.debug("engine_question_unanswered", about=str(key), why=str(error))
                continue
            if answer is not None:
                answers[key] = answer

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return answers
