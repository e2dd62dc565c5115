"""Providers are kept with their secrets sealed, and one that cannot be opened harms no other."""

import asyncio
import json
from collections.abc import Iterable
from functools import partial

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from homelab_agent.areas.dns.models import (
    DNS_PROVIDER_KIND,
    LexiconSettings,
    PowerDnsSettings,
    ProviderBody,
    ProviderChange,
    ProviderSettings,
    ProviderState,
    ProviderType,
    RecordSet,
    ZoneQuery,
)
from homelab_agent.areas.dns.providers.errors import (
    NotOffered,
    ProviderAway,
    ProviderBusy,
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.platform.errors import AgentError, Conflict, Invalid, NotFound, Unavailable
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import dns_provider
from homelab_agent.platform.vault import SecretUnreadable
from tests.fakes.scripted_dns import ScriptedProvider, records
from tests.harness.waiting import wait_until
from tests.unit.agent.areas.dns.house import SECRET, ZONE, House, settings

STARS = "*" * 10


class Hanging(ScriptedProvider):
    """Answers only when it may."""

    def __init__(self, go_on: asyncio.Event, zone: str, held: Iterable[RecordSet]) -> None:
        super().__init__(zone, held)
        self._go_on = go_on

    async def zones(self) -> tuple[str, ...]:
        """See `Provider.zones`."""
        found = await super().zones()
        await self._go_on.wait()
        return found


class Opened:
    """Remembers with which settings providers were opened."""

    def __init__(self) -> None:
        self.settings: list[ProviderSettings] = []
        self.providers: list[ScriptedProvider] = []
        self.trouble: AgentError | None = None
        """What those have that are opened from now on."""
        self.hangs = False
        """Whether those that are opened from now on answer only when they may `go_on`."""
        self.go_on = asyncio.Event()

    def __call__(self, settings: ProviderSettings) -> ScriptedProvider:
        self.settings.append(settings)
        held = records("nas.example.org 300 A 192.0.2.10")
        kind = partial(Hanging, self.go_on) if self.hangs else ScriptedProvider
        self.providers.append(kind(ZONE, held))
        self.providers[-1].trouble = self.trouble
        return self.providers[-1]

    async def is_trying(self) -> bool:
        """Whether who was opened last was asked something."""
        return self.providers[-1].asked > 0

    @property
    def secret(self) -> str:
        """The secret of who was opened last."""
        last = self.settings[-1]
        assert isinstance(last, PowerDnsSettings)
        return last.api_key.get_secret_value()


@pytest.fixture
def opened() -> Opened:
    return Opened()


@pytest.fixture
async def house(store: Store, opened: Opened) -> House:
    house = House(store, ScriptedProvider(ZONE), make=opened)
    return await house.with_provider()


async def stored(store: Store) -> str:
    async with store.read() as connection:
        rows = (await connection.execute(select(dns_provider.c.record))).all()
    return json.dumps([row[0] for row in rows])


async def test_a_secret_is_in_no_answer_no_resource_and_not_in_the_store(
    house: House, store: Store
) -> None:
    shown = house.service.providers().model_dump_json()
    published = house.resources.get(DNS_PROVIDER_KIND, "knot")
    assert published is not None
    for shows in (shown, published.model_dump_json(), await stored(store)):
        assert SECRET not in shows
        assert "dns.lan" in shows
    assert SECRET not in house.secrets.mask(f"it said {SECRET}")


async def test_a_provider_is_there_again_after_a_restart_with_its_zones(
    house: House, store: Store, opened: Opened
) -> None:
    again = House(store, ScriptedProvider(ZONE), make=opened)
    await again.service.until_ready()
    assert again.service.providers() == house.service.providers()
    assert again.service.home_of("nas.example.org").zone == ZONE
    assert opened.secret == SECRET


@pytest.mark.usefixtures("house")
async def test_without_the_key_file_the_provider_says_so_and_the_rest_goes_on(
    store: Store, opened: Opened
) -> None:
    again = House(store, ScriptedProvider(ZONE), make=opened, vault_key=b"x" * 32)
    await again.service.until_ready()
    assert again.service.provider("knot").state is ProviderState.SECRET_UNREADABLE
    assert again.service.provider("knot").zones == (ZONE,)
    with pytest.raises(SecretUnreadable):
        await again.service.read("nas.example.org")
    assert (await again.service.test_provider("knot")).state is ProviderState.SECRET_UNREADABLE
    other = await again.service.add_provider(ProviderBody(name="Other", settings=settings()))
    assert other.state is ProviderState.OK

    with pytest.raises(Invalid, match="stars"):
        await again.service.change_provider("knot", ProviderChange(settings=settings(secret=STARS)))
    given_anew = await again.service.change_provider("knot", ProviderChange(settings=settings()))
    assert given_anew.state is ProviderState.OK


async def test_stars_keep_the_secret_and_another_address_does_not_get_it(
    house: House, opened: Opened
) -> None:
    kept = settings(secret=STARS).model_copy(update={"server_id": "other"})
    changed = await house.service.change_provider("knot", ProviderChange(settings=kept))
    assert opened.secret == SECRET
    assert changed.settings["server_id"] == "other"
    assert opened.providers[0].closed

    for somewhere_else in (
        settings("http://evil.example", STARS),
        settings(secret=STARS).model_copy(update={"verify_tls": False}),
    ):
        with pytest.raises(Invalid, match="stars") as caught:
            await house.service.change_provider("knot", ProviderChange(settings=somewhere_else))
        assert caught.value.field == "settings.api_key"
    lexicon = LexiconSettings(
        type=ProviderType.LEXICON,
        provider="gandi",
        zones=(ZONE,),
        options={"auth_token": SecretStr(STARS)},
    )
    with pytest.raises(Invalid) as caught:
        await house.service.change_provider("knot", ProviderChange(settings=lexicon))
    assert caught.value.field == "settings.options.auth_token"
    assert opened.secret == SECRET


async def test_each_option_of_a_long_tail_provider_is_a_secret(
    house: House, store: Store, opened: Opened
) -> None:
    body = ProviderBody(
        name="Gändi!",
        settings=LexiconSettings(
            type=ProviderType.LEXICON,
            provider="gandi",
            zones=("Büro.Example.",),
            options={"auth_token": SecretStr("tail-secret-value")},
        ),
    )
    added = await house.service.add_provider(body)
    assert added.key == "gandi"
    assert added.settings == {"provider": "gandi", "zones": ("xn--bro-hoa.example",)}
    assert "tail-secret-value" not in await stored(store)
    House(store, ScriptedProvider(ZONE), make=opened)
    again = House(store, ScriptedProvider(ZONE), make=opened)
    await again.service.until_ready()
    kept = opened.settings[-1]
    assert isinstance(kept, LexiconSettings)
    assert kept.options["auth_token"].get_secret_value() == "tail-secret-value"


async def test_a_secret_option_stays_only_where_no_other_option_sends_it_elsewhere(
    house: House, opened: Opened
) -> None:
    def options(**given: str) -> LexiconSettings:
        return LexiconSettings(
            type=ProviderType.LEXICON,
            provider="gandi",
            zones=(ZONE,),
            options={name: SecretStr(value) for name, value in given.items()},
        )

    good = options(auth_token="tail-secret-value", api_host="api.example.net")
    await house.service.add_provider(ProviderBody(key="tail", name="Tail", settings=good))
    for elsewhere in ({"api_host": "evil.example"}, {"api_host": STARS, "proxy": "evil.example"}):
        change = ProviderChange(settings=options(auth_token=STARS, **elsewhere))
        with pytest.raises(Invalid, match="stars") as caught:
            await house.service.change_provider("tail", change)
        assert str(caught.value.field).startswith("settings.options.")
    same = options(auth_token=STARS, api_host="api.example.net")
    await house.service.change_provider("tail", ProviderChange(settings=same))
    assert opened.settings[-1] == good


async def test_keys_are_made_of_names_and_used_once(house: House) -> None:
    body = ProviderBody(name="Knot", settings=settings())
    assert (await house.service.add_provider(body)).key == "knot-2"
    with pytest.raises(Conflict) as caught:
        await house.service.add_provider(body.model_copy(update={"key": "knot"}))
    assert caught.value.field == "key"
    with pytest.raises(NotFound, match="nobody"):
        house.service.provider("nobody")


async def test_what_is_removed_is_forgotten_with_its_secret(
    house: House, store: Store, opened: Opened
) -> None:
    await house.service.remove_provider("knot")
    assert house.service.providers().providers == ()
    assert house.resources.get(DNS_PROVIDER_KIND, "knot") is None
    assert await stored(store) == "[]"
    assert opened.providers[0].closed
    with pytest.raises(NotFound):
        await house.service.remove_provider("knot")


async def test_what_is_removed_while_it_is_asked_does_not_come_back(
    house: House, store: Store, opened: Opened
) -> None:
    async with store.write():
        removing = asyncio.create_task(house.service.remove_provider("knot"))
        await asyncio.sleep(0)
        testing = asyncio.create_task(house.book.check("knot"))

        async def was_asked() -> bool:
            return opened.providers[0].asked > 1

        await wait_until(was_asked, what="it to be asked")
    await removing
    await testing
    assert await stored(store) == "[]"
    assert house.resources.get(DNS_PROVIDER_KIND, "knot") is None


async def test_what_cannot_be_kept_is_not_used_until_the_next_restart_either(
    house: House, store: Store, opened: Opened
) -> None:
    async with store.write() as connection:
        await connection.execute(text("ALTER TABLE dns_provider RENAME TO away"))
    with pytest.raises(Unavailable):
        await house.service.add_provider(ProviderBody(name="Other", settings=settings()))
    with pytest.raises(Unavailable):
        await house.service.change_provider("knot", ProviderChange(name="Another"))
    with pytest.raises(Unavailable):
        await house.service.change_provider("knot", ProviderChange(settings=settings()))
    assert [each.name for each in house.service.providers().providers] == ["Knot"]
    assert not opened.providers[0].closed


@pytest.mark.parametrize("trouble", [WrongCredentials, ProviderAway, ProviderBusy])
async def test_a_new_provider_that_does_not_answer_is_not_kept_unless_a_person_says_so(
    store: Store, trouble: type[AgentError]
) -> None:
    provider = ScriptedProvider(ZONE)
    provider.trouble = trouble(f"I do not know {SECRET}.")
    house = House(store, provider)
    body = ProviderBody(name="Knot", settings=settings())
    with pytest.raises(trouble) as caught:
        await house.service.add_provider(body)
    assert "verify" in str(caught.value.hint)
    assert SECRET not in caught.value.message
    assert house.service.providers().providers == ()
    assert await stored(store) == "[]"
    assert provider.closed

    added = await house.service.add_provider(body.model_copy(update={"verify": False}))
    assert added.key == "knot"
    assert added.state is not ProviderState.OK
    assert added.reason == "I do not know ***."
    provider.trouble = None
    assert (await house.service.test_provider("knot")).zones == (ZONE,)


async def test_a_wrong_secret_leaves_the_provider_working_with_the_one_before(
    house: House, store: Store, opened: Opened
) -> None:
    before, kept = house.service.provider("knot"), await stored(store)
    for hint, told in (
        (None, "Nothing"),
        ("Copy it.", "Copy it. Nothing"),
        ("Wait", "Wait. Nothing"),
    ):
        opened.trouble = WrongCredentials("It does not take the key.", hint=hint)
        with pytest.raises(WrongCredentials, match="does not take") as caught:
            await house.service.change_provider(
                "knot", ProviderChange(settings=settings(secret="wrong-one"))
            )
        assert str(caught.value.hint).startswith(f"{told} was changed. Correct")
    assert house.service.provider("knot") == before
    assert await stored(store) == kept
    assert [each.closed for each in opened.providers] == [False, True, True, True]
    assert await house.service.read("nas.example.org")

    change = ProviderChange(settings=settings(secret="wrong-one"), verify=False)
    changed = await house.service.change_provider("knot", change)
    assert (changed.state, changed.reason) == (ProviderState.REFUSED, "It does not take the key.")
    assert opened.secret == "wrong-one"
    assert opened.providers[0].closed


async def test_an_agent_that_is_killed_while_it_tries_other_settings_has_those_of_before(
    house: House, store: Store, opened: Opened
) -> None:
    opened.hangs = True
    changing = asyncio.create_task(
        house.service.change_provider("knot", ProviderChange(settings=settings(secret="wrong-one")))
    )
    await wait_until(opened.is_trying, what="the new settings to be tried")
    assert (await house.service.test_provider("knot")).state is ProviderState.OK

    after_the_crash = Opened()
    again = House(store, ScriptedProvider(ZONE), make=after_the_crash)
    await again.service.until_ready()
    assert after_the_crash.secret == SECRET
    changing.cancel()
    await asyncio.wait([changing])
    assert opened.providers[-1].closed


async def test_a_provider_that_is_removed_while_other_settings_are_tried_stays_removed(
    house: House, store: Store, opened: Opened
) -> None:
    opened.hangs = True
    changing = asyncio.create_task(
        house.service.change_provider("knot", ProviderChange(settings=settings()))
    )
    await wait_until(opened.is_trying, what="the new settings to be tried")
    await house.service.remove_provider("knot")
    opened.go_on.set()
    with pytest.raises(NotFound):
        await changing
    assert await stored(store) == "[]"
    assert opened.providers[-1].closed


async def test_a_provider_that_says_what_it_was_asked_betrays_no_secret(store: Store) -> None:
    provider = ScriptedProvider(ZONE)
    house = await House(store, provider).with_provider()
    for trouble in (ProviderAway, ProviderRefused):
        provider.trouble = trouble(f"What is ?key={SECRET}?", hint=f"Not {SECRET}")
        with pytest.raises(trouble) as caught:
            await house.service.read(f"nas.{ZONE}")
        assert SECRET not in f"{caught.value.message} {caught.value.hint}"
        assert SECRET not in (await house.service.test_provider("knot")).model_dump_json()
    assert house.service.provider("knot").reason == "What is ?key=***?"


async def test_two_providers_of_one_zone_have_to_be_told_apart(house: House) -> None:
    await house.service.add_provider(ProviderBody(name="Other", settings=settings()))
    with pytest.raises(Invalid, match="knot, other") as caught:
        house.service.home_of("nas.example.org", field="records.0.name")
    assert caught.value.field == "records.0.name"
    assert house.service.home_of("nas.example.org", "other").provider == "other"
    homes = house.service.homes_of("nas.example.org")
    assert [each.provider for each in homes] == ["knot", "other"]


async def test_a_zone_is_found_by_its_name_as_people_write_it(store: Store) -> None:
    zone = "xn--bro-hoa.example"
    provider = ScriptedProvider(zone, records(f"nas.{zone} 300 A 192.0.2.10"))
    house = await House(store, provider).with_provider()
    for typed in ("büro", "BU\u0308RO", "xn--bro"):
        (found,) = (await house.service.zones(ZoneQuery(text=typed))).zones
        assert found.zone == zone
        assert len((await house.service.zone(zone, ZoneQuery(text=typed))).records) == 1
    assert (await house.service.zones(ZoneQuery(text="garten"))).zones == ()


async def test_a_name_that_nobody_manages_is_told_with_the_zones_that_are(house: House) -> None:
    with pytest.raises(NotFound, match="Nobody manages") as caught:
        house.service.home_of("example.net", field="records.0.name")
    assert caught.value.field == "records.0.name"
    assert str(caught.value.hint).startswith(f"The zones that are managed: {ZONE}.")


@pytest.mark.usefixtures("house")
async def test_one_that_cannot_be_opened_any_more_harms_no_other(store: Store) -> None:
    def make(_: ProviderSettings) -> ScriptedProvider:
        raise NotOffered("dns-lexicon is not installed")

    again = House(store, ScriptedProvider(ZONE), make=make)
    await again.service.until_ready()
    shown = again.service.provider("knot")
    assert (shown.state, shown.reason) == (
        ProviderState.UNREACHABLE,
        "dns-lexicon is not installed",
    )
    with pytest.raises(ProviderAway, match="not installed"):
        await again.service.read("nas.example.org")
    assert await again.service.test_provider("knot") == shown


async def test_a_name_server_that_is_none_is_told_with_its_place(house: House) -> None:
    change = ProviderChange(name_servers=("192.0.2.1", "http://ns1.example.org/"))
    with pytest.raises(Invalid, match="no address") as caught:
        await house.service.change_provider("knot", change)
    assert caught.value.field == "name_servers.1"
