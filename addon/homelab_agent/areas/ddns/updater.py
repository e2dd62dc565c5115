"""Brings one name to where it is to lead: looks, writes where it has to, and judges what came."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from homelab_agent.areas.ddns.board import Board
from homelab_agent.areas.ddns.followed import Followed
from homelab_agent.areas.ddns.kept import KeptAddress, Pair
from homelab_agent.areas.ddns.models import DynamicAddressEventType as _Type
from homelab_agent.areas.ddns.models import DynamicState
from homelab_agent.areas.ddns.trouble import Remedy, remedy_of
from homelab_agent.areas.dns.models import RecordType, ZoneHome
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.platform.clock import Clock, Steady
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger

CHECK_S = 1800.0
"""How often it is looked whether somebody else changed what was written."""

CHECK_SOON_S = 60.0
PROPAGATION_S = 900.0
"""For so long after a change a name server may still tell what was before."""

ONCE_A_DAY = timedelta(hours=24)
"""What somebody else writes is written over once in this time, and then left to a person."""

FIRST_RETRY_S = 60.0
LONGEST_RETRY_S = 3600.0
_MOST_DOUBLINGS = 16
_JITTER = 0.1
TOLD_FAILURES = 3
"""So many failures in a row are told; one or two happen."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Look:
    """What is served of the families that are followed; `differing`: what it should be."""

    differing: Pair
    words: str

    @property
    def is_right(self) -> bool:
        return self.differing == Pair()


