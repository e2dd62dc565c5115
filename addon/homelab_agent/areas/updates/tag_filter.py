"""Which tags a pattern means, found in a process of its own.

Whoever may start a container writes the pattern, and one that backtracks for hours would stop
everything else in this process.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import suppress

from pydantic import BaseModel, ConfigDict, ValidationError

from homelab_agent.areas.updates.policy import TAGS_LABEL
from homelab_agent.platform.errors import Failed, Invalid

_DEADLINE_S = 5.0

_PROGRAM = """
import json, re, sys
asked = json.load(sys.stdin)
try:
    pattern = re.compile(asked["pattern"])
except (re.error, OverflowError, RecursionError) as error:
    print(json.dumps({"wrong": str(error)}))
else:
    print(json.dumps({"tags": [tag for tag in asked["tags"] if pattern.fullmatch(tag)]}))
"""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tags: tuple[str, ...] = ()
    wrong: str | None = None


async def matching(
    pattern: str, tags: Sequence[str], *, deadline_s: float = _DEADLINE_S
) -> tuple[str, ...]:
    """Return those tags that the whole pattern matches.

    Raises:
        Invalid: the pattern is no regular expression, or one that takes too long.
        Failed: the host lets no process be started.
    """
    process = await _started()
    asked = json.dumps({"pattern": pattern, "tags": list(tags)}).encode()
    try:
        async with asyncio.timeout(deadline_s):
            told, _ = await process.communicate(asked)
    except TimeoutError:
        raise _wrong(f"it needs more than {deadline_s:g} s for {len(tags)} tags") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    try:
        answer = _Answer.model_validate_json(told)
    except ValidationError:
        raise Failed("The tags could not be compared with the pattern.") from None
    if answer.wrong is not None:
        raise _wrong(answer.wrong)
    return answer.tags


async def _started() -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            "-c",
            _PROGRAM,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        # As where the host lets no more processes or files be opened.
        raise Failed(
            f"The tags could not be compared with the pattern: {error.strerror}."
        ) from error


def _wrong(why: str) -> Invalid:
    return Invalid(
        f"The container's label {TAGS_LABEL} is no regular expression that can be used: {why}.",
        field=TAGS_LABEL,
        hint=r"As in \d+\.\d+\.\d+-alpine; it has to match a whole tag.",
    )
