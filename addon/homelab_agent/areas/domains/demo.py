"""Domains of the invented homelab: of all kinds, well and not so well, with their past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from homelab_agent.areas.dns.models import RecordType
from homelab_agent.areas.domains.checks.page import HTTPS_PORT
from homelab_agent.areas.domains.checks.web import Served
from homelab_agent.areas.domains.history import Line, settings_as_written
from homelab_agent.areas.domains.models import (
    CheckName,
    CheckResult,
    DomainCheck,
    DomainEventType,
    DomainSettings,
    DomainStatus,
    KeptDomain,
    ServiceType,
    WantedRecordSet,
)
from homelab_agent.areas.domains.store import DomainStore
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import SYSTEM, Outcome

_HOME = "home.example.org"
_ANNA, _ASSISTANT = "Anna", "Home Assistant"
_LIFE_DAYS = 74
_UNHEALTHY_DAYS = 2.6

_EXPIRED = "The certificate has expired 2 days ago (203.0.113.20). Have a new certificate issued."
_LATE = "The certificate ends in 9 days and was not renewed in time. Look at why its renewal fails."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Invented:
    name: str
    records: tuple[tuple[RecordType, str], ...] = ()
    service_type: ServiceType = ServiceType.WEB
    container: str | None = None
    note: str | None = None
    paused: bool = False
    provisioned: bool = False
    days_old: float = 120
    by: str = _ANNA
    is_down: bool = False


_DOMAINS = (
    _Invented(
        name=_HOME,
        records=((RecordType.AAAA, "2001:db8:20::1"),),
        note="Home Assistant itself. Its IPv4 address follows the router's.",
        days_old=340,
    ),
    _Invented(name=f"www.{_HOME}", records=((RecordType.CNAME, _HOME),), days_old=340),
    _Invented(
        name=f"photos.{_HOME}",
        records=((RecordType.CNAME, _HOME),),
        note="For the family",
        provisioned=True,
        days_old=200,
    ),
    _Invented(
        name=f"git.{_HOME}",
        records=((RecordType.CNAME, _HOME),),
        days_old=180,
        is_down=True,
    ),
    _Invented(
        name=f"mail.{_HOME}",
        records=((RecordType.A, "203.0.113.20"),),
        service_type=ServiceType.MAIL,
        days_old=300,
    ),
    _Invented(
        name=f"_dmarc.{_HOME}",
        records=((RecordType.TXT, f"v=DMARC1; p=quarantine; rua=mailto:post@{_HOME}"),),
        service_type=ServiceType.VERIFICATION,
        days_old=300,
    ),
    _Invented(
        name=f"_imaps._tcp.{_HOME}",
        records=((RecordType.SRV, f"0 1 993 mail.{_HOME}"),),
        service_type=ServiceType.OTHER,
        days_old=300,
    ),
    _Invented(
        name=f"nas.{_HOME}",
        records=((RecordType.A, "192.168.1.10"),),
        note="Only inside: a private address",
        days_old=260,
    ),
    _Invented(
        name=f"vpn.{_HOME}",
        service_type=ServiceType.OTHER,
        note="WireGuard; its address follows the router's",
        days_old=90,
    ),
    _Invented(
        name=f"wiki.{_HOME}",
        records=((RecordType.CNAME, _HOME),),
        note="To be applied on Saturday",
        days_old=0.2,
        by=_ASSISTANT,
    ),
    _Invented(
        name=f"xn--bro-hoa.{_HOME}",
        records=((RecordType.CNAME, _HOME),),
        note="Not before the move",
        paused=True,
        days_old=30,
    ),
    _Invented(
        name="cloud.example.org",
        container="cloud:nextcloud:1",
        note="Its zone is at a provider that the agent does not know",
        days_old=150,
    ),
)


class DemoWeb:
    """What is served at the invented addresses."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def https(
        self,
        name: str,
        addresses: Sequence[str],  # noqa: ARG002 - all alike
        *,
        port: int = HTTPS_PORT,  # noqa: ARG002
    ) -> Served:
        """Return what is served by HTTPS: nearly everywhere all is well."""
        label = name.partition(".")[0]
        now = self._clock()
        if label == "git":
            expired = _check(CheckName.CERTIFICATE, CheckResult.FAILED, _EXPIRED)
            return _served(now - timedelta(days=_UNHEALTHY_DAYS), now, certificate=expired)
        if label == "nas":
            late = _check(CheckName.CERTIFICATE, CheckResult.WARNING, _LATE)
            return _served(now + timedelta(days=9.3), now, certificate=late)
        return _served(now + timedelta(days=_LIFE_DAYS), now)

    async def http(self, addresses: Sequence[str]) -> Served:  # noqa: ARG002 - all alike
        """Return that somebody is there."""
        return Served(
            checks=(
                _check(CheckName.REACHABLE),
                _check(CheckName.HTTPS, CheckResult.SKIPPED),
                _check(CheckName.CERTIFICATE, CheckResult.SKIPPED),
            )
        )

    async def misled(self, upstreams: Sequence[str]) -> str | None:  # noqa: ARG002
        """Return that all upstreams are as they should be."""
        return None


