"""Real authorities: the library for ACME in threads of its own, its requests over the loop."""

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import aiohttp
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from homelab_agent.areas.renewal.authority import (
    Account,
    AuthorityAway,
    ClockIsOff,
    Order,
    Proof,
    RenewalInfo,
    Status,
)
from homelab_agent.areas.renewal.courier import Answer, Courier
from homelab_agent.areas.renewal.key_loader import load_key_tools
from homelab_agent.areas.renewal.models import RevocationReason
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.outbound.http import OutboundHttp
from homelab_agent.platform.outbound.reasons import why_not
from homelab_agent.platform.outbound.tls_contexts import TlsContexts

if TYPE_CHECKING:
    from homelab_agent.areas.renewal.acme_client import AcmeClient

MOST_CLOCK_DIFFERENCE_S = 15 * 60
ASK_AGAIN_S = 6 * 3600.0
SOONEST_ASK_S, LATEST_ASK_S = 60.0, 24 * 3600.0
_THREADS = 4
_OK = 200

# RFC 5280, 5.3.1.
_REASONS = {
    RevocationReason.UNSPECIFIED: 0,
    RevocationReason.KEY_COMPROMISE: 1,
    RevocationReason.SUPERSEDED: 4,
    RevocationReason.CESSATION_OF_OPERATION: 5,
}

# X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED.
_ABOUT_TIME = frozenset({9, 10})


class _Window(BaseModel):
    start: AwareDatetime
    end: AwareDatetime


