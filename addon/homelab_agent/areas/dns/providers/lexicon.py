"""Any provider that dns-lexicon knows, where that library is installed (extra `dns-more`).

What it does is believed only after the zone was listed again. Its code asks the network by itself,
so the addresses among its options are checked before each conversation, as far as they can be
found. It looks names up once more: one that leads elsewhere a moment later is not noticed. Only
admins give such options.
"""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from http import HTTPStatus
from urllib.parse import quote, quote_plus, urlsplit

from homelab_agent.areas.dns.models import Capabilities, Change, LexiconSettings, RecordType
from homelab_agent.areas.dns.providers.differences import read_back, require_unchanged
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    NotOffered,
    ProviderAway,
    ProviderBusy,
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.interface import ZoneContents
from homelab_agent.areas.dns.providers.lexicon_calls import LexiconCalls, Progress
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.areas.dns.providers.records_only import RecordsOnly
from homelab_agent.areas.dns.providers.web_api import USUAL_WAIT_S, shown_words
from homelab_agent.platform.dns_names import uniform_name
from homelab_agent.platform.errors import AgentError, NotFound
from homelab_agent.platform.lone_thread import LoneThread, StillHangs
from homelab_agent.platform.outbound.guard import GuardedAddress

DEADLINE_S = 45.0
"""For a conversation; many of its providers make several requests for one record."""

TYPES = (RecordType.A, RecordType.AAAA, RecordType.CNAME, RecordType.TXT)

_LIMITS = (
    "Through dns-lexicon only A, AAAA, CNAME and TXT records are written, one after the other, and "
    "the provider decides the TTL: for more, its providers are too different."
)
_REFUSED = {
    "ddns": "its driver of signed updates takes a refusal for a success",
    "rfc2136": "its driver of signed updates takes a refusal for a success",
    "auto": "it guesses the provider by questions to the Internet",
    "localzone": "it writes files of the agent's machine",
}
_PLACES = ("url", "uri", "host", "server", "endpoint", "address", "domain")
"""What options are called that say where a provider is."""


