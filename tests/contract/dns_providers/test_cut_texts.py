"""A text that its zone cuts into other strings than the agent would is changed all the same."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from homelab_agent.areas.dns.models import ProviderType, RecordSet, RecordType, Rfc2136Settings
from homelab_agent.areas.dns.planning import make_change
from homelab_agent.areas.dns.providers.rfc2136 import Rfc2136Provider
from tests.fakes.dns_providers.reach import open_reach
from tests.harness.knot import Knot

ZONE = "lab.example"
NAME = f"key._domainkey.{ZONE}"
CUT = f'{NAME}. 300 TXT "v=DKIM1; " "p=MIGf"\n{NAME}. 300 TXT "other"'


@pytest.fixture
async def knot() -> AsyncIterator[Knot]:
    async with Knot({ZONE: CUT}, second=False) as knot:
        yield knot


def text(*values: str) -> RecordSet | None:
    if not values:
        return None
    return RecordSet(name=NAME, type=RecordType.TXT, values=values, ttl_s=300)


@pytest.mark.parametrize(
    ("after", "held"),
    [
        (("v=DKIM1; p=MIGf",), ('"v=DKIM1; " "p=MIGf"',)),
        (("new", "other", "v=DKIM1; p=MIGf"), ('"new"', '"other"', '"v=DKIM1; " "p=MIGf"')),
        (("other",), ('"other"',)),
        ((), ()),
    ],
    ids=["the other goes", "one comes", "it goes", "all go"],
)
async def test_it_is_kept_and_deleted_as_the_zone_has_it(
    knot: Knot, after: tuple[str, ...], held: tuple[str, ...]
) -> None:
    settings = Rfc2136Settings(
        type=ProviderType.RFC2136,
        server=knot.primary.server,
        key_name=knot.key_name,
        key_secret=SecretStr(knot.key_secret),
        zones=(ZONE,),
    )
    async with open_reach() as reach:
        provider = Rfc2136Provider(settings, reach)
        (before,) = (await provider.read(ZONE, [NAME])).records
        assert before.values == ("other", "v=DKIM1; p=MIGf")
        change = make_change(before, text(*after))
        assert change is not None
        await provider.apply(ZONE, [change])
    if held:
        assert await knot.primary.ask(NAME, "TXT") == held
    else:
        assert not any(NAME in line for line in await knot.records(ZONE))
