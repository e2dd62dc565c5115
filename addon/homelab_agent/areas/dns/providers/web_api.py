"""Asks the HTTP API of a provider: bounded in time and size, and never twice by itself."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json
from yarl import URL

from homelab_agent.areas.dns.providers.errors import ApplyUncertain, ProviderAway, ProviderBusy
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.platform.errors import AgentError, Invalid
from homelab_agent.platform.outbound.connections import where
from homelab_agent.platform.outbound.guard import GuardedAddress
from homelab_agent.platform.outbound.http import Attempt, HttpRequest, Stage

DEADLINE_S = 20.0
MOST_BYTES = 16 * 1024 * 1024
USUAL_WAIT_S = 60.0
"""How long to leave a provider alone that does not say for how long."""

_MOST_WAIT_S = 86_400.0
_MOST_WORDS = 300
_SECONDS = re.compile(r"-?[0-9]{1,12}(\.[0-9]*)?")
_SENT = {Stage.ANSWER, Stage.BODY}
_SAID_OF: Mapping[type[Exception], str] = {
    aiohttp.ClientConnectorCertificateError: "has a certificate that is not trusted",
    aiohttp.ClientConnectorDNSError: "was not found by its name",
    aiohttp.ClientConnectorError: "cannot be reached",
    aiohttp.ClientPayloadError: "did not end its answer as it began it",
    aiohttp.ClientError: "ended the connection without an answer",
    OSError: "cannot be reached, or was not found by its name",
}


class Said(BaseModel):
    """A part of an answer; what else is in it does not matter."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAnswer:
    """What was answered. `changes`: it is the answer to a request that changes something."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    place: str
    changes: bool

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")

    @property
    def words(self) -> str:
        """The beginning of the body, as it can be shown to a person."""
        return shown_words(self.text)

    def read[Part: Said](self, part: type[Part]) -> Part:
        """Return what it says.

        Raises:
            ProviderAway, ApplyUncertain: it is not what this API answers.
        """
        try:
            return part.model_validate_json(self.body)
        except ValidationError:
            raise self.unreadable() from None

    def read_all[Part: Said](self, part: type[Part]) -> tuple[Part, ...]:
        """Return the parts of a list; raises as `read` does."""
        try:
            listed = from_json(self.body)
            if isinstance(listed, list):
                return tuple(part.model_validate(each) for each in listed)
        except ValueError:  # no JSON, or another one
            pass
        raise self.unreadable()

    def unreadable(self) -> AgentError:
        """Return the error for an answer that is not one of this API."""
        return self.trouble("answered with something else than its API does")

    def trouble(self, what: str) -> AgentError:
        """Return the error for an answer that does not say whether anything was done."""
        return _trouble(f"{self.place} {what} ({self.status}).", changes=self.changes)


class WebApi:
    """The API at an address. `headers` may be secret: they are in no error."""

    def __init__(
        self,
        base: str,
        reach: Reach,
        *,
        headers: Mapping[str, str],
        verify_tls: bool = True,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._base = _address(base)
        self._reach = reach
        self._headers = headers
        self._verify_tls = verify_tls
        self._deadline_s = deadline_s
        self.place = where(self._base.raw_host or "", self._base.port or 0)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        changes: bool,
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> ApiAnswer:
        """Return the answer to one request; `body` is sent as JSON.

        Raises:
            ProviderAway: it was not asked, or there is nothing to know from its answer.
            ApplyUncertain: the same of a request that `changes` something and went out.
            ProviderBusy: it wants to be asked less often.
        """
        attempt = Attempt()
        try:
            async with asyncio.timeout(self._deadline_s):
                answer = await self._answer(attempt, method, path, query, body, changes=changes)
        except GuardedAddress as error:
            raise ProviderAway(error.message) from error
        except TimeoutError as error:
            raise self._failed(attempt, "did not answer in time", changes=changes) from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._failed(attempt, _what(error), changes=changes) from error
        return _without_trouble(answer)

    async def _answer(
        self,
        attempt: Attempt,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object,
        *,
        changes: bool,
    ) -> ApiAnswer:
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = self._base.joinpath(*path.split("/")[1:]).with_query(query)
        request = HttpRequest(
            url=url,
            method=method,
            headers=headers,
            body=None if body is None else json.dumps(body).encode(),
        )
        context = await self._reach.contexts.get(verify=self._verify_tls)
        async with self._reach.http.request(
            request, attempt, context=context, allow_guarded=False
        ) as response:
            content = bytearray()
            async for chunk in response.content.iter_any():
                content += chunk
                if len(content) > MOST_BYTES:
                    raise aiohttp.ClientPayloadError("the answer is too long")
            return ApiAnswer(
                status=response.status,
                headers=CIMultiDictProxy(CIMultiDict(response.headers)),
                body=bytes(content),
                place=self.place,
                changes=changes,
            )

    def _failed(self, attempt: Attempt, what: str, *, changes: bool) -> AgentError:
        return _trouble(f"{self.place} {what}.", changes=changes and attempt.stage in _SENT)


def _address(base: str) -> URL:
    # No word of it is told: whoever puts a key into it would find that in everybody's activity.
    try:
        url = URL(base.rstrip("/"))
    except ValueError:
        raise _no_address() from None
    if url.raw_query_string or url.raw_fragment:
        raise _no_address()
    return url


def _no_address() -> Invalid:
    return Invalid(
        "That is no address of an API",
        field="settings.url",
        hint="Write it as https://dns.example.org:8081, without a question mark",
    )


def shown_words(text: str) -> str:
    """Return the beginning of a stranger's text, fit to be shown: on one line, and short."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text[: _MOST_WORDS * 2])
    return " ".join(clean.split())[:_MOST_WORDS]


def _without_trouble(answer: ApiAnswer) -> ApiAnswer:
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise ProviderBusy(
            f"{answer.place} wants to be asked less often: {answer.words}",
            retry_after_s=_wait_s(answer),
        )
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise answer.trouble("is in trouble")
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        raise answer.trouble("sends us elsewhere. Is its address right?")
    return answer


def _wait_s(answer: ApiAnswer) -> float:
    told = answer.headers.get("Retry-After", "").strip()
    if not _SECONDS.fullmatch(told):  # none, or a date: nobody of ours answers with one
        return USUAL_WAIT_S
    return min(max(float(told), 1.0), _MOST_WAIT_S)


def _trouble(message: str, *, changes: bool) -> AgentError:
    if changes:
        return ApplyUncertain(
            message, hint="Nobody knows whether it was applied: look what is there now."
        )
    return ProviderAway(message, hint="It is tried again by itself, or try it later.")


def _what(error: Exception) -> str:
    # By its kind and not by its words: those may have the address in them, and that a secret.
    return next((said for kind, said in _SAID_OF.items() if isinstance(error, kind)), "is away")
