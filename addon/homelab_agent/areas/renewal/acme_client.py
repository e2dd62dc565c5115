"""The library for ACME, made to send its requests over our own connections.

Import it where it is first needed: it is large. Everything in here blocks and runs in a thread.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from acme import challenges, errors, messages
from acme.client import ClientNetwork, ClientV2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from josepy.errors import Error as JoseError
from josepy.json_util import field
from josepy.jwa import ES256
from josepy.jwk import JWK, JWKEC

from homelab_agent.areas.renewal.authority import (
    Account,
    AuthorityAway,
    AuthorityRefused,
    ExternalAccount,
    Order,
    Proof,
    Status,
)
from homelab_agent.areas.renewal.courier import Answer
from homelab_agent.platform.errors import Failed

NONCE_TRIES = 10
"""The library tries twice; an authority that refuses one of five would fail every third order."""

_CHALLENGE_LABEL = "_acme-challenge"
_ALREADY_REVOKED = "alreadyRevoked"
_RATE_LIMITED = "rateLimited"
_EXTERNAL_REQUIRED = "externalAccountRequired"

type Send = Callable[[str, str, Mapping[str, str], bytes | None], Answer]


class AcmeClient:
    """One account with one authority, spoken for by the library."""

    def __init__(self, send: Send, account: Account, directory: Mapping[str, Any]) -> None:
        key = load_pem_private_key(account.key_pem.encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("accounts have keys on a curve")
        self._account = account
        self._key = JWKEC(key=key)
        self._network = _Network(send, self._key, _known(account))
        self._client = _Client(messages.Directory.from_json(dict(directory)), self._network)

    def register(self) -> str:
        """Make the account known, or find it; return its address."""
        external = self._account.external
        with self._in_our_words():
            if external is None:
                return self._register(None)
            if self._account.url is not None:
                # A key of the website may be good for one account only, and this one is there.
                try:
                    return self._register(None)
                except messages.Error as error:
                    if error.code != _EXTERNAL_REQUIRED:
                        raise
            return self._register(self._client.binding(self._key, external))

    def _register(self, binding: dict[str, Any] | None) -> str:
        contact = (f"mailto:{self._account.email}",) if self._account.email else ()
        new = messages.NewRegistration(
            contact=contact, terms_of_service_agreed=True, external_account_binding=binding
        )
        self._network.account = None
        try:
            found = self._client.new_account(new)
        except errors.ConflictError as error:
            found = messages.RegistrationResource(uri=error.location, body=new)
            self._network.account = found
            if self._account.email != self._account.registered_email:
                self._client.tell_contact(error.location, contact)
        return str(found.uri)

    def new_order(self, names: Sequence[str], replaced: str | None = None) -> Order:
        """Begin an order that replaces a certificate (its id of RFC 9773), where there is one.

        An authority may refuse to see it as that, as when another order did so before.
        """
        with self._in_our_words():
            try:
                begun = self._client.begin_order(names, replaced)
            except (messages.Error, errors.ConflictError) as error:
                # Who is told to wait does not ask again at once.
                limited = isinstance(error, messages.Error) and error.code == _RATE_LIMITED
                if replaced is None or limited:
                    raise
                begun = self._client.begin_order(names)
            return self._read(*begun)

    def order(self, url: str) -> Order:
        """Return an order as it is now."""
        with self._in_our_words():
            return self._read(url, self._client.order_at(url))

    def status(self, url: str) -> Status:
        """Return only how an order is."""
        with self._in_our_words():
            return _status(self._client.order_at(url).status)

    def offer(self, proof: Proof) -> None:
        """Tell that the value is there to be looked at."""
        with self._in_our_words():
            body = self._client.authorization_at(proof.url)
            challenge = _dns_challenge(body)
            if challenge is not None and _status(challenge.status) is Status.PENDING:
                self._client.answer_challenge(challenge, challenges.DNS01Response())

    def give_up(self, proof: Proof) -> None:
        """Tell that nobody will prove this."""
        with self._in_our_words():
            body = self._client.authorization_at(proof.url)
            self._client.deactivate_authorization(
                messages.AuthorizationResource(body=body, uri=proof.url)
            )

    def finalize(self, url: str, csr_pem: bytes) -> None:
        """Ask for the certificate of an order that is ready."""
        with self._in_our_words():
            body = self._client.order_at(url)
            self._client.begin_finalization(
                messages.OrderResource(body=body, uri=url, csr_pem=csr_pem)
            )

    def chain(self, url: str) -> str:
        """Return the certificate of an order that is valid, and its chain (PEM)."""
        with self._in_our_words():
            return self._client.chain_of(self._client.order_at(url))

    def revoke(self, certificate_pem: str, reason: int) -> None:
        """Revoke a certificate; one that is revoked already is fine."""
        try:
            certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        except ValueError as error:
            raise Failed(
                "The file of the certificate is damaged.", hint="Renew it: that writes it anew."
            ) from error
        with self._in_our_words():
            try:
                self._client.revoke(certificate, reason)
            except messages.Error as error:
                if error.code != _ALREADY_REVOKED:
                    raise

    def _read(self, url: str, body: messages.Order) -> Order:
        proofs = tuple(
            self._proof(each, self._client.authorization_at(each)) for each in body.authorizations
        )
        return Order(
            url=url,
            status=_status(body.status),
            proofs=proofs,
            says=_words(body.error) if body.error else None,
        )

    def _proof(self, url: str, body: messages.Authorization) -> Proof:
        challenge, name = _dns_challenge(body), body.identifier.value
        value = challenge.chall.validation(self._network.key) if challenge else None
        failed = [each.error for each in body.challenges if each.error is not None]
        return Proof(
            url=url,
            name=name,
            status=_status(body.status),
            txt_name=f"{_CHALLENGE_LABEL}.{name}",
            txt_value=value,
            offered=challenge is not None and _status(challenge.status) is not Status.PENDING,
            says="; ".join(map(_words, failed)) or None,
            kind=_kind(failed[0]) if failed else None,
        )

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        """Turn what the library raises into what the rest of the agent understands."""
        try:
            yield
        except messages.Error as error:
            raise AuthorityRefused(
                _kind(error), _words(error), retry_after_s=self._network.retry_after_s()
            ) from error
        except errors.ConflictError as error:
            raise AuthorityRefused("conflict", "there is such a thing already") from error
        except (errors.Error, JoseError, ValueError, KeyError, AttributeError) as error:
            raise AuthorityAway(
                f"What {self._account.directory} answers is not understood: "
                f"{self._network.summary()}",
                hint="Look whether that is the address of the directory of an ACME authority.",
            ) from error


class _Network(ClientNetwork):
    """Sends what the library has to say by our own connections, which have guard and deadline."""

    def __init__(self, send: Send, key: JWK, account: messages.RegistrationResource | None) -> None:
        super().__init__(key, account, alg=ES256)
        self._send = send
        self._last: Answer | None = None

    def post(self, *args: Any, **kwargs: Any) -> requests.Response:  # as the library has it
        """Post, and post again with a new nonce where the authority does not like the first."""
        for _ in range(NONCE_TRIES - 1):
            try:
                return self._post_once(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        return self._post_once(*args, **kwargs)

    def retry_after_s(self) -> float | None:
        """Return for how long the last answer wants to be left alone."""
        header = self._last.headers.get("Retry-After") if self._last else None
        return None if header is None else retry_seconds(header)

    def summary(self) -> str:
        """Return the last answer in short."""
        last = self._last
        return "nothing" if last is None else f"{last.status}, {len(last.body)} bytes"

    def _send_request(self, method: str, url: str, *_args: Any, **kwargs: Any) -> requests.Response:
        data: str | None = kwargs.get("data")
        headers: Mapping[str, str] = kwargs.get("headers") or {}
        answer = self._send(method, url, headers, None if data is None else data.encode())
        self._last = answer
        response = requests.Response()
        response.status_code = answer.status
        for name in answer.headers:
            response.headers[name] = ", ".join(answer.headers.getall(name))
        response.encoding = "utf-8"
        response.url = url
        response._content = answer.body  # noqa: SLF001 - there is no other way to make one
        return response


class _NewOrder(messages.NewOrder):
    """An order that may replace a certificate (RFC 9773, 5): limits do not count it then."""

    replaces: str | None = field("replaces", omitempty=True)


class _Client(ClientV2):
    """The library's client in single questions: its own loops sleep by the wall clock."""

    def begin_order(
        self, names: Sequence[str], replaced: str | None = None
    ) -> tuple[str, messages.Order]:
        """Return the address of a new order, and the order."""
        identifiers = [
            messages.Identifier(typ=messages.IDENTIFIER_FQDN, value=name) for name in names
        ]
        order = _NewOrder(identifiers=identifiers, replaces=replaced)
        response = self._post(self.directory["newOrder"], order)
        return response.headers["Location"], messages.Order.from_json(response.json())

    def order_at(self, url: str) -> messages.Order:
        """Return an order as it is now."""
        found: messages.Order = messages.Order.from_json(self._post_as_get(url).json())
        return found

    def authorization_at(self, url: str) -> messages.Authorization:
        """Return what has to be proven."""
        found: messages.Authorization = messages.Authorization.from_json(
            self._post_as_get(url).json()
        )
        return found

    def chain_of(self, order: messages.Order) -> str:
        """Return certificate and chain of an order that is valid."""
        return str(self._post_as_get(order.certificate).text)

    def binding(self, key: JWK, external: ExternalAccount) -> dict[str, Any]:
        """Return the proof that an account of the authority's website is ours."""
        found: dict[str, Any] = messages.ExternalAccountBinding.from_data(
            key.public_key(), external.key_id, external.hmac_key, self.directory
        )
        return found

    def tell_contact(self, url: str, contact: tuple[str, ...]) -> None:
        """Tell another address of the person who orders."""
        self._post(url, messages.UpdateRegistration(contact=contact))


def _known(account: Account) -> messages.RegistrationResource | None:
    if account.url is None:
        return None
    return messages.RegistrationResource(uri=account.url, body=messages.Registration())


def _dns_challenge(body: messages.Authorization) -> messages.ChallengeBody | None:
    for each in body.challenges:
        if isinstance(each.chall, challenges.DNS01):
            return each
    return None


def _status(status: messages.Status | None) -> Status:
    try:
        return Status(status.name) if status is not None else Status.PENDING
    except ValueError:
        return Status.UNKNOWN


def _kind(error: messages.Error) -> str:
    return error.code or str(error.typ).rpartition(":")[2]


def _words(error: messages.Error) -> str:
    """Return the authority's own words, with those about each name."""
    own = error.detail or error.title or error.description or str(error.typ)
    parts = [
        f"{each.identifier.value}: {_words(each)}" if each.identifier else _words(each)
        for each in error.subproblems or ()
    ]
    return "; ".join([own, *parts])


def retry_seconds(header: str) -> float | None:
    """Return for how long a header `Retry-After` wants one to wait; None where it does not say."""
    header = header.strip()
    if header.isascii() and header.isdecimal():
        return float(header)
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max((when - datetime.now(when.tzinfo)).total_seconds(), 0.0)
