"""Certificates that the agent keeps valid: what can be asked of them, and told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from homelab_agent.areas.renewal.issuance import Issuance, Parts, issued_from
from homelab_agent.areas.renewal.jobs import (
    DELETE,
    HAND_OVER,
    INSTALL,
    ISSUE,
    RENEW,
    REVOKE,
    InstallArguments,
    KeyArguments,
    RevokeArguments,
    target_of,
)
from homelab_agent.areas.renewal.kept import KeptCertificate
from homelab_agent.areas.renewal.models import (
    AcmeAccount,
    AcmeAccountBody,
    AcmeStep,
    HandOver,
    IssueBody,
    ManagedCertificate,
    ManagedCertificateList,
    ManagedOrigin,
    RevokeBody,
    UploadBody,
)
from homelab_agent.areas.renewal.naming import key_for, uniform_names
from homelab_agent.areas.renewal.shown import covers, is_good
from homelab_agent.areas.renewal.upload import UploadCheck
from homelab_agent.platform.commands import Caller
from homelab_agent.platform.errors import Busy, Conflict, TimedOut, Unavailable
from homelab_agent.platform.jobs.answer import answer
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.progress import report
from homelab_agent.platform.jobs.runner import JobRunner

_LOOK_AGAIN_S = 0.2
_FREE_WITHIN_S = 900.0

_DOING = {
    ISSUE: "being ordered",
    RENEW: "being renewed",
    HAND_OVER: "being handed over",
    INSTALL: "being put in place",
    REVOKE: "being revoked",
    DELETE: "being deleted",
}


class RenewalService:
    """The certificates of the agent, with their keys in its folder."""

    def __init__(
        self, parts: Parts, issuance: Issuance, upload_check: UploadCheck, runner: JobRunner
    ) -> None:
        self._book = parts.book
        self._accounts = parts.accounts
        self._challenges = parts.challenges
        self._folders = parts.folders
        self._handing = parts.handing
        self._clock = parts.clock
        self._issuance = issuance
        self._upload_check = upload_check
        self._runner = runner
        self._obtaining: set[str] = set()

    async def list(self) -> ManagedCertificateList:
        """Return all, the one that ends first first."""
        await self._book.ready()
        shown = [self._book.shown(record) for record in self._book.all()]
        shown.sort(key=lambda each: (each.expires_at is not None, each.expires_at, each.key))
        return ManagedCertificateList(certificates=tuple(shown))

    async def get(self, key: str) -> ManagedCertificate:
        """Return one; `NotFound` names it."""
        await self._book.ready()
        return self._book.shown(self._book.get(key))

    def find_for(self, name: str) -> ManagedCertificate | None:
        """Return a valid certificate that is good for a name; of several the one that ends last."""
        now = self._clock()
        found = [
            (record.issued.expires_at, record.key, record)
            for record in self._book.all()
            if is_good(record, now) and record.issued and covers(record.names, name)
        ]
        return self._book.shown(max(found)[2]) if found else None

    def find(self, key: str) -> ManagedCertificate | None:
        """Return one by its key, good or not."""
        record = self._book.find(key)
        return self._book.shown(record) if record is not None else None

    def obtained_for(self, name: str) -> ManagedCertificate | None:
        """Return what was obtained for a name, and `discard` takes back.

        One for this name alone goes before one that is good for others, too.
        """
        found = [
            (record.names == (name,), record.key, record)
            for record in self._book.all()
            if (record.provisioned or record.before) and covers(record.names, name)
        ]
        return self._book.shown(max(found)[2]) if found else None

    async def issue(self, body: IssueBody, caller: Caller) -> CommandResult:
        """Order a certificate and keep it valid from now on."""
        await self._ready()
        self._accounts.require_agreed()
        names = uniform_names(body.names, field="names")
        key = body.key or key_for(names[0], ())
        known = self._book.find(key)
        if known is not None and (known.issued is not None or known.names != names):
            raise Conflict(
                f"There is a certificate {key} already, for {', '.join(known.names)}.",
                field="key",
                hint=f"Renew it (POST /api/v1/managed-certificates/{key}/renew), delete it first, "
                "or give the new one another key.",
            )
        self._require_free(key)
        await self._require_possible(key, names, body.hand_over)
        await self._book.put(
            (known or KeptCertificate(key=key, names=names, origin=ManagedOrigin.ACME)).model_copy(
                update={"key_type": body.key_type, "hand_over": body.hand_over}
            )
        )
        return await self._start(ISSUE, KeyArguments(key=key), caller, body.wait_s)

    async def renew(self, key: str, caller: Caller, wait_s: float | None) -> CommandResult:
        """Renew a certificate now, also where it is not due."""
        await self._ready()
        record = self._book.get(key)
        if record.origin is ManagedOrigin.UPLOADED:
            raise Conflict(
                f"The certificate {key} was uploaded, so the agent cannot renew it.",
                hint="Upload the new one under the same key.",
            )
        return await self._start(RENEW, KeyArguments(key=key), caller, wait_s)

    async def hand_over(self, key: str, caller: Caller, wait_s: float | None) -> CommandResult:
        """Give a certificate once more to those who did not take it."""
        await self._ready()
        self._book.get(key)
        return await self._start(HAND_OVER, KeyArguments(key=key), caller, wait_s)

    async def revoke(self, key: str, body: RevokeBody, caller: Caller) -> CommandResult:
        """Have the authority revoke a certificate. Its files stay."""
        await self._ready()
        self._book.get(key)
        arguments = RevokeArguments(key=key, reason=body.reason)
        return await self._start(REVOKE, arguments, caller, body.wait_s)

    async def delete(self, key: str, caller: Caller, wait_s: float | None) -> CommandResult:
        """Forget a certificate, and remove its files."""
        await self._ready()
        self._book.get(key)
        return await self._start(DELETE, KeyArguments(key=key), caller, wait_s)

    async def upload(self, body: UploadBody, caller: Caller) -> CommandResult:
        """Keep a certificate of one's own. Its key goes to its file, and nowhere else."""
        await self._ready()
        bundle, note = await self._upload_check.check(body)
        names = bundle.facts.names
        key = body.key or key_for(names[0], ())
        known = self._book.find(key)
        if known is not None and known.origin is not ManagedOrigin.UPLOADED:
            raise Conflict(
                f"The agent renews a certificate {key} itself.",
                field="key",
                hint="Delete that first, or give this one another key.",
            )
        self._require_free(key)
        await self._handing.require_possible(key, body.hand_over)
        version = await self._folders.stage(key, bundle)
        issued = issued_from(bundle.facts, version, self._clock)
        record = KeptCertificate(
            key=key,
            names=names,
            origin=ManagedOrigin.UPLOADED,
            key_type=bundle.facts.key_type,
            hand_over=body.hand_over,
            note=note,
        )
        arguments = InstallArguments(key=key, record=record, issued=issued)
        try:
            return await self._start(INSTALL, arguments, caller, _FREE_WITHIN_S)
        finally:
            # What could not be put in place is not left lying about.
            if not self.is_taken(key) and await self._folders.current(key) is None:
                await self._folders.remove(key)

    async def account(self) -> AcmeAccount:
        """Return with whom certificates are ordered."""
        await self._accounts.ready()
        return self._accounts.shown()

    async def choose_account(self, body: AcmeAccountBody) -> AcmeAccount:
        """Order from this authority from now on."""
        await self._accounts.ready()
        return await self._accounts.choose(body)

    async def obtain(self, body: IssueBody) -> ManagedCertificate:
        """Return a valid certificate for these names, within a step of somebody else's job.

        Whatever is good already is taken; called again it goes on where it was. `discard` takes
        back what it did.

        Raises:
            AgentError: as the step of the order says that failed.
        """
        await self._ready()
        names = uniform_names(body.names, field="names")
        key = self._key_to_obtain(body, names)
        async with self._alone_with(key):
            if not await self._prepare(key, names, body):
                return await self.get(key)
            steps = tuple(AcmeStep)
            for at, step in enumerate(steps):
                report(at / len(steps), f"{step} of {key}")
                await self._issuance.do(key, step)
        return await self.get(key)

    async def discard(self, key: str) -> None:
        """Take back what `obtain` did; what was there before, and since, stays.

        Raises:
            Unavailable: the DNS or the proxy is away; it can be tried again.
        """
        await self._ready()
        async with self._alone_with(key):
            record = self._book.find(key)
            if record is None or not (record.provisioned or record.before):
                return
            if not await self._challenges.clear(key):
                raise Unavailable(
                    f"What proves the names of {key} still stands in the DNS.",
                    hint="See that the DNS provider works.",
                )
            if record.before is not None:
                await self._handing.take_back(record, record.before)
                given_back = {"hand_over": record.before, "before": None}
                await self._book.change(key, lambda now: now.model_copy(update=given_back))
            else:
                await self._handing.take_back(record)
                await self._folders.remove(key)
                await self._book.forget(key)

    def _key_to_obtain(self, body: IssueBody, names: tuple[str, ...]) -> str:
        """Return the certificate that is good for these names, or what a new one is called."""
        if body.key is not None:
            return body.key
        now = self._clock()
        for record in self._book.all():
            fits = all(covers(record.names, name) for name in names)
            if fits and (is_good(record, now) or record.provisioned):
                return record.key
        return key_for(names[0], {record.key for record in self._book.all()})

    async def _prepare(self, key: str, names: tuple[str, ...], body: IssueBody) -> bool:
        """Write down what is wanted; return whether there is anything to do for it."""
        record = self._book.find(key)
        if record is None:
            await self._begin(key, names, body)
            return True
        if not all(covers(record.names, name) for name in names):
            raise Conflict(
                f"There is a certificate {key} already, for {', '.join(record.names)}.",
                field="key",
                hint="Give the new one another key.",
            )
        wanted = _both(record.hand_over, body.hand_over)
        if wanted != record.hand_over:
            await self._handing.require_possible(key, wanted)
            before = None if record.provisioned else record.before or record.hand_over
            asked = {"hand_over": wanted, "handed": None, "before": before}
            record = await self._book.change(key, lambda now: now.model_copy(update=asked))
        if is_good(record, self._clock()) and record.pending is None:
            if not self._handing.is_complete(record):
                await self._issuance.do(key, AcmeStep.HAND_OVER)
            return False
        if record.origin is ManagedOrigin.UPLOADED:
            raise Conflict(
                f"The certificate {key} was uploaded and is not valid any more.",
                field="key",
                hint="Upload the next one under the same key.",
            )
        return True

    async def _begin(self, key: str, names: tuple[str, ...], body: IssueBody) -> None:
        """Write down a certificate that somebody's job makes, and takes back with itself."""
        self._accounts.require_agreed()
        await self._require_possible(key, names, body.hand_over)
        await self._book.put(
            KeptCertificate(
                key=key,
                names=names,
                origin=ManagedOrigin.ACME,
                key_type=body.key_type,
                hand_over=body.hand_over,
                provisioned=True,
            )
        )

    async def _require_possible(
        self, key: str, names: tuple[str, ...], hand_over: HandOver
    ) -> None:
        for at, name in enumerate(names):
            await self._challenges.require_provable(name, field=f"names.{at}")
        await self._handing.require_possible(key, hand_over)

    async def _ready(self) -> None:
        await self._book.ready()
        await self._accounts.ready()

    @asynccontextmanager
    async def _alone_with(self, key: str) -> AsyncIterator[None]:
        """Keep a certificate for oneself, as soon as nobody else is at it."""
        deadline = asyncio.get_running_loop().time() + _FREE_WITHIN_S
        while self.is_taken(key):
            if asyncio.get_running_loop().time() > deadline:
                raise TimedOut(f"The certificate {key} is still being worked on.")
            report(None, f"Waiting until nobody else works on the certificate {key}")
            await asyncio.sleep(_LOOK_AGAIN_S)
        self._obtaining.add(key)
        try:
            yield
        finally:
            self._obtaining.discard(key)

    def is_taken(self, key: str) -> bool:
        """Return whether somebody works on a certificate right now."""
        return key in self._obtaining or self._runner.is_held(target_of(key))

    def _require_free(self, key: str) -> None:
        if self.is_taken(key):
            raise Busy(
                f"The certificate {key} is being worked on.", hint="Wait until that has ended."
            )

    async def _start(
        self, kind: str, arguments: KeyArguments, caller: Caller, wait_s: float | None
    ) -> CommandResult:
        self._require_free(arguments.key)
        job = await self._runner.start(kind, target_of(arguments.key), arguments, caller)
        ended = await self._runner.wait(job.id, wait_s)
        return answer(ended, meanwhile=f"{arguments.key} is still {_DOING[kind]}.")


def _both(known: HandOver, wanted: HandOver) -> HandOver:
    """Return what was wanted before, and what is wanted besides."""
    return HandOver(
        caddy=known.caddy or wanted.caddy,
        folder=wanted.folder or known.folder,
        container=wanted.container or known.container,
        after=wanted.after or known.after,
    )
