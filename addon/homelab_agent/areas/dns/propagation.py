"""Waiting until every authoritative server gives what was written."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from homelab_agent.areas.dns.models import AuthoritativeAnswers, RecordSet, RecordType
from homelab_agent.areas.dns.pauses import growing
from homelab_agent.platform.dns_names import is_within
from homelab_agent.platform.errors import TimedOut, Unavailable
from homelab_agent.platform.jobs.progress import report

# A second server that is told has it within seconds; all others take their time.
_PAUSES_S = (*[0.25] * 8, 0.5, 0.5, 1.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0)

type Ask = Callable[[str, RecordType], Awaitable[AuthoritativeAnswers]]


async def wait_until_served(
    ask: Ask, wanted: Sequence[RecordSet], *, within_s: float, exactly: bool
) -> None:
    """Return as soon as every authoritative server gives all of it; see `DnsService`.

    Raises:
        TimedOut: not all did within that time; it names them and what they say instead.
    """
    loop = asyncio.get_running_loop()
    until, pauses = loop.time() + within_s, growing(_PAUSES_S)
    left = list(wanted)
    while True:
        late = [(each, await _late(ask, each, exactly=exactly)) for each in left]
        left = [each for each, servers in late if servers]
        if not left:
            report(1.0, "Every name server gives it.")
            return
        missing = "; ".join(
            f"{each.name} {each.type}: {', '.join(servers)}" for each, servers in late if servers
        )
        report(None, f"Waiting for {missing}")
        remaining_s = until - loop.time()
        if remaining_s <= 0:
            raise TimedOut(
                f"Not every name server gives what was written, after {within_s:g} s. {missing}",
                hint="Look whether these servers take over the zone; it can be tried again",
            )
        await asyncio.sleep(min(next(pauses), remaining_s))


async def _late(ask: Ask, wanted: RecordSet, *, exactly: bool) -> tuple[str, ...]:
    try:
        answers = await ask(wanted.name, wanted.type)
        if not wanted.values and any(each.values for each in answers.servers):
            answers = await _without_wildcards(ask, answers)
    except Unavailable as error:
        return (error.message,)
    return lagging(answers, wanted.values, exactly=exactly)


async def _without_wildcards(ask: Ask, answers: AuthoritativeAnswers) -> AuthoritativeAnswers:
    """Return answers without what servers make of a wildcard above: it is not at the name."""
    servers, above = answers.servers, answers.name.partition(".")[2]
    while is_within(above, answers.zone):
        made = await ask(f"*.{above}", answers.type)
        said = {(each.server, each.address): set(each.values or ()) for each in made.servers}
        servers = tuple(
            each.model_copy(update={"values": ()})
            if each.values and said.get((each.server, each.address)) == set(each.values)
            else each
            for each in servers
        )
        above = above.partition(".")[2]
    return answers.model_copy(update={"servers": servers})


def lagging(
    answers: AuthoritativeAnswers, wanted: Sequence[str], *, exactly: bool
) -> tuple[str, ...]:
    """Return the servers that do not give what is wanted, each with what it says instead."""
    found = []
    for each in answers.servers:
        if each.values is None:
            found.append(each.reason or f"{each.server} does not answer")
        elif set(each.values) != set(wanted) if exactly else not set(wanted) <= set(each.values):
            said = ", ".join(each.values) or "nothing"
            found.append(f"{each.server} ({each.address}) gives {said}")
    return tuple(found)
