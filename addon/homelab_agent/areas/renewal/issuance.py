"""Getting a certificate, step by step. Each step stands being repeated, also after a crash."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from homelab_agent.areas.renewal.accounts import Accounts
from homelab_agent.areas.renewal.authority import (
    AuthorityRefused,
    ClockIsOff,
    Order,
    Proof,
    Session,
    Status,
)
from homelab_agent.areas.renewal.book import CertificateBook
from homelab_agent.areas.renewal.challenges import Challenges
from homelab_agent.areas.renewal.files import CERTIFICATE, CertificateFolders
from homelab_agent.areas.renewal.hand_over import HandingOver
from homelab_agent.areas.renewal.kept import Issued, KeptCertificate, PendingOrder
from homelab_agent.areas.renewal.key_loader import load_key_tools
from homelab_agent.areas.renewal.keys import Bundle, CertificateFacts
from homelab_agent.areas.renewal.models import (
    AcmeStep,
    KeyType,
    ManagedCertificateEventType,
)
from homelab_agent.areas.renewal.timing import at_a_third
from homelab_agent.areas.renewal.trouble import Troubles
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import AgentError, Failed, TimedOut
from homelab_agent.platform.jobs.progress import report
from homelab_agent.platform.vault import SecretUnreadable, Vault

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 4.0

_GOES_ON = frozenset({Status.PENDING, Status.READY, Status.PROCESSING, Status.VALID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for others."""

    propagation_s: float = 900.0
    validation_s: float = 180.0
    finalize_s: float = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What getting a certificate takes."""

    book: CertificateBook
    accounts: Accounts
    challenges: Challenges
    folders: CertificateFolders
    handing: HandingOver
    troubles: Troubles
    vault: Vault
    clock: Clock


class Issuance:
    """Takes the steps. Where an order stands is asked of the authority, and never assumed."""

    def __init__(self, parts: Parts, patience: Patience) -> None:
        self._parts = parts
        self._book = parts.book
        self._patience = patience
        self._sessions: dict[str, Session] = {}
        self._steps: dict[AcmeStep, Callable[[str], Awaitable[bool]]] = {
            AcmeStep.ACCOUNT: self._account,
            AcmeStep.ORDER: self._order,
            AcmeStep.CHALLENGE: self._challenge,
            AcmeStep.PROPAGATION: self._propagation,
            AcmeStep.VALIDATION: self._validation,
            AcmeStep.FINALIZE: self._finalize,
            AcmeStep.STORE: self._store,
            AcmeStep.HAND_OVER: self._hand_over,
        }

    async def do(self, key: str, step: AcmeStep) -> bool:
        """Take a step; return whether there was something to do.

        Raises:
            AgentError: it failed. The certificate knows why and when it is tried again, what stood
                in the DNS is gone or written down to be removed, and files are as before.
        """
        try:
            return await self._take(key, step)
        except AgentError as error:
            raise await self._parts.troubles.note(key, step, error) from error

    async def _take(self, key: str, step: AcmeStep) -> bool:
        """Take a step; without one to follow, nothing is worked on any more."""
        goes_on = False
        self._book.begin(key)
        try:
            needed = await self._steps[step](key)
            goes_on = step is not AcmeStep.HAND_OVER
            return needed
        finally:
            if not goes_on:
                self._end(key)

    def _end(self, key: str) -> None:
        self._sessions.pop(key, None)
        self._book.end(key)

    async def _account(self, key: str) -> bool:
        directory = self._parts.accounts.require_agreed().directory
        record = self._book.get(key)
        if not self._can_go_on(record, directory):
            report(None, "Making a key")
            tools = await load_key_tools()
            key_pem = await asyncio.to_thread(tools.new_key, record.key_type or KeyType.EC_P256)
            pending = PendingOrder(
                directory=directory, sealed_key=self._parts.vault.seal(key_pem, _purpose(key))
            )
            await self._keep(key, pending=pending)
        await self._session(key)
        return True

    def _can_go_on(self, record: KeptCertificate, directory: str) -> bool:
        """Return whether an order was begun there whose key can be read: a backup may lack it."""
        if record.pending is None or record.pending.directory != directory:
            return False
        try:
            self._key_pem(record.key)
        except SecretUnreadable:
            return False
        return True

    async def _order(self, key: str) -> bool:
        pending = self._book.get(key).pending
        if pending is None or pending.chain_pem is not None:
            return False
        session = await self._session(key)
        if pending.order_url is not None and await _goes_on(session, pending.order_url):
            return False
        report(None, "Ordering")
        order = await session.new_order(self._book.get(key).names, await self._replaced(key))
        await self._keep(key, pending=pending.model_copy(update={"order_url": order.url}))
        return True

    async def _replaced(self, key: str) -> str | None:
        """Return the certificate (PEM) that this authority gave out before."""
        record = self._book.get(key)
        if record.issued is None or record.directory != self._required(key).directory:
            return None
        return await self._parts.folders.read(key, CERTIFICATE)

    async def _challenge(self, key: str) -> bool:
        proofs = await self._unproven(key)
        if proofs:
            report(None, "Writing to the DNS")
            await self._parts.challenges.put(key, proofs)
        return bool(proofs)

    async def _propagation(self, key: str) -> bool:
        if not await self._unproven(key):
            return False
        await self._parts.challenges.wait(key, within_s=self._patience.propagation_s)
        return True

    async def _validation(self, key: str) -> bool:
        proofs = await self._unproven(key)
        if proofs:
            session, pending = await self._session(key), self._required(key)
            for proof in proofs:
                if not proof.offered:
                    await session.offer(proof)
            report(None, "The authority looks")
            await self._until_believed(session, pending.order_url or "")
        await self._parts.challenges.clear(key)
        return bool(proofs)

    async def _until_believed(self, session: Session, url: str) -> None:
        late = "The authority has not looked at the proof"
        for pause_s in _pauses(self._patience.validation_s, late):
            status = await session.status(url)
            if status is not Status.PENDING:
                break
            await asyncio.sleep(pause_s)
        if status not in _GOES_ON:
            order = await session.order(url)
            await _give_up(session, order)
            raise _not_believed(order)

    async def _finalize(self, key: str) -> bool:
        pending = self._book.get(key).pending
        if pending is None or pending.chain_pem is not None:
            return False
        report(None, "The authority signs")
        session, url = await self._session(key), pending.order_url or ""
        chain_pem = await self._signed(session, url, key)
        self._check(key, (await self._bundle(key, chain_pem)).facts)
        await self._keep(key, pending=pending.model_copy(update={"chain_pem": chain_pem}))
        return True

    async def _signed(self, session: Session, url: str, key: str) -> str:
        pauses = _pauses(self._patience.finalize_s, "The authority has not signed")
        asked = False
        while (status := await session.status(url)) is not Status.VALID:
            if status not in _GOES_ON:
                order = await session.order(url)
                raise AuthorityRefused("malformed", order.says or "the order has ended")
            if status is Status.READY and not asked:
                await self._ask_to_sign(session, url, key)
                asked = True
            else:
                await asyncio.sleep(next(pauses))
        return await session.chain(url)

    async def _ask_to_sign(self, session: Session, url: str, key: str) -> None:
        tools = await load_key_tools()
        request = await asyncio.to_thread(
            tools.signing_request, self._key_pem(key), self._book.get(key).names
        )
        await session.finalize(url, request)

    async def _store(self, key: str) -> bool:
        pending = self._book.get(key).pending
        if pending is None or pending.chain_pem is None:
            return False
        bundle = await self._bundle(key, pending.chain_pem)
        version = await self._parts.folders.stage(key, bundle)
        await self._parts.folders.switch(key, version)
        issued = issued_from(bundle.facts, version, self._parts.clock)
        kept = {
            "pending": None,
            "failure": None,
            "revoked_at": None,
            "directory": pending.directory,
            "issued": issued,
            "window": None,
            "renew_at": at_a_third(issued),
            "handed": None,
        }
        types = ManagedCertificateEventType
        await self._book.change(
            key,
            lambda now: self._book.with_event(
                now.model_copy(update=kept), types.RENEWED if now.issued else types.ISSUED
            ),
        )
        return True

    async def _hand_over(self, key: str) -> bool:
        if self._parts.handing.is_complete(self._book.get(key)):
            return False
        await self._parts.handing.give(key)
        await self._keep(key, failure=None)
        return True

    async def _unproven(self, key: str) -> tuple[Proof, ...]:
        pending = self._book.get(key).pending
        if pending is None or pending.chain_pem is not None or pending.order_url is None:
            return ()
        order = await (await self._session(key)).order(pending.order_url)
        return tuple(each for each in order.proofs if each.status is Status.PENDING)

    async def _session(self, key: str) -> Session:
        session = self._sessions.get(key)
        if session is None:
            session = await self._parts.accounts.session(self._required(key).directory)
            self._sessions[key] = session
        return session

    async def _bundle(self, key: str, chain_pem: str) -> Bundle:
        tools = await load_key_tools()
        return await asyncio.to_thread(tools.as_issued, chain_pem, self._key_pem(key))

    def _check(self, key: str, facts: CertificateFacts) -> None:
        now, names = self._parts.clock(), self._book.get(key).names
        missing = set(names) - set(facts.names)
        if missing:
            raise Failed(f"The authority left names out: {', '.join(sorted(missing))}.")
        if not facts.not_before <= now < facts.expires_at:
            raise ClockIsOff(
                f"The new certificate is valid from {facts.not_before:%Y-%m-%d %H:%M} to "
                f"{facts.expires_at:%Y-%m-%d %H:%M} UTC, and the clock of this machine says "
                f"{now:%Y-%m-%d %H:%M}.",
                hint="Set the clock, and have it kept right by NTP (timedatectl set-ntp true).",
            )

    def _key_pem(self, key: str) -> str:
        return self._parts.vault.open(self._required(key).sealed_key, _purpose(key))

    def _required(self, key: str) -> PendingOrder:
        pending = self._book.get(key).pending
        if pending is None:
            raise Failed(f"The order of {key} was given up meanwhile.")
        return pending

    async def _keep(self, key: str, **what: object) -> None:
        await self._book.change(key, lambda record: record.model_copy(update=what))


def issued_from(facts: CertificateFacts, version: str, clock: Clock) -> Issued:
    """Return what is kept of a certificate that is in its files now."""
    return Issued(
        version=version,
        issuer=facts.issuer,
        serial=facts.serial,
        fingerprint_sha256=facts.fingerprint_sha256,
        not_before=facts.not_before,
        expires_at=facts.expires_at,
        renewed_at=clock(),
    )


def _pauses(within_s: float, what: str) -> Iterator[float]:
    """Yield growing pauses; `TimedOut` says what has not happened `within_s`."""
    clock = asyncio.get_running_loop().time
    deadline, pause_s = clock() + within_s, _FIRST_PAUSE_S
    while clock() < deadline:
        yield pause_s
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
    raise TimedOut(f"{what} within {within_s:g} s.")


async def _goes_on(session: Session, url: str) -> bool:
    """Return whether an order of before can still be finished."""
    try:
        return await session.status(url) in _GOES_ON
    except AuthorityRefused:
        return False


async def _give_up(session: Session, order: Order) -> None:
    """Leave no open proofs behind: authorities allow only so many."""
    for proof in order.proofs:
        if proof.status is Status.PENDING:
            with suppress(AgentError):
                await session.give_up(proof)


def _not_believed(order: Order) -> AuthorityRefused:
    refused = [each for each in order.proofs if each.status is Status.INVALID]
    if not refused:
        return AuthorityRefused("malformed", order.says or "the order has ended")
    says = "; ".join(f"{each.name}: {each.says or 'no reason given'}" for each in refused)
    return AuthorityRefused(refused[0].kind or "unauthorized", says)


def _purpose(key: str) -> str:
    return f"certificate {key}"
