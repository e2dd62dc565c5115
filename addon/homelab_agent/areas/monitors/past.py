"""The past of one monitor, in pieces as fine as is still known."""

from datetime import UTC, datetime, timedelta

from homelab_agent.areas.monitors.history import History
from homelab_agent.areas.monitors.history_store import KEEP_S
from homelab_agent.areas.monitors.models import History as Past
from homelab_agent.areas.monitors.models import HistoryBucket, HistoryQuery, PastCheck, PastChecks
from homelab_agent.areas.monitors.tally import DAY_S, LENGTHS_S, span
from homelab_agent.platform.errors import Invalid


async def past_of(history: History, monitor_id: int, query: HistoryQuery, now: datetime) -> Past:
    """Return what was measured between two moments: at most `limit` pieces of one length.

    Raises:
        Invalid: the moments have no zone, or are in the wrong order.
    """
    since, until = moments(query.since, query.until, now)
    length_s = _length_s(since, until, now, query.limit)
    first = int(since.timestamp()) // length_s * length_s
    starts = range(first, int(until.timestamp()) + 1, length_s)
    tallies = await history.buckets(monitor_id, length_s, starts[-query.limit :])
    return Past(
        buckets=tuple(
            HistoryBucket(
                start=datetime.fromtimestamp(start_s, UTC), length_s=length_s, span=span(tally)
            )
            for start_s, tally in tallies.items()
        )
    )


async def past_checks(
    history: History, monitor_id: int, query: HistoryQuery, now: datetime
) -> PastChecks:
    """Return the newest single checks between two moments, at most `limit`.

    Raises:
        Invalid: the moments have no zone, or are in the wrong order.
    """
    since, until = moments(query.since, query.until, now)
    rows = await history.checks(monitor_id, _ms(since), _ms(until), query.limit)
    return PastChecks(
        checks=tuple(
            PastCheck(
                at=datetime.fromtimestamp(row.at_ms / 1000, UTC),
                ok=row.ok,
                response_ms=row.response_ms,
                code=row.code,
            )
            for row in rows
        )
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def moments(since: datetime, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Return both moments; `Invalid` where they mean nothing."""
    until = until or now
    for field, moment in (("since", since), ("until", until)):
        if moment.tzinfo is None:
            raise Invalid(
                f"{field} has no time zone", field=field, hint="As in 2026-12-01T03:00:00+01:00"
            )
    if since >= until:
        raise Invalid("since has to be before until", field="since")
    # A day more: the clock may have been set back by that.
    return max(since, now - timedelta(seconds=KEEP_S[DAY_S])), min(until, now + timedelta(days=1))


def _length_s(since: datetime, until: datetime, now: datetime, limit: int) -> int:
    for length_s in LENGTHS_S:
        known = now - since <= timedelta(seconds=KEEP_S[length_s])
        if known and (until - since) / timedelta(seconds=length_s) <= limit:
            return length_s
    return DAY_S
