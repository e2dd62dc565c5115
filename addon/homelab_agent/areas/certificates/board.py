"""All places that are watched, as last known: stored, published, and what happens to them told."""

import asyncio
from collections.abc import Iterable, Iterator

from homelab_agent.areas.certificates.course import OF_THE_LADDER, News, take
from homelab_agent.areas.certificates.events import CertificateEvents
from homelab_agent.areas.certificates.kinship import Kinship
from homelab_agent.areas.certificates.models import (
    CERTIFICATE_KIND,
    Certificate,
    CertificateReport,
)
from homelab_agent.areas.certificates.store import CertificateStore
from homelab_agent.areas.certificates.watched import Origin, Place, Watched
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import Conflict
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Resources

MOST_WATCHED = 1000
MOST_SHELVED = 1000

_log = get_logger(__name__)


class CertificateBoard:
    """What is watched. What was found once and is not there now is shelved: it may come back."""

    def __init__(self, store: CertificateStore, resources: Resources, clock: Clock) -> None:
        self._store = store
        self._resources = resources
        self._clock = clock
        self._events = CertificateEvents(resources, clock)
        self._watched: dict[str, Watched] = {}
        self._shelf: dict[str, Watched] = {}
        self._found: dict[Origin, dict[str, Place]] = {}
        # What is stored and what is held change together.
        self._changing = asyncio.Lock()

    async def load(self) -> None:
        """Take up what was known when the agent ended, and tell what was not told then.

        What had been found is shown as before, until `found` says what of it is there now.
        """
        for known in await self._store.load():
            watched = await self._tell(known) if known.untold else known
            kept = self._shelf if watched.is_shelved else self._watched
            kept[watched.place.key] = watched
        self.refresh()
        await self._trim_shelf()

    def get(self, key: str) -> Watched | None:
        """Return what is known of a place that is watched."""
        return self._watched.get(key)

    def all(self) -> tuple[Watched, ...]:
        """Return what is known of all places that are watched."""
        return tuple(self._watched.values())

    def shown(self, key: str) -> Certificate | None:
        """Return a place as the wire has it; None before its first look."""
        watched = self._watched.get(key)
        return self._shown(watched, Kinship(self.all())) if watched else None

    async def put(self, place: Place) -> bool:
        """Watch a place from now on; return whether that is new.

        Raises:
            Conflict: too many are watched already.
        """
        async with self._changing:
            return await self._put(place)

    async def remove(self, key: str) -> None:
        """Forget that a person asked for a place; what is found there by itself stays watched."""
        async with self._changing:
            await self._store.remove(key)
            self._withdraw(key)
            for places in self._found.values():
                if key in places:
                    await self._put(places[key])

    async def found(self, origin: Origin, places: Iterable[Place]) -> None:
        """Watch exactly these of what was found in one way; what a person asked for stays."""
        wanted = {place.key: place for place in places}
        async with self._changing:
            self._found[origin] = wanted
            for watched in self.all():
                if watched.place.origin is origin and watched.place.key not in wanted:
                    await self._shelve(watched)
            for place in wanted.values():
                await self._put_found(place)

    async def take(self, key: str, report: CertificateReport) -> None:
        """Take over what a look found, unless nobody wants to know any more."""
        async with self._changing:
            before = self._watched.get(key)
            if before is None:
                return
            after, news = take(before, report)
            events = tuple(
                self._events.make(after, each, report.checked_at)
                for each in self._of_interest(after, news)
            )
            after = after.model_copy(update={"untold": events})
            # Stored before it is told: killed in between, the agent tells it after its restart.
            await self._store.save(after)
            self._watched[key] = after
            self._publish_kin(after)
            if events:
                self._watched[key] = await self._tell(after)

    def refresh(self) -> None:
        """Publish what the time alone has changed; remove events of what is gone for a while."""
        kinship = Kinship(self.all())
        for watched in self.all():
            self._publish(watched, kinship)
        self._events.remove_due(self._clock())

    async def _put(self, place: Place) -> bool:
        known = self._watched.get(place.key)
        if known is None and len(self._watched) >= MOST_WATCHED:
            raise Conflict(
                f"{MOST_WATCHED} certificates are watched already.",
                hint="Remove one that you do not need.",
            )
        before = known or self._shelf.get(place.key) or Watched(place=place)
        watched = before.model_copy(update={"place": place, "is_shelved": False})
        if known == watched:
            return False
        await self._store.save(watched)
        self._shelf.pop(place.key, None)
        self._watched[place.key] = watched
        self._publish_kin(watched)
        return known is None

    async def _put_found(self, place: Place) -> None:
        known = self._watched.get(place.key)
        if known is not None and known.place.origin is not place.origin:
            return
        try:
            await self._put(place)
        except Conflict as error:
            _log.warning("certificate_not_watched", key=place.key, why=error.message)

    async def _shelve(self, watched: Watched) -> None:
        """Watch a place no longer, but know it again when it comes back."""
        shelved = watched.model_copy(update={"is_shelved": True})
        await self._store.save(shelved)
        self._shelf[watched.place.key] = shelved
        self._withdraw(watched.place.key)
        await self._trim_shelf()

    async def _tell(self, watched: Watched) -> Watched:
        """Publish what is not told yet; return what is known then."""
        for event in watched.untold:
            self._events.publish(event)
        told = watched.model_copy(update={"untold": ()})
        await self._store.save(told)
        return told

    def _of_interest(self, after: Watched, news: Iterable[News]) -> Iterator[News]:
        """Leave out what is told elsewhere: where it is seen too, or by the renewal."""
        kinship = Kinship({**self._watched, after.place.key: after}.values())
        if kinship.is_seen_elsewhere(after):
            return
        kept = kinship.kept_as(after)
        is_renewed = kept is not None and kept.place.kept_valid
        yield from (each for each in news if not (is_renewed and each.type in OF_THE_LADDER))

    def _shown(self, watched: Watched, kinship: Kinship) -> Certificate | None:
        if kinship.is_seen_elsewhere(watched):
            return None
        return watched.shown(self._clock(), kinship.kept_as(watched))

    def _publish(self, watched: Watched, kinship: Kinship) -> None:
        shown = self._shown(watched, kinship)
        if shown is not None:
            self._resources.publish(CERTIFICATE_KIND, shown.key, shown)
        else:
            self._resources.remove(CERTIFICATE_KIND, watched.place.key)

    def _publish_kin(self, changed: Watched) -> None:
        """Publish one that changed, and those that are shown otherwise because of it."""
        kinship = Kinship(self.all())
        is_kept = changed.place.origin is Origin.MANAGED
        for each in self.all():
            is_it = each.place.key == changed.place.key
            if is_kept or is_it or each.place.origin is Origin.MANAGED:
                self._publish(each, kinship)

    def _withdraw(self, key: str) -> None:
        gone = self._watched.pop(key, None)
        if gone is not None:
            self._resources.remove(CERTIFICATE_KIND, key)
            self._events.let_go(key)
            self._publish_kin(gone)

    async def _trim_shelf(self) -> None:
        while len(self._shelf) > MOST_SHELVED:
            key = next(iter(self._shelf))
            del self._shelf[key]
            await self._store.remove(key)
