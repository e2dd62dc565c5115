"""Whether every authoritative server gives what is wanted, and to which addresses that leads."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from homelab_agent.areas.dns.models import (
    AuthoritativeAnswers,
    RecordSet,
    RecordType,
    ServerAnswer,
)
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.areas.domains.models import CheckName, CheckResult, DomainCheck
from homelab_agent.platform.dns_names import uniform_name
from homelab_agent.platform.errors import AgentError, Invalid

ANSWER_WITHIN_S = 15.0
MOST_STEPS = 8
"""So many names are followed: a longer chain of CNAMEs is a mistake, or a circle."""

ADDRESS_TYPES = (RecordType.A, RecordType.AAAA)
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What the name servers say. `addresses` are those that the name leads to in the end."""

    check: DomainCheck
    servers: tuple[ServerAnswer, ...] = ()
    addresses: tuple[str, ...] = ()


class RecordsCheck:
    """Asks all authoritative servers of a name."""

    def __init__(self, dns: DnsService) -> None:
        self._dns = dns

    async def look(
        self, name: str, wanted: Sequence[RecordSet], *, follow: bool, trouble: str | None
    ) -> Resolved:
        """Return how the records are; with `follow` also where the name leads to.

        `trouble` is what is known to be wrong with the wish itself.
        """
        kinds = [each.type for each in wanted]
        if not kinds or (follow and not {*ADDRESS_TYPES, RecordType.CNAME} & set(kinds)):
            kinds += ADDRESS_TYPES
        try:
            found = await asyncio.gather(*(self._answers(name, kind) for kind in kinds))
        except AgentError as error:
            return Resolved(
                check=_check(CheckResult.UNKNOWN, _sentence(error)), addresses=_own(wanted)
            )
        return Resolved(
            check=self._judged(wanted, found, trouble),
            servers=_most_telling(wanted, found),
            addresses=await self._addresses(name, wanted, found)
            if follow
            else tuple(
                filter(_is_address, (each for answers in found for each in _values(answers)))
            ),
        )

    def _judged(
        self,
        wanted: Sequence[RecordSet],
        found: Sequence[AuthoritativeAnswers],
        trouble: str | None,
    ) -> DomainCheck:
        checks = [
            *(_compared(each, answers) for each, answers in zip(wanted, found, strict=False)),
            *(_agreeing(answers) for answers in found[len(wanted) :]),
        ]
        worst = max(checks, key=lambda each: _SEVERITY.index(each.result))
        if worst.result is CheckResult.OK and trouble:
            return _check(CheckResult.WARNING, trouble)
        return worst

    async def _addresses(
        self, name: str, wanted: Sequence[RecordSet], found: Sequence[AuthoritativeAnswers]
    ) -> tuple[str, ...]:
        by_type = {answers.type: answers for answers in found}
        direct = [value for kind in ADDRESS_TYPES for value in _values(by_type.get(kind))]
        target = next(iter(_values(by_type.get(RecordType.CNAME))), None)
        if not direct and target is None and not any(map(_is_heard, found)):
            # Nobody answers: what should be there may well be there.
            direct = list(_own(wanted))
            target = next(
                (each.values[0] for each in wanted if each.type is RecordType.CNAME), None
            )
        if not direct and target is None and RecordType.CNAME not in by_type:
            target = await self._alias(name)
        steps = 1
        while not direct and target is not None and steps < MOST_STEPS:
            name, steps = target, steps + 1
            direct = await self._direct(name)
            target = None if direct else await self._alias(name)
        return tuple(dict.fromkeys(filter(_is_address, direct)))

    async def _direct(self, name: str) -> list[str]:
        found = await asyncio.gather(*(self._quietly(name, kind) for kind in ADDRESS_TYPES))
        return [value for answers in found for value in _values(answers)]

    async def _alias(self, name: str) -> str | None:
        found = next(iter(_values(await self._quietly(name, RecordType.CNAME))), None)
        try:
            return found and uniform_name(found, field="value")
        except Invalid:
            return None

    async def _quietly(self, name: str, kind: RecordType) -> AuthoritativeAnswers | None:
        """Return the answers about another name; it being in trouble shows in the addresses."""
        try:
            return await self._answers(name, kind)
        except AgentError:
            return None

    async def _answers(self, name: str, kind: RecordType) -> AuthoritativeAnswers:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await self._dns.answers(name, kind)
        except TimeoutError:
            return AuthoritativeAnswers(name=name, type=kind, zone="", agree=False, servers=())