class LexiconProvider(RecordsOnly):
    """See `Provider`."""

    capabilities = Capabilities(
        lists=True, types=TYPES, sets_ttl=False, atomic=False, limits=_LIMITS
    )

    def __init__(
        self, settings: LexiconSettings, reach: Reach, *, deadline_s: float = DEADLINE_S
    ) -> None:
        if settings.provider in _REFUSED:
            raise NotOffered(
                f"The provider {settings.provider} of dns-lexicon is not used: "
                f"{_REFUSED[settings.provider]}",
                field="settings.provider",
                hint="For signed updates add a provider of the type rfc2136.",
            )
        self._name = settings.provider
        self._outbound = reach.outbound
        self._options = {
            name: secret.get_secret_value() for name, secret in settings.options.items()
        }
        self._zones = tuple(
            uniform_name(zone, field=f"settings.zones.{number}")
            for number, zone in enumerate(settings.zones)
        )
        self._calls = LexiconCalls(settings.provider, self._options)
        self._thread = LoneThread(f"dns-lexicon {settings.provider}", within_s=deadline_s)

    async def zones(self) -> tuple[str, ...]:
        """See `Provider.zones`."""
        for zone in self._zones:
            await self._call(lambda zone=zone: self._calls.sign_in(zone))  # type: ignore[misc]
        return self._zones

    async def read(self, zone: str, names: Collection[str] | None) -> ZoneContents:
        """See `Provider.read`."""
        found = await self._call(lambda: self._calls.read(zone))
        return ZoneContents(
            records=tuple(each for each in found if names is None or each.name in names)
        )

    async def apply(self, zone: str, changes: Sequence[Change]) -> None:
        """See `Provider.apply`; the zone is listed before and after."""
        names = {change.name for change in changes}
        require_unchanged((await self.read(zone, names)).records, changes)
        progress = Progress()
        # One after the other, as each conversation has the same deadline.
        for change in changes:
            await self._call(partial(self._calls.write, zone, change, progress), progress)
        found = await read_back(self.read(zone, names))
        held = {(each.name, each.type): each.values for each in found.records}
        for change in changes:
            wanted = tuple(sorted(change.after.values)) if change.after else ()
            there = held.get((change.name, change.type), ())
            if there != wanted:
                raise ApplyUncertain(
                    f"{self._name} says that it is done, but lists {change.name} {change.type} as "
                    f"{', '.join(there) or 'nothing'}.",
                    hint="Look at the provider's own pages what is there.",
                )

    async def _call[Value](
        self, work: Callable[[], Value], progress: Progress | None = None
    ) -> Value:
        progress = progress or Progress()
        try:
            await self._check_places()
            return await self._thread.run(work)
        except AgentError:
            raise
        except StillHangs as error:
            raise ProviderAway(
                f"{self._name} has not come back from an earlier question.",
                hint="It is asked again as soon as it has; a restart of the agent helps, too.",
            ) from error
        except TimeoutError as error:
            raise self._trouble("did not answer in time", progress) from error
        except Exception as error:  # noqa: BLE001 - its providers raise whatever they like
            # Not "from" that: its words may have secrets in them.
            raise self._failure(error, progress) from None

    def _failure(self, error: Exception, progress: Progress) -> AgentError:
        """Return what a provider's own error means."""
        answer = getattr(error, "response", None)
        status = getattr(answer, "status_code", None)
        words = self._without_secrets(getattr(answer, "text", None) or str(error))
        if isinstance(status, int) and not progress.done:
            return self._refusal(status, words, progress)
        if type(error).__name__ == "AuthenticationError":
            return self._not_signed_in(words)
        if progress.begun:
            return self._trouble(f"failed after {progress.done} changes: {words}", progress)
        if isinstance(error, OSError):
            return self._trouble("is not reached", progress)
        return ProviderRefused(f"{self._name} refused ({type(error).__name__}): {words}")

    def _refusal(self, status: int, words: str, progress: Progress) -> AgentError:
        """Return what an HTTP status means to a first call."""
        match status:
            case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
                return self._not_signed_in(words)
            case HTTPStatus.NOT_FOUND if not progress.begun:
                return NotFound(f"{self._name} has no such zone: {words}", field="zone")
            case HTTPStatus.TOO_MANY_REQUESTS:
                return ProviderBusy(
                    f"{self._name} wants to be asked less often: {words}",
                    retry_after_s=USUAL_WAIT_S,
                )
            case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                return self._trouble(f"is in trouble ({status}): {words}", progress)
        return ProviderRefused(f"{self._name} refused ({status}): {words}")

    def _not_signed_in(self, words: str) -> WrongCredentials:
        return WrongCredentials(
            f"{self._name} does not take the options given: {words}",
            hint="Check them against the documentation of dns-lexicon for this provider.",
        )

    def _trouble(self, what: str, progress: Progress) -> AgentError:
        if progress.begun:
            return ApplyUncertain(
                f"{self._name} {what}.",
                hint="Nobody knows whether it was applied: look what is there now.",
            )
        return ProviderAway(
            f"{self._name} {what}.", hint="It is tried again by itself, or try it later."
        )

    def _without_secrets(self, text: str) -> str:
        spellings = {
            spelled
            for secret in self._options.values()
            for spelled in (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1])
            if spelled
        }
        for spelled in sorted(spellings, key=len, reverse=True):
            text = text.replace(spelled, "***")
        return shown_words(text)

    async def _check_places(self) -> None:
        """Refuse what an option would lead to where the agent must not be sent."""
        for name, value in self._options.items():
            if "://" not in value and not any(place in name for place in _PLACES):
                continue
            host, port = _place(value)
            try:
                await self._outbound.targets(host, port, allow_guarded=False)
            except GuardedAddress as error:
                raise ProviderAway(error.message) from error
            except OSError:
                continue  # no name of a host, or unknown: nobody gets there by it


def _place(value: str) -> tuple[str, int]:
    try:
        parts = urlsplit(value if "://" in value else f"//{value}")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return "", 0
    return parts.hostname or "", port