class DemoDomains:
    """Invents domains where there are none yet."""

    def __init__(self, store: DomainStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def invent(self) -> None:
        """Keep them, as if they had been looked after for a year."""
        if await self._store.load():
            return
        now = self._clock()
        kept = tuple(_kept(each, now) for each in _DOMAINS)
        lines = [
            line
            for each, made in zip(_DOMAINS, kept, strict=True)
            for line in _past(each, made, now)
        ]
        await self._store.save(kept, lines=sorted(lines, key=lambda line: line.at))


def _kept(each: _Invented, now: datetime) -> KeptDomain:
    began = now - timedelta(days=each.days_old)
    return KeptDomain(
        id=each.name,
        settings=DomainSettings(
            service_type=each.service_type,
            records=tuple(
                WantedRecordSet(type=kind, values=(value,)) for kind, value in each.records
            ),
            container=each.container,
            note=each.note,
            paused=each.paused,
        ),
        status=DomainStatus.UNHEALTHY if each.is_down else DomainStatus.PENDING,
        reason=_EXPIRED if each.is_down else None,
        told_unhealthy=each.is_down,
        provisioned=each.provisioned,
        created_at=began,
        changed_at=began,
    )


def _past(each: _Invented, made: KeptDomain, now: datetime) -> list[Line]:
    created = Line(
        domain=made.id,
        at=made.created_at,
        caller=each.by,
        type=DomainEventType.CREATED,
        outcome=Outcome.DONE,
        after=settings_as_written(made.settings),
    )
    lines = [created]
    if each.records and each.days_old > 1 and not each.paused:
        lines.append(
            created.model_copy(
                update={
                    "at": created.at + timedelta(minutes=2),
                    "type": DomainEventType.DNS_APPLIED,
                    "message": "; ".join(f"create {kind}" for kind, _ in each.records),
                    "before": [],
                    "after": [
                        {"type": kind.value, "values": [value]} for kind, value in each.records
                    ],
                }
            )
        )
    if each.is_down:
        lines.append(
            Line(
                domain=made.id,
                at=now - timedelta(days=_UNHEALTHY_DAYS),
                caller=SYSTEM.name,
                type=DomainEventType.UNHEALTHY,
                message=_EXPIRED,
                before={"status": "healthy"},
                after={"status": "unhealthy"},
            )
        )
    return lines


def _served(
    expires_at: datetime,
    now: datetime,
    *,
    certificate: DomainCheck | None = None,
) -> Served:
    checks = (CheckName.REACHABLE, CheckName.HTTPS)
    return Served(
        checks=(*map(_check, checks), certificate or _check(CheckName.CERTIFICATE)),
        https_status=200,
        response_ms=23.4,
        certificate_expires_at=expires_at,
        certificate_days_left=int((expires_at - now) / timedelta(days=1)),
    )


def _check(
    name: CheckName, result: CheckResult = CheckResult.OK, reason: str | None = None
) -> DomainCheck:
    return DomainCheck(name=name, result=result, reason=reason)