class Updater:
    """Works at one name at a time; nobody else changes it meanwhile."""

    def __init__(self, dns: DnsService, board: Board, clock: Clock, steady: Steady) -> None:
        self._dns = dns
        self._board = board
        self._clock = clock
        self._steady = steady
        self._dice = Random()  # noqa: S311 - nothing secret is drawn

    def set_up(self, one: Followed) -> str:
        """Return who would be asked for a name, and how that is set up; it changes with both."""
        try:
            home = self._dns.home_of(one.key, one.kept.provider)
        except AgentError as error:
            return error.code
        return f"{home.provider} {self._dns.set_up_at(home.provider)}"

    def resume_after_restart(self, one: Followed) -> None:
        """Keep the pauses that were begun before."""
        kept, now, now_s = one.kept, self._clock(), self._steady()
        one.seen_s = one.check_s = now_s
        one.retry_s = now_s + _left_s(kept.next_try_at, now, LONGEST_RETRY_S)
        try:
            interval_s = self._dns.home_of(one.key, kept.provider).capabilities.address_interval_s
        except AgentError:
            return
        one.paced_s = now_s + _left_s(_later(kept.tried_at, interval_s), now, interval_s)

    async def work(self, one: Followed) -> None:
        """Compare what is served with what is to be, and write it where it is not so."""
        kept = one.kept
        try:
            home = self._dns.home_of(one.key, kept.provider)
        except AgentError as error:
            await self._fail(one, error, 0)
            return
        look = await self._look(one, home)
        one.check_s = self._steady() + self._check_pause_s(one)
        if look is not None:
            one.kept = one.kept.model_copy(update={"checked_at": self._clock()})
        if look is not None and look.is_right and self._may_believe(one, home):
            await self._confirm(one, changed=kept.attempt is not None)
            return
        if one.needs_write:
            await self._write_when_due(one, home, kept.missing if look is None else look.differing)
        elif look is not None and not look.is_right:
            await self._answer_to_others(one, home, look)
        else:
            await self._board.keep(one)

    async def _look(self, one: Followed, home: ZoneHome) -> _Look | None:
        """Return what is served; None where nobody could tell it."""
        target, ttl_s = one.kept.target, one.kept.ttl_s
        differing: dict[str, str] = {}
        words = []
        for family, record_type, address in (
            ("ipv4", RecordType.A, target.ipv4),
            ("ipv6", RecordType.AAAA, target.ipv6),
        ):
            if address is None:
                continue
            try:
                held = await self._dns.read(one.key, record_type, provider=home.provider)
            except AgentError as error:
                _log.debug("dynamic_address_not_read", name=one.key, why=error.message)
                return None
            values = tuple(value for each in held for value in each.values)
            ttls = {each.ttl_s for each in held} - {None}
            if values != (address,) or (ttl_s is not None and ttls - {ttl_s}):
                differing[family] = address
                words.append(_told(record_type, values, ttls))
        return _Look(Pair(**differing), " and ".join(words))

    def _may_believe(self, one: Followed, home: ZoneHome) -> bool:
        """Return whether what is served is not just what was there before a change."""
        kept = one.kept
        if not one.needs_write:
            return True
        if kept.attempt is None:
            return not self._is_on_its_way(kept, home)
        tried, target = kept.attempt, kept.target
        return tried.ipv4 in {None, target.ipv4} and tried.ipv6 in {None, target.ipv6}

    def _is_on_its_way(self, kept: KeptAddress, home: ZoneHome) -> bool:
        """Return whether name servers may still tell what was before the last change."""
        if home.capabilities.lists:
            return False
        return _left_s(_later(kept.tried_at, PROPAGATION_S), self._clock(), PROPAGATION_S) > 0

    async def _answer_to_others(self, one: Followed, home: ZoneHome, look: _Look) -> None:
        """Write once over what somebody else wrote, and the second time leave it to a person."""
        kept, now = one.kept, self._clock()
        if self._is_on_its_way(kept, home):
            one.check_s = self._steady() + CHECK_SOON_S
            await self._board.keep(one)
            return
        if kept.rewritten_at is not None and abs(now - kept.rewritten_at) < ONCE_A_DAY:
            await self._leave_to_a_person(one, look)
            return
        one.kept = kept.model_copy(update={"rewritten_at": now, "attempt": kept.target})
        await self._write_when_due(one, home, look.differing)

    async def _leave_to_a_person(self, one: Followed, look: _Look) -> None:
        reason = (
            f"{one.key} leads to {look.words}, and not to {one.kept.target.words}, although that "
            "was written again: somebody else writes it too, or the provider does not do what it "
            "says. It is left so until the address changes or you update it."
        )
        one.kept = one.kept.model_copy(
            update={"state": DynamicState.FAILED, "reason": reason, "next_try_at": None}
        )
        self._tell_failure(one)
        await self._board.keep(one)

    async def _write_when_due(self, one: Followed, home: ZoneHome, pair: Pair) -> None:
        left_s = one.due_s - self._steady()
        if left_s > 0:
            await self._wait(one, left_s)
            return
        if pair == Pair():
            pair = one.kept.target
        now = self._clock()
        # Before it is asked for: whoever finds this after a crash knows that it may be done.
        one.kept = one.kept.model_copy(update={"attempt": pair, "tried_at": now})
        await self._board.keep(one)
        interval_s = home.capabilities.address_interval_s
        try:
            await self._dns.set_addresses(
                one.key,
                pair.ipv4,
                pair.ipv6,
                ttl_s=one.kept.ttl_s,
                provider=home.provider,
                counted=pair.types.intersection(one.kept.to_count),
            )
        except AgentError as error:
            await self._fail(one, error, interval_s)
            return
        one.paced_s = self._steady() + interval_s
        one.check_s = self._steady() + CHECK_SOON_S
        await self._confirm(one, changed=True)

    async def _wait(self, one: Followed, left_s: float) -> None:
        """Say what it waits for: the provider's pause, or the next try after a failure."""
        next_try_at = self._clock() + timedelta(seconds=left_s)
        if one.kept.failures:
            update: dict[str, object] = {"next_try_at": next_try_at}
        else:
            update = {
                "state": DynamicState.WAITING,
                "reason": one.kept.reason or "The provider wants a pause between two changes.",
                "next_try_at": next_try_at,
            }
        one.kept = one.kept.model_copy(update=update)
        await self._board.keep(one)

    async def _confirm(self, one: Followed, *, changed: bool) -> None:
        kept, target, now = one.kept, one.kept.target, self._clock()
        is_news = changed and kept.written != target
        event = kept.event
        if is_news:
            event = self._board.event(one.key, _Type.CHANGED, old=kept.written, new=target)
        elif kept.told_failed:
            event = self._board.event(one.key, _Type.RECOVERED, new=target)
        one.kept = kept.model_copy(
            update={
                "written": target,
                "attempt": None,
                "state": DynamicState.CURRENT,
                "reason": None,
                "changed_at": now if is_news else kept.changed_at,
                "next_try_at": None,
                "failures": 0,
                "told_failed": False,
                "event": event,
                # Where it leads later is the address's doing, and nobody's change.
                "to_count": tuple(each for each in kept.to_count if each not in target.types),
            }
        )
        await self._board.keep(one)

    async def _fail(self, one: Followed, error: AgentError, interval_s: float) -> None:
        remedy = remedy_of(error)
        _log.info("dynamic_address_not_written", name=one.key, why=error.message, remedy=remedy)
        update: dict[str, object] = {"reason": _words(error)}
        if remedy is not Remedy.ASK:
            update["attempt"] = None
        if remedy is Remedy.PERSON:
            update |= {
                "state": DynamicState.REFUSED,
                "next_try_at": None,
                "refused_by": self.set_up(one),
                "failures": one.kept.failures + 1,
            }
        else:
            failures = one.kept.failures + (remedy is not Remedy.WAIT)
            pause_s = self._pause_s(remedy, error, failures)
            self._hold(one, remedy, pause_s, interval_s)
            waits = remedy is Remedy.WAIT
            update |= {
                "state": DynamicState.WAITING if waits else DynamicState.FAILED,
                "next_try_at": self._clock() + timedelta(seconds=one.due_s - self._steady()),
                "failures": failures,
            }
        one.kept = one.kept.model_copy(update=update)
        if remedy is Remedy.PERSON or one.kept.failures >= TOLD_FAILURES:
            self._tell_failure(one)
        await self._board.keep(one)

    def _tell_failure(self, one: Followed) -> None:
        kept = one.kept
        if kept.told_failed:
            return
        event = self._board.event(
            one.key, _Type.FAILED, old=kept.written, new=kept.wanted, reason=kept.reason
        )
        one.kept = kept.model_copy(update={"told_failed": True, "event": event})

    def _hold(self, one: Followed, remedy: Remedy, pause_s: float, interval_s: float) -> None:
        now_s = self._steady()
        match remedy:
            case Remedy.WAIT:
                one.paced_s = now_s + pause_s
            case Remedy.ASK:
                # It may have been done, and then its pause has begun; what is served will tell.
                one.retry_s, one.paced_s = now_s + pause_s, now_s + interval_s
                one.check_s = now_s + CHECK_SOON_S
                return
            case _:
                one.retry_s = now_s + pause_s
        one.check_s = max(one.check_s, one.due_s)

    def _pause_s(self, remedy: Remedy, error: AgentError, failures: int) -> float:
        told_s = error.retry_after_s or 0.0
        if remedy is Remedy.WAIT:
            return told_s or FIRST_RETRY_S
        doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
        pause_s = min(FIRST_RETRY_S * 2.0**doublings, LONGEST_RETRY_S)
        return max(pause_s * self._dice.uniform(1, 1 + _JITTER), told_s)

    def _check_pause_s(self, one: Followed) -> float:
        if one.kept.attempt is not None:
            return CHECK_SOON_S
        return CHECK_S * self._dice.uniform(1 - _JITTER, 1 + _JITTER)


def _words(error: AgentError) -> str:
    return f"{error.message} {error.hint}" if error.hint else error.message


def _told(record_type: RecordType, values: Sequence[str], ttls: Collection[int | None]) -> str:
    ttl = "".join(f" (TTL {each} s)" for each in ttls)
    return f"{record_type} {', '.join(values) or 'nothing'}{ttl}"


def _later(at: datetime | None, seconds: float) -> datetime | None:
    return None if at is None else at + timedelta(seconds=seconds)


def _left_s(until: datetime | None, now: datetime, most_s: float) -> float:
    """Return how long it is until then. A clock that was set wrong makes nobody wait longer."""
    if until is None:
        return 0.0
    return min(max((until - now).total_seconds(), 0.0), most_s)
