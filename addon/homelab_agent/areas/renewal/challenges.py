"""The TXT values that prove a name: put, waited for, and always taken away again."""

from collections.abc import Iterable

from homelab_agent.areas.dns.models import RecordSet, RecordType, ZoneHome
from homelab_agent.areas.renewal.authority import Proof
from homelab_agent.areas.renewal.book import CertificateBook
from homelab_agent.areas.renewal.kept import KeptCertificate, TxtValue
from homelab_agent.areas.renewal.models import CHALLENGE_LABEL, LONGEST_PROVEN_NAME
from homelab_agent.areas.renewal.needs import Dns
from homelab_agent.platform.errors import AgentError, Failed, Invalid, NotFound
from homelab_agent.platform.logging import get_logger

_MOST_HOPS = 5

_log = get_logger(__name__)


class Challenges:
    """Writes down what it is about to put into the DNS, so that a crash leaves nothing there."""

    def __init__(self, book: CertificateBook, dns: Dns) -> None:
        self._book = book
        self._dns = dns

    async def require_provable(self, name: str, *, field: str) -> None:
        """Raise where the agent can write no TXT for a name; it names `field`."""
        await self._dns.until_ready()
        _require_room(name, field=field)
        place = await self._where(f"{CHALLENGE_LABEL}.{name.removeprefix('*.')}")
        homes = self._dns.homes_of(place, field=field)
        if not _with_texts(homes):
            providers = ", ".join(each.provider for each in homes)
            raise NotFound(
                f"There are no TXT records at {providers}, by which {name} could be proven.",
                field=field,
                hint="Move the zone, or lead _acme-challenge to another one by a CNAME.",
            )

    async def put(self, key: str, proofs: Iterable[Proof]) -> None:
        """Put the values; those that stand there already are fine."""
        values = [each for proof in proofs for each in await self._values(proof)]
        await self._book.change(
            key, lambda record: record.model_copy(update={"txt": _merged(record.txt, values)})
        )
        for each in values:
            await self._dns.add_txt(each.name, each.value, provider=each.provider)

    async def wait(self, key: str, *, within_s: float) -> None:
        """Wait until every authoritative server gives the values, beside those of others."""
        wanted: dict[str, dict[str, None]] = {}
        for each in self._book.get(key).txt:
            wanted.setdefault(each.name, {})[each.value] = None
        sets = [
            RecordSet(name=name, type=RecordType.TXT, values=tuple(values))
            for name, values in wanted.items()
        ]
        if sets:
            await self._dns.wait_until_served(sets, within_s=within_s, exactly=False)

    async def clear(self, key: str) -> bool:
        """Take away all values of a certificate; return whether none is left that anybody could.

        What cannot be taken away now stays written down, for a later try; also what is in a zone
        that nobody manages any more, as somebody may manage it again.
        """
        is_clear = True
        for each in self._book.get(key).txt:
            try:
                await self._dns.remove_txt(each.name, each.value, provider=each.provider)
            except AgentError as error:
                _log.warning("txt_left_behind", name=each.name, why=error.message)
                is_clear = is_clear and isinstance(error, NotFound)
                continue
            await self._forget(key, each)
        return is_clear

    async def _forget(self, key: str, gone: TxtValue) -> None:
        def without(record: KeptCertificate) -> KeptCertificate:
            left = tuple(each for each in record.txt if each != gone)
            return record.model_copy(update={"txt": left})

        await self._book.change(key, without)

    async def _values(self, proof: Proof) -> tuple[TxtValue, ...]:
        """Return what is to be put: at every provider of the zone, as any may be the public one."""
        if proof.txt_value is None:
            raise Failed(
                f"The authority takes no proof by DNS for {proof.name}.",
                hint="Order from another authority.",
            )
        name = await self._where(proof.txt_name)
        return tuple(
            TxtValue(name=name, value=proof.txt_value, provider=home.provider)
            for home in _with_texts(self._dns.homes_of(name))
        )

    async def _where(self, name: str) -> str:
        """Return where a value has to be put: a CNAME may lead it to another zone."""
        for _ in range(_MOST_HOPS):
            target = await self._target(name)
            if target is None:
                return name
            name = target
        return name

    async def _target(self, name: str) -> str | None:
        try:
            found = await self._dns.answers(name, RecordType.CNAME)
        except AgentError as error:
            _log.debug("no_cname", name=name, why=error.message)
            return None
        targets = {value for server in found.servers for value in server.values or ()}
        return targets.pop() if len(targets) == 1 else None


def _with_texts(homes: Iterable[ZoneHome]) -> tuple[ZoneHome, ...]:
    return tuple(each for each in homes if RecordType.TXT in each.capabilities.types)


def _require_room(name: str, *, field: str) -> None:
    if len(name.removeprefix("*.")) > LONGEST_PROVEN_NAME:
        raise Invalid(
            f"{name[:20]}... has {len(name)} characters; to be proven by DNS it may have "
            f"{LONGEST_PROVEN_NAME}, as {CHALLENGE_LABEL} is put before it.",
            field=field,
            hint="Take a shorter name.",
        )


def _merged(known: tuple[TxtValue, ...], new: Iterable[TxtValue]) -> tuple[TxtValue, ...]:
    return tuple(dict.fromkeys((*known, *new)))
