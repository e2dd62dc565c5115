"""The commands about certificates as jobs that survive a crash at every step."""

from collections.abc import Awaitable, Callable

from homelab_agent.areas.renewal.files import FULL_CHAIN
from homelab_agent.areas.renewal.issuance import Issuance, Parts
from homelab_agent.areas.renewal.kept import Issued, KeptCertificate
from homelab_agent.areas.renewal.models import (
    AcmeStep,
    ManagedCertificateEventType,
    ManagedOrigin,
    RevocationReason,
)
from homelab_agent.platform.errors import Conflict, Failed
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.model import Model

ISSUE, RENEW = "managed_certificates.issue", "managed_certificates.renew"
HAND_OVER = "managed_certificates.hand_over"
INSTALL = "managed_certificates.upload"
REVOKE, DELETE = "managed_certificates.revoke", "managed_certificates.delete"


class KeyArguments(Model):
    """Which certificate."""

    key: str


class InstallArguments(KeyArguments):
    """What was uploaded; it is in the folder, in a version that nobody sees yet."""

    record: KeptCertificate
    issued: Issued


class RevokeArguments(KeyArguments):
    """Which certificate is revoked, and why."""

    reason: RevocationReason


def target_of(key: str) -> str:
    """Return what a job about a certificate holds."""
    return f"certificate:{key}"


class RenewalJobs:
    """Does the commands."""

    def __init__(self, parts: Parts, issuance: Issuance) -> None:
        self._book = parts.book
        self._accounts = parts.accounts
        self._challenges = parts.challenges
        self._folders = parts.folders
        self._handing = parts.handing
        self._clock = parts.clock
        self._issuance = issuance

    def issuing_kinds(self) -> tuple[JobKind[KeyArguments], ...]:
        """Return how certificates are got, handed over and deleted."""
        steps = tuple(Step(step.value, self._taking(step)) for step in AcmeStep)
        removing = (
            Step("take_back", self._take_back),
            Step("clean_up", self._clean_up),
            Step("remove", self._remove),
        )
        return (
            JobKind(ISSUE, KeyArguments, steps, Recovery.GO_ON),
            JobKind(RENEW, KeyArguments, steps, Recovery.GO_ON),
            JobKind(HAND_OVER, KeyArguments, steps[-1:], Recovery.GO_ON),
            JobKind(DELETE, KeyArguments, removing, Recovery.GO_ON),
        )

    def install_kind(self) -> JobKind[InstallArguments]:
        """Return how what was uploaded is put in place."""
        steps = (
            Step("store", self._install),
            Step("hand_over", self._hand_over_installed),
        )
        return JobKind(INSTALL, InstallArguments, steps, Recovery.GO_ON)

    def revoke_kind(self) -> JobKind[RevokeArguments]:
        """Return how a certificate is revoked."""
        return JobKind(REVOKE, RevokeArguments, (Step("revoke", self._revoke),), Recovery.GO_ON)

    def _taking(
        self, step: AcmeStep
    ) -> Callable[[StepContext[KeyArguments]], Awaitable[StepResult]]:
        async def take(context: StepContext[KeyArguments]) -> StepResult:
            await self._book.ready()
            await self._accounts.ready()
            key = context.arguments.key
            needed = await self._issuance.do(key, step)
            return StepResult(needed=needed, message=self._said(key, step))

        return take

    def _said(self, key: str, step: AcmeStep) -> str | None:
        issued = self._book.get(key).issued
        if step is not AcmeStep.HAND_OVER or issued is None:
            return None
        return f"The certificate {key} is valid until {issued.expires_at:%Y-%m-%d}."

    async def _install(self, context: StepContext[InstallArguments]) -> StepResult:
        await self._book.ready()
        arguments = context.arguments
        before, record = self._book.find(arguments.key), arguments.record
        await self._folders.switch(arguments.key, arguments.issued.version)
        if before is not None and before.issued == arguments.issued:
            return StepResult(needed=False)
        if before is not None:
            await self._handing.take_back(before, record.hand_over)
        types = ManagedCertificateEventType
        await self._book.put(
            self._book.with_event(
                record.model_copy(update={"issued": arguments.issued}),
                types.RENEWED if before else types.ISSUED,
            )
        )
        return StepResult()

    async def _hand_over_installed(self, context: StepContext[InstallArguments]) -> StepResult:
        await self._book.ready()
        key = context.arguments.key
        needed = await self._issuance.do(key, AcmeStep.HAND_OVER)
        return StepResult(needed=needed, message=self._said(key, AcmeStep.HAND_OVER))

    async def _revoke(self, context: StepContext[RevokeArguments]) -> StepResult:
        await self._book.ready()
        await self._accounts.ready()
        key = context.arguments.key
        record = self._book.get(key)
        if record.revoked_at is not None:
            return StepResult(needed=False, message=f"The certificate {key} is revoked already.")
        if record.origin is ManagedOrigin.UPLOADED or record.directory is None:
            raise Conflict(
                f"The certificate {key} was uploaded, so the agent cannot revoke it.",
                hint="Have it revoked where it was issued.",
            )
        certificate_pem = await self._folders.read(key, FULL_CHAIN)
        if record.issued is None or certificate_pem is None:
            raise Conflict(f"There is no certificate {key} that could be revoked.")
        session = await self._accounts.session(record.directory)
        await session.revoke(certificate_pem, context.arguments.reason)
        revoked, reason = {"revoked_at": self._clock()}, context.arguments.reason.value
        await self._book.change(
            key,
            lambda now: self._book.with_event(
                now.model_copy(update=revoked), ManagedCertificateEventType.REVOKED, reason=reason
            ),
        )
        return StepResult(message=f"The certificate {key} is revoked; nobody should trust it.")

    async def _take_back(self, context: StepContext[KeyArguments]) -> StepResult:
        await self._book.ready()
        record = self._book.find(context.arguments.key)
        if record is not None:
            await self._handing.take_back(record)
        return StepResult(needed=record is not None)

    async def _clean_up(self, context: StepContext[KeyArguments]) -> StepResult:
        await self._book.ready()
        key = context.arguments.key
        if self._book.find(key) is None:
            return StepResult(needed=False)
        if not await self._challenges.clear(key):
            raise Failed(
                f"What proves the names of {key} still stands in the DNS.",
                hint="See that the DNS provider works, and delete the certificate again.",
            )
        return StepResult()

    async def _remove(self, context: StepContext[KeyArguments]) -> StepResult:
        await self._book.ready()
        key = context.arguments.key
        known = self._book.find(key) is not None
        await self._folders.remove(key)
        await self._book.forget(key)
        return StepResult(needed=known, message=f"The certificate {key} and its files are deleted.")