_SEVERITY = (
    CheckResult.SKIPPED,
    CheckResult.OK,
    CheckResult.WARNING,
    CheckResult.UNKNOWN,
    CheckResult.FAILED,
)


def _compared(wanted: RecordSet, answers: AuthoritativeAnswers) -> DomainCheck:
    """Return how the records of one type are."""
    heard = [each for each in answers.servers if each.values is not None]
    silent = [each for each in answers.servers if each.values is None]
    wrong = [each for each in heard if set(each.values or ()) != set(wanted.values)]
    if not heard:
        return _nobody(answers)
    if wrong:
        says = _shown(wrong[0].values or ())
        where = "every name server" if len(wrong) == len(heard) else _named(wrong)
        return _check(
            CheckResult.FAILED if len(wrong) == len(heard) else CheckResult.WARNING,
            f"{wanted.type} is {says} at {where}, and should be {_shown(wanted.values)}. "
            "Plan and apply the domain's records, or change what is wanted.",
        )
    return _silent(silent) if silent else _check(CheckResult.OK)


def _agreeing(answers: AuthoritativeAnswers) -> DomainCheck:
    """Return how records are of which nobody said what they should be."""
    heard = [each for each in answers.servers if each.values is not None]
    silent = [each for each in answers.servers if each.values is None]
    if not heard:
        return _nobody(answers)
    if silent:
        return _silent(silent)
    if len({frozenset(each.values or ()) for each in heard}) > 1:
        return _check(
            CheckResult.WARNING,
            f"The name servers do not agree about {answers.type}. Wait until they have passed it "
            "on to each other; if it stays so, look at the secondary servers.",
        )
    return _check(CheckResult.OK)


def _nobody(answers: AuthoritativeAnswers) -> DomainCheck:
    why = next((f": {each.reason}" for each in answers.servers if each.reason), "")
    return _check(
        CheckResult.UNKNOWN,
        f"None of the name servers of {answers.name} gives an answer{why.rstrip('.')}. Look "
        "whether they run, and whether this agent has a way to them.",
    )


def _silent(silent: Sequence[ServerAnswer]) -> DomainCheck:
    why = f" ({silent[0].reason.rstrip('.')})" if silent[0].reason else ""
    return _check(
        CheckResult.WARNING,
        f"{_named(silent)} gives no answer{why}. Who asks there waits in vain: look whether that "
        "name server runs.",
    )


def _most_telling(
    wanted: Sequence[RecordSet], found: Sequence[AuthoritativeAnswers]
) -> tuple[ServerAnswer, ...]:
    """Return the answers about the first type that is not as it should be, else the first."""
    for each, answers in zip(wanted, found, strict=False):
        if _compared(each, answers).result is not CheckResult.OK:
            return answers.servers
    return found[0].servers


def _own(wanted: Sequence[RecordSet]) -> tuple[str, ...]:
    return tuple(value for each in wanted if each.type in ADDRESS_TYPES for value in each.values)


def _values(answers: AuthoritativeAnswers | None) -> list[str]:
    """Return what the servers say, all together."""
    if answers is None:
        return []
    return list(dict.fromkeys(value for each in answers.servers for value in each.values or ()))


def _is_heard(answers: AuthoritativeAnswers) -> bool:
    return any(each.values is not None for each in answers.servers)


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def _named(servers: Sequence[ServerAnswer]) -> str:
    names = [each.server for each in servers]
    return " and ".join(names[:_MOST_SHOWN]) + (" and others" if names[_MOST_SHOWN:] else "")


def _shown(values: Sequence[str]) -> str:
    if not values:
        return "missing"
    return ", ".join(values[:_MOST_SHOWN]) + (" and others" if values[_MOST_SHOWN:] else "")


def _sentence(error: AgentError) -> str:
    return f"{error.message.rstrip('.')}. {error.hint or ''}".rstrip()


def _check(result: CheckResult, reason: str | None = None) -> DomainCheck:
    return DomainCheck(name=CheckName.RECORDS, result=result, reason=reason)
