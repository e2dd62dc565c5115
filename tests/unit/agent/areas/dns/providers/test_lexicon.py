"""The bridge to dns-lexicon, where no server is needed to see what it refuses and survives."""

import sys
from threading import Event

import pytest
from pydantic import SecretStr

from homelab_agent.areas.dns.models import LexiconSettings, ProviderType, RecordType
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    NotOffered,
    ProviderAway,
    ProviderRefused,
)
from homelab_agent.areas.dns.providers.lexicon import LexiconProvider
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.platform.errors import Invalid
from tests.fakes.dns_providers import lexicon_provider
from tests.fakes.dns_providers.changes import change, records
from tests.fakes.dns_providers.lexicon_provider import Manners, installed
from tests.harness.waiting import wait_until

ZONE = "lab.example"
SECRET = "correct-horse-battery"


def settings(provider: str = "powerdns", **options: str) -> LexiconSettings:
    return LexiconSettings(
        type=ProviderType.LEXICON,
        provider=provider,
        zones=(ZONE,),
        options={name: SecretStr(value) for name, value in options.items()},
    )


@pytest.fixture
def manners(monkeypatch: pytest.MonkeyPatch) -> Manners:
    return installed(monkeypatch)


@pytest.mark.parametrize("provider", ["ddns", "rfc2136", "auto", "localzone"])
def test_drivers_that_lie_or_touch_this_machine_are_refused_with_the_reason(
    reach: Reach, provider: str
) -> None:
    with pytest.raises(NotOffered) as refused:
        LexiconProvider(settings(provider), reach)
    assert refused.value.field == "settings.provider"
    assert "rfc2136" in (refused.value.hint or "")


async def test_without_the_library_it_is_said_what_to_install(
    reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in sys.modules if each.split(".")[0] == "lexicon"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "lexicon", None)
    with pytest.raises(NotOffered) as refused:
        await LexiconProvider(settings(), reach).zones()
    assert "dns-more" in (refused.value.hint or "")


async def test_a_provider_that_is_not_there_is_named(reach: Reach) -> None:
    with pytest.raises(Invalid, match="nobody_knows_it") as refused:
        await LexiconProvider(settings("nobody_knows_it"), reach).zones()
    assert refused.value.field == "settings.provider"


@pytest.mark.parametrize("value", ["/etc/passwd", "file::/etc/passwd"])
async def test_files_and_sockets_of_the_machine_are_not_taken(reach: Reach, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        await LexiconProvider(settings(pdns_server=value), reach).zones()
    assert refused.value.field == "settings.options.pdns_server"


@pytest.mark.parametrize("value", ["http://169.254.169.254/", "169.254.169.254:80"])
async def test_it_is_not_led_to_where_the_agent_must_not_go(reach: Reach, value: str) -> None:
    with pytest.raises(ProviderAway, match="clouds"):
        await LexiconProvider(settings(pdns_server=value), reach).zones()


async def test_a_provider_that_hangs_costs_one_thread_and_nobody_waits_for_it_twice(
    reach: Reach, manners: Manners
) -> None:
    manners.hang = Event()
    provider = LexiconProvider(settings(lexicon_provider.NAME), reach, deadline_s=0.2)
    with pytest.raises(ProviderAway, match="in time"):
        await provider.zones()
    for _ in range(3):
        with pytest.raises(ProviderAway, match="earlier question"):
            await provider.zones()
    assert manners.signed_in == 1
    manners.hang.set()
    manners.hang = None

    async def answers() -> bool:
        try:
            return await provider.zones() == (ZONE,)
        except ProviderAway:  # the call that hung is not back yet
            return False

    await wait_until(answers, what="the provider to be asked again")


async def test_many_changes_may_take_longer_than_one(reach: Reach, manners: Manners) -> None:
    provider = LexiconProvider(settings(lexicon_provider.NAME), reach, deadline_s=1.0)
    manners.slow_s = 0.15
    names = [f"h{number}.{ZONE}" for number in range(9)]
    wanted = [change(None, records(name, RecordType.A, "192.0.2.1")) for name in names]
    await provider.apply(ZONE, wanted)
    assert [each["name"] for each in manners.held] == names


async def test_a_write_that_hangs_is_uncertain(reach: Reach, manners: Manners) -> None:
    provider = LexiconProvider(settings(lexicon_provider.NAME), reach, deadline_s=1)
    manners.hang_on_write = Event()
    wanted = records(f"www.{ZONE}", RecordType.A, "192.0.2.1")
    with pytest.raises(ApplyUncertain):
        await provider.apply(ZONE, [change(None, wanted)])
    manners.hang_on_write.set()
    await manners.until_back()


async def test_the_words_of_an_error_are_told_without_the_secrets(
    reach: Reach, manners: Manners
) -> None:
    manners.error = ValueError(f"cannot ask https://api.invalid/?key={SECRET}&x=1 today")
    provider = LexiconProvider(settings(lexicon_provider.NAME, auth_token=SECRET), reach)
    with pytest.raises(ProviderRefused, match=r"key=\*\*\*&x=1 today") as refused:
        await provider.zones()
    assert SECRET not in repr(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


async def test_what_it_says_that_it_did_is_looked_after(reach: Reach, manners: Manners) -> None:
    manners.lies = True
    provider = LexiconProvider(settings(lexicon_provider.NAME), reach)
    wanted = records(f"www.{ZONE}", RecordType.A, "192.0.2.1")
    with pytest.raises(ApplyUncertain, match=r"lists www\.lab\.example A as nothing"):
        await provider.apply(ZONE, [change(None, wanted)])


async def test_what_cannot_be_listed_after_a_write_is_uncertain(
    reach: Reach, manners: Manners
) -> None:
    manners.error_after_writing = ValueError("no more today")
    provider = LexiconProvider(settings(lexicon_provider.NAME), reach)
    wanted = records(f"www.{ZONE}", RecordType.A, "192.0.2.1")
    with pytest.raises(ApplyUncertain, match="no more today"):
        await provider.apply(ZONE, [change(None, wanted)])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('"v=spf1 -all"', "v=spf1 -all"),
        ("v=spf1 -all", "v=spf1 -all"),
        ('"one" "two"', "onetwo"),
        ('one" "two', "onetwo"),
    ],
)
async def test_a_text_is_read_however_the_provider_has_its_quotes(
    reach: Reach, manners: Manners, content: str, text: str
) -> None:
    manners.held.append(
        {"type": "TXT", "name": f"T.{ZONE}.", "ttl": "60", "content": content, "id": "1"}
    )
    (found,) = (
        await LexiconProvider(settings(lexicon_provider.NAME), reach).read(ZONE, None)
    ).records
    assert found == records(f"t.{ZONE}", RecordType.TXT, text, ttl_s=60)
