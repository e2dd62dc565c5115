"""What is wanted of a domain, checked and written in the one way that it is kept in."""

import unicodedata
from contextlib import suppress

from homelab_agent.areas.dns.models import RecordType, WantedRecords, ZoneHome
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.areas.domains.models import DomainSettings, WantedRecordSet
from homelab_agent.platform.errors import Invalid, NotFound

_LINES = frozenset("\n\t")
_ORDER = tuple(RecordType)


class Wishes:
    """Checks what people want, and finds out who manages a name."""

    def __init__(self, dns: DnsService) -> None:
        self._dns = dns

    def home(self, domain_id: str, provider: str | None) -> ZoneHome | None:
        """Return who manages a name; None where nobody does that the agent knows."""
        with suppress(NotFound, Invalid):
            return self._dns.home_of(domain_id, provider)
        return None

    def of(
        self, domain_id: str, given: DomainSettings, known: DomainSettings | None = None
    ) -> DomainSettings:
        """Return the settings as they are kept.

        `known`: as they are by now. A provider that was removed since is not held against the rest.

        Raises:
            Invalid, NotFound: they make no sense; `field` says which.
        """
        if given.provider is not None and (known is None or given.provider != known.provider):
            self._dns.home_of(domain_id, given.provider, field="provider")
        records = tuple(
            self._records(domain_id, wanted, f"records.{index}")
            for index, wanted in enumerate(given.records)
        )
        self._require_fitting(domain_id, given.provider, records)
        return DomainSettings(
            service_type=given.service_type,
            records=tuple(sorted(records, key=lambda each: _ORDER.index(each.type))),
            container=_text(given.container, "container"),
            note=_text(given.note, "note"),
            provider=given.provider,
            paused=given.paused,
        )

    def _records(self, domain_id: str, wanted: WantedRecordSet, field: str) -> WantedRecordSet:
        checked = self._dns.checked(
            WantedRecords(
                name=domain_id, type=wanted.type, values=wanted.values, ttl_s=wanted.ttl_s
            ),
            field=field,
        )
        return WantedRecordSet(type=wanted.type, values=checked.values, ttl_s=checked.ttl_s)

    def _require_fitting(
        self, domain_id: str, provider: str | None, records: tuple[WantedRecordSet, ...]
    ) -> None:
        """Refuse what no name can have all of."""
        types = [each.type for each in records]
        for index, kind in enumerate(types):
            if kind in types[:index]:
                raise Invalid(
                    f"There are two lists of {kind} records",
                    field=f"records.{index}.type",
                    hint="Put all values of a type into one list",
                )
        if RecordType.CNAME not in types:
            return
        at = types.index(RecordType.CNAME)
        if len(types) > 1:
            raise Invalid(
                "A name with a CNAME can have no other records",
                field=f"records.{at}.type",
                hint="Remove the CNAME or all the others",
            )
        home = self.home(domain_id, provider)
        if home is not None and home.zone == domain_id:
            raise Invalid(
                f"{domain_id} is the zone itself, and that can have no CNAME",
                field=f"records.{at}.type",
                hint="Use A and AAAA records there",
            )


def _text(text: str | None, field: str) -> str | None:
    """Return a text with plain line ends; an empty one is none."""
    if text is None:
        return None
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    for sign in plain:
        if unicodedata.category(sign) == "Cc" and sign not in _LINES:
            raise Invalid(
                f"There is a sign in it that cannot be written (U+{ord(sign):04X})",
                field=field,
                hint="Use letters, and lines",
            )
    return plain or None
