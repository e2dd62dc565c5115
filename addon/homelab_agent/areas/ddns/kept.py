"""What is kept of a name that follows an address, so that a restart writes nothing needlessly."""

from datetime import datetime

from homelab_agent.areas.ddns.models import AddressSource, DynamicAddressEvent, DynamicState
from homelab_agent.areas.dns.models import RecordType
from homelab_agent.platform.model import Model


class Pair(Model):
    """An address of each family; None where there is none, or none is known."""

    ipv4: str | None = None
    ipv6: str | None = None

    @property
    def types(self) -> frozenset[RecordType]:
        """The types of the records that these addresses are in."""
        by_type = {RecordType.A: self.ipv4, RecordType.AAAA: self.ipv6}
        return frozenset(each for each, address in by_type.items() if address is not None)

    @property
    def words(self) -> str:
        """Both for a person."""
        return " and ".join(each for each in (self.ipv4, self.ipv6) if each) or "nothing"


NOTHING = Pair()


class KeptAddress(Model):
    """A name: how it is to follow, and how far that got.

    `written` was confirmed. `attempt` was begun and is not confirmed: after a crash it may have
    been done. `tried_at`: when the provider was last asked to change something.
    `rewritten_at`: when somebody else's change was last written over. `refused_by`: the provider,
    as it was set up when it refused. `told_failed`: others were told that it does not work.
    `event`: what was told last; it is kept first, so that a crash tells nothing twice.
    `to_count`: what somebody who is no admin had followed and was not led to an address since.
    """

    provider: str | None = None
    source: AddressSource = AddressSource.PUBLIC
    interface: str | None = None
    ipv4: bool
    ipv6: bool
    ttl_s: int | None = None
    paused: bool = False
    wanted: Pair = NOTHING
    written: Pair = NOTHING
    attempt: Pair | None = None
    tried_at: datetime | None = None
    rewritten_at: datetime | None = None
    state: DynamicState = DynamicState.UNKNOWN
    reason: str | None = None
    changed_at: datetime | None = None
    checked_at: datetime | None = None
    next_try_at: datetime | None = None
    failures: int = 0
    refused_by: str | None = None
    told_failed: bool = False
    event: DynamicAddressEvent | None = None
    to_count: tuple[RecordType, ...] = ()

    @property
    def missing(self) -> Pair:
        """What is wanted and not written, as far as known."""
        wanted, written = self.wanted, self.written
        return Pair(
            ipv4=wanted.ipv4 if wanted.ipv4 != written.ipv4 else None,
            ipv6=wanted.ipv6 if wanted.ipv6 != written.ipv6 else None,
        )

    @property
    def target(self) -> Pair:
        """What the name is to lead to: what is wanted, and where that is not known, as it is."""
        return Pair(
            ipv4=(self.wanted.ipv4 or self.written.ipv4) if self.ipv4 else None,
            ipv6=(self.wanted.ipv6 or self.written.ipv6) if self.ipv6 else None,
        )
