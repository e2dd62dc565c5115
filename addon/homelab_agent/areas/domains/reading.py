"""What can be read of domains: lists, health, history, in short."""

from collections import Counter
from datetime import datetime

from homelab_agent.areas.dns.service import DnsService
from homelab_agent.areas.domains.board import Board
from homelab_agent.areas.domains.book import Book, ordered_status
from homelab_agent.areas.domains.models import (
    Domain,
    DomainHealthReport,
    DomainHistoryQuery,
    DomainPage,
    DomainProblem,
    DomainQuery,
    DomainStatus,
    DomainSummary,
    HistoryPage,
)
from homelab_agent.areas.domains.names import domain_id
from homelab_agent.areas.domains.store import DomainStore
from homelab_agent.areas.domains.watched import Watched
from homelab_agent.platform.dns_names import searchable, shown_name
from homelab_agent.platform.errors import NotFound

MOST_PROBLEMS = 100
_PROBLEMS = frozenset({DomainStatus.UNHEALTHY, DomainStatus.DEGRADED, DomainStatus.UNKNOWN})


class DomainReader:
    """Answers questions about all domains."""

    def __init__(self, book: Book, board: Board, store: DomainStore, dns: DnsService) -> None:
        self._book = book
        self._board = board
        self._store = store
        self._dns = dns

    async def page(self, query: DomainQuery) -> DomainPage:
        """Return the domains that match, by name. Pages stay right while domains come and go."""
        await self._book.until_ready()
        text = searchable(query.text) if query.text else None
        found = [
            watched
            for watched in self._by_name()
            if query.service_type in {None, watched.kept.settings.service_type}
            and query.status in {None, watched.status}
            and (text is None or _mentions(watched, text))
        ]
        rest = [each for each in found if query.after is None or each.id > query.after]
        page = rest[: query.limit]
        return DomainPage(
            domains=tuple(map(self._board.domain, page)),
            total=len(found),
            next_after=page[-1].id if len(rest) > len(page) else None,
        )

    async def history(self, name: str, query: DomainHistoryQuery) -> HistoryPage:
        """Return what happened to a domain, also to one that is not looked after any more.

        Raises:
            NotFound: nothing is known of this name.
        """
        await self._book.until_ready()
        found = domain_id(name, field="id")
        page = await self._store.page(found, query)
        if not page.events and query.before is None and found not in self._book.watched:
            raise NotFound(
                f"Nothing is known of a domain {found}",
                field="id",
                hint="GET /api/v1/domains lists them all.",
            )
        return page

    async def health(self) -> DomainHealthReport:
        """Return how all domains are, the worst first."""
        await self._book.until_ready()
        found = [each.last_health() for each in self._by_name()]
        return DomainHealthReport(
            domains=tuple(sorted(found, key=lambda each: ordered_status(each.status))),
            checked_at=max((each.checked_at for each in found if each.checked_at), default=None),
        )

    async def summary(self) -> DomainSummary:
        """Return how many domains there are, of what kind and how they are."""
        await self._book.until_ready()
        shown = [self._board.domain(each) for each in self._by_name()]
        ends = [
            (each.certificate_expires_at, each) for each in shown if each.certificate_expires_at
        ]
        first = min(ends, key=_first, default=None)
        problems = sorted(
            (each for each in shown if each.status in _PROBLEMS),
            key=lambda each: ordered_status(each.status),
        )
        return DomainSummary(
            total=len(shown),
            by_status=dict(Counter(each.status for each in shown)),
            by_service_type=dict(Counter(each.service_type for each in shown)),
            providers=len(self._dns.providers().providers),
            next_certificate=first[1].id if first else None,
            next_certificate_days_left=first[1].certificate_days_left if first else None,
            problems=tuple(
                DomainProblem(id=each.id, name=each.name, status=each.status, reason=each.reason)
                for each in problems[:MOST_PROBLEMS]
            ),
        )

    def _by_name(self) -> list[Watched]:
        return [watched for _, watched in sorted(self._book.watched.items())]


def _first(each: tuple[datetime, Domain]) -> datetime:
    return each[0]


def _mentions(watched: Watched, text: str) -> bool:
    settings = watched.kept.settings
    values = (value for each in settings.records for value in each.values)
    texts = (watched.id, shown_name(watched.id), settings.note, settings.container, *values)
    return any(text in searchable(each) for each in texts if each)
