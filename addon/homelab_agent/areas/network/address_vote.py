"""What the sources' answers say together."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from homelab_agent.areas.network.address_sources import Answer, IpVersion
from homelab_agent.platform.host.network import Address

NEEDED = 2
"""One source alone may lie, or be a hotel's login page."""

_ALIKE_S = 5.0
"""Two sources whose clocks are right are no further apart, however slow the line is."""

_CLOCK_HINT = "The sources' certificates are out of date: is the clock of this machine right?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The address that enough sources agree on, or why there is none."""

    address: Address | None = None
    agreed_by: tuple[str, ...] = ()
    reason: str | None = None


def agree(answers: Sequence[Answer], version: IpVersion) -> Verdict:
    """Return what at least two sources say, and more of them than say anything else."""
    if len(answers) < NEEDED:
        return Verdict(reason="At least two sources are needed (public_address_sources).")
    votes: defaultdict[Address, list[str]] = defaultdict(list)
    for answer in answers:
        if answer.address is not None:
            votes[answer.address].append(answer.source)
    ranked = sorted(votes.items(), key=lambda vote: -len(vote[1]))
    if ranked and len(ranked[0][1]) >= NEEDED:
        address, sources = ranked[0]
        if len(ranked) == 1 or len(ranked[1][1]) < len(sources):
            return Verdict(address=address, agreed_by=tuple(sorted(sources)))
    return Verdict(reason=_why_not(answers, len(votes), version))


def clock_offset_s(answers: Iterable[Answer]) -> float | None:
    """Return how far our clock is ahead of the sources'; None where no two of them agree."""
    by_source = {each.source: each.clock_ahead_s for each in answers if each.address}
    told = [ahead_s for ahead_s in by_source.values() if ahead_s is not None]
    alike = [each for each in told if abs(each - median(told)) <= _ALIKE_S] if told else []
    # One source alone may lie, here too: of two that differ nobody knows which one is right.
    return round(median(alike), 1) if len(alike) >= NEEDED else None


def _why_not(answers: Sequence[Answer], different: int, version: IpVersion) -> str:
    if sum(answer.certificate_out_of_date for answer in answers) >= NEEDED:
        return _CLOCK_HINT
    if not any(answer.reached for answer in answers):
        return f"No source could be reached over IPv{version}."
    problems = "; ".join(answer.problem for answer in answers if answer.problem)
    if different > 1:
        said = "The sources do not agree"
    elif different == 1:
        said = f"Only one of {len(answers)} sources answered with an address"
    else:
        said = "No source answered with an address"
    return f"{said}: {problems}." if problems else f"{said}."
