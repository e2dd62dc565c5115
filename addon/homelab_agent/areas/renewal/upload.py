"""Certificates of one's own: checked before anything is written."""

import asyncio
from contextlib import suppress

from homelab_agent.areas.certificates.models import CertificateReport, Verdict
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.renewal.key_loader import load_key_tools
from homelab_agent.areas.renewal.keys import Bundle
from homelab_agent.areas.renewal.models import UploadBody
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.dns_names import uniform_name
from homelab_agent.platform.errors import Invalid

_STRANGE = frozenset({Verdict.SELF_SIGNED, Verdict.UNKNOWN_AUTHORITY})
_REFUSED = frozenset({Verdict.WEAK_KEY, Verdict.WEAK_SIGNATURE, Verdict.UNTRUSTED})


class UploadCheck:
    """Says what is wrong with what was uploaded, by the same rules as of every certificate."""

    def __init__(self, certificates: CertificateService, clock: Clock) -> None:
        self._certificates = certificates
        self._clock = clock

    async def check(self, body: UploadBody) -> tuple[Bundle, str | None]:
        """Return what was given in its order, and what a person has to know of it.

        Raises:
            Invalid: it names the field and what is wrong with it.
        """
        tools = await load_key_tools()
        bundle = await asyncio.to_thread(
            tools.bundle,
            body.certificate_pem,
            body.chain_pem,
            body.key_pem.get_secret_value(),
        )
        self._require_valid_today(bundle)
        if not bundle.facts.names:
            raise Invalid(
                "The certificate names no host, so no browser takes it for one.",
                field="certificate_pem",
                hint="Have it issued with subject alternative names.",
            )
        for name in bundle.facts.names:
            _require_host(name)
        report = await self._certificates.judge_file(bundle.ders)
        return bundle, _note(bundle, report)

    def _require_valid_today(self, bundle: Bundle) -> None:
        facts, now = bundle.facts, self._clock()
        if now >= facts.expires_at:
            raise Invalid(
                f"The certificate expired on {facts.expires_at:%Y-%m-%d}.",
                field="certificate_pem",
                hint="Upload the one that came after it.",
            )
        if now < facts.not_before:
            raise Invalid(
                f"The certificate is valid only from {facts.not_before:%Y-%m-%d %H:%M} UTC on.",
                field="certificate_pem",
                hint="Wait until then, or look at the clock of this machine.",
            )


def _require_host(name: str) -> None:
    """Refuse what only looks like a name: who made the certificate could write anything there.

    It is called by its first name, and so is its folder.
    """
    with suppress(Invalid):
        if uniform_name(name, field="certificate_pem", wildcard=True) == name:
            return
    raise Invalid(
        f"{name[:100]!r} in the certificate is no name of a host.",
        field="certificate_pem",
        hint="Have it issued for names as in www.example.org.",
    )


def _note(bundle: Bundle, report: CertificateReport) -> str | None:
    """Return what a person has to know; `Invalid` where clients could not build the chain."""
    verdict, reason = report.verdict, report.reason
    if verdict is Verdict.TRUSTED:
        return None
    if verdict in _STRANGE and bundle.ends_in_root:
        return (
            f"{reason or ''} The chain is whole, and only who knows its root trusts it: name the "
            "root in the setting trusted_ca_file to have the agent trust it."
        ).strip()
    if verdict in _REFUSED or verdict is Verdict.EXPIRED or verdict is Verdict.NOT_YET_VALID:
        raise Invalid(reason or "The certificate is not good.", field="certificate_pem")
    missing = f", {bundle.facts.issuer}," if not bundle.chain else " of its last certificate"
    raise Invalid(
        f"The chain is not complete: the issuer{missing} is missing.",
        field="chain_pem",
        hint="Add the certificates between it and its root, as your authority offers them; of a "
        "private authority also the root, or name that in the setting trusted_ca_file.",
    )