class _RenewalAnswer(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    window: _Window = Field(alias="suggestedWindow")
    explanation: str | None = Field(default=None, alias="explanationURL")


class AcmeAuthority:
    """Authorities by the address of their directory."""

    def __init__(self, http: OutboundHttp, tls: TlsContexts, clock: Clock) -> None:
        self._http = http
        self._tls = tls
        self._clock = clock
        # Not the loop's own: what waits in here must not keep others from reading a file.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="acme")

    async def terms_url(self, directory: str, authority_pem: str | None) -> str | None:
        """Return where its terms are to be read."""
        meta = (await self._directory(directory, authority_pem)).get("meta")
        found = meta.get("termsOfService") if isinstance(meta, dict) else None
        return found if isinstance(found, str) else None

    async def open(self, account: Account) -> AcmeSession:
        """Return what can be asked by an account."""
        known = await self._directory(account.directory, account.authority_pem)
        context = await self._context(account.authority_pem)
        return AcmeSession(lambda: Courier(self._http, context), self._threads, account, known)

    async def renewal_info(
        self, directory: str, authority_pem: str | None, certificate_pem: str
    ) -> RenewalInfo | None:
        """Return when a certificate is to be renewed; None where the authority does not say."""
        base = (await self._directory(directory, authority_pem)).get("renewalInfo")
        if not isinstance(base, str):
            return None
        tools = await load_key_tools()
        certificate_id = await asyncio.to_thread(tools.ari_id, certificate_pem)
        if certificate_id is None:
            return None
        answer = await self._get(f"{base.rstrip('/')}/{certificate_id}", authority_pem)
        if answer.status != _OK:
            raise AuthorityAway(f"{base} answered {answer.status}.")
        try:
            found = _RenewalAnswer.model_validate_json(answer.body)
        except ValidationError as error:
            raise AuthorityAway(f"What {base} answers is no renewal information.") from error
        return RenewalInfo(
            start=found.window.start,
            end=max(found.window.start, found.window.end),
            ask_again_s=_ask_again_s(answer),
            explanation=found.explanation,
        )

    async def _directory(self, url: str, authority_pem: str | None) -> Mapping[str, Any]:
        answer = await self._get(url, authority_pem)
        self._require_same_time(url, answer)
        if answer.status != _OK:
            raise AuthorityAway(f"{url} answered {answer.status} instead of its directory.")
        try:
            found: object = json.loads(answer.body)
        except ValueError:
            found = None
        if not isinstance(found, dict) or "newOrder" not in found:
            raise AuthorityAway(
                f"What is at {url} is no directory of an ACME authority.",
                hint="Correct the address of the directory.",
            )
        return found

    async def _get(self, url: str, authority_pem: str | None) -> Answer:
        courier = Courier(self._http, await self._context(authority_pem))
        try:
            return await courier.fetch("GET", url)
        except aiohttp.ClientConnectorCertificateError as error:
            await self._blame_clock(url, error)
            raise away(url, error) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise away(url, error) from error

    async def _context(self, authority_pem: str | None) -> ssl.SSLContext:
        if authority_pem is None:
            return await self._tls.get(verify=True)
        try:
            return await self._tls.trusting(authority_pem)
        except (ssl.SSLError, ValueError) as error:
            raise Invalid(
                "The authority of the directory is no certificate in PEM.", field="authority_pem"
            ) from error

    async def _blame_clock(self, url: str, error: aiohttp.ClientConnectorCertificateError) -> None:
        """Raise `ClockIsOff` where a wrong clock makes a good certificate look bad.

        Whoever answers is not known then; nothing but the time is taken from the answer.
        """
        cause = error.certificate_error
        if not (
            isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_code in _ABOUT_TIME
        ):
            return
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            courier = Courier(self._http, await self._tls.get(verify=False))
            self._require_same_time(url, await courier.fetch("GET", url))

    def _require_same_time(self, url: str, answer: Answer) -> None:
        theirs = _date(answer)
        if theirs is None:
            return
        off_s = (self._clock() - theirs).total_seconds()
        if abs(off_s) > MOST_CLOCK_DIFFERENCE_S:
            way = "ahead" if off_s > 0 else "behind"
            raise ClockIsOff(
                f"The clock of this machine is off by {_span(abs(off_s))}: it is {way} of {url}'s.",
                hint="Set the clock, and have it kept right by NTP (timedatectl set-ntp true).",
            )


class AcmeSession:
    """What can be asked by one account; one question after the other."""

    def __init__(
        self,
        courier: Callable[[], Courier],
        threads: ThreadPoolExecutor,
        account: Account,
        directory: Mapping[str, Any],
    ) -> None:
        self._courier = courier
        self._threads = threads
        self._account = account
        self._directory = directory
        self._client: AcmeClient | None = None
        self._carrying: Courier | None = None
        self._asking = asyncio.Lock()

    async def register(self) -> str:
        """Make the account known, or find it; return its address."""
        return await self._ask(lambda client: client.register())

    async def new_order(self, names: Sequence[str], replaces: str | None = None) -> Order:
        """Begin an order; `replaces` is the certificate (PEM) that it renews."""
        tools = await load_key_tools()
        asks_when = replaces is not None and "renewalInfo" in self._directory
        replaced = await asyncio.to_thread(tools.ari_id, replaces or "") if asks_when else None
        return await self._ask(lambda client: client.new_order(names, replaced))

    async def order(self, url: str) -> Order:
        """Return an order as it is now."""
        return await self._ask(lambda client: client.order(url))

    async def status(self, url: str) -> Status:
        """Return only how an order is: one question, however many names it has."""
        return await self._ask(lambda client: client.status(url))

    async def offer(self, proof: Proof) -> None:
        """Tell that the value is there to be looked at."""
        await self._ask(lambda client: client.offer(proof))

    async def give_up(self, proof: Proof) -> None:
        """Tell that nobody will prove this."""
        await self._ask(lambda client: client.give_up(proof))

    async def finalize(self, url: str, csr_pem: bytes) -> None:
        """Ask for the certificate of an order that is ready."""
        await self._ask(lambda client: client.finalize(url, csr_pem))

    async def chain(self, url: str) -> str:
        """Return the certificate of an order that is valid, and its chain (PEM)."""
        return await self._ask(lambda client: client.chain(url))

    async def revoke(self, certificate_pem: str, reason: RevocationReason) -> None:
        """Revoke a certificate; one that is revoked already is fine."""
        await self._ask(lambda client: client.revoke(certificate_pem, _REASONS[reason]))

    async def _ask[Result](self, question: Callable[[AcmeClient], Result]) -> Result:
        async with self._asking:
            courier = self._carrying = self._courier()
            work = asyncio.get_running_loop().run_in_executor(self._threads, self._put, question)
            try:
                return await work
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                raise away(self._account.directory, error) from error
            finally:
                # Who was cancelled leaves no thread behind that waits for an answer.
                courier.recall()

    def _put[Result](self, question: Callable[[AcmeClient], Result]) -> Result:
        """Ask, in a thread."""
        if self._client is None:
            from homelab_agent.areas.renewal.acme_client import AcmeClient  # noqa: PLC0415

            self._client = AcmeClient(self._send, self._account, self._directory)
        return question(self._client)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        if self._carrying is None:
            raise CancelledError
        return self._carrying.send(method, url, headers, body)


def away(url: str, error: Exception) -> AuthorityAway:
    """Return the error that says why an authority cannot be reached."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return AuthorityAway(
            f"The certificate of {url} itself is not trusted: {error.certificate_error}",
            hint="Give its authority as authority_pem of the account, or in trusted_ca_file.",
        )
    return AuthorityAway(
        f"{url} cannot be reached: {why_not(error)}",
        hint="Look at the connection to the internet and at the authority's status page.",
    )


def _ask_again_s(answer: Answer) -> float:
    header = answer.headers.get("Retry-After", "").strip()
    wanted = float(header) if header.isascii() and header.isdecimal() else ASK_AGAIN_S
    return min(max(wanted, SOONEST_ASK_S), LATEST_ASK_S)


def _date(answer: Answer) -> datetime | None:
    try:
        found = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _span(seconds: float) -> str:
    for unit, unit_s in (("days", 86400), ("hours", 3600)):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{seconds / 60:.0f} minutes"
