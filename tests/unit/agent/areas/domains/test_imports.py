"""An import shows a plan, does all of it or nothing, and never the half of it."""

import asyncio
import csv
import io

import pytest
from pydantic import SecretStr

from homelab_agent.areas.dns.models import PowerDnsSettings, ProviderBody, ProviderType
from homelab_agent.areas.domains import models
from homelab_agent.areas.domains.export import as_csv
from homelab_agent.areas.domains.models import (
    DomainChange,
    DomainExport,
    ExportedDomain,
    ExportFormat,
    ImportBody,
)
from homelab_agent.platform.errors import AgentError, Conflict, NotFound
from tests.unit.agent.areas.domains.one_house import PERSON, ZONE, OneHouse, a_record, body

HEAD = "name,service_type,record_type,ttl_s,value\r\n"
GOOD = "good.example.org,web,A,60,192.0.2.1\r\n"


def csv_body(text: str, **more: object) -> ImportBody:
    return ImportBody.model_validate({"format": "csv", "text": text, **more})


async def imported(house: OneHouse, body: ImportBody) -> dict[str, str]:
    plan = await house.imports.take(body, PERSON)
    assert not plan.applied
    done = await house.imports.take(body.model_copy(update={"plan_hash": plan.hash}), PERSON)
    assert done.applied
    return {each.id: each.action for each in done.changes}


@pytest.mark.parametrize("form", ExportFormat)
async def test_import_is_its_own_inverse_of_export(house: OneHouse, form: ExportFormat) -> None:
    await house.add(
        f"*.{ZONE}",
        records=[
            {"type": "TXT", "values": ["=HYPERLINK(1)", 'a "b", c', "'x"], "ttl_s": 60},
            a_record("192.0.2.1", "192.0.2.2"),
        ],
        note="=1+1\n“Zeile”, zwei",
        container="stack/web",
        provider="invented",
    )
    await house.add("büro.example.org", service_type="mail", paused=True)
    found = await house.imports.export()
    text = found.model_dump_json() if form is ExportFormat.JSON else as_csv(found.domains)
    for name in list(house.book.watched):
        await house.service.forget(name, PERSON)
    given = ImportBody(format=form, text=text)
    assert set((await imported(house, given)).values()) == {"create"}
    assert await house.imports.export() == found
    assert set((await imported(house, given)).values()) == {"keep"}


async def test_a_plan_changes_nothing(house: OneHouse) -> None:
    plan = await house.imports.take(csv_body(HEAD + GOOD), PERSON)
    assert [each.action for each in plan.changes] == ["create"]
    assert not house.book.watched


async def test_an_import_of_thousands_of_rows_keeps_nobody_else_waiting(house: OneHouse) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    rows = [f"d{at % 500}.example.org,web,TXT,60,{at}\r\n" for at in range(10_000)]
    busy = asyncio.create_task(others())
    plan = await house.imports.take(csv_body(HEAD + "".join(rows)), PERSON)
    busy.cancel()
    assert len(plan.changes) == 500
    assert turns > 500


@pytest.mark.parametrize("between", [";", "\t"])
async def test_a_table_that_a_spreadsheet_of_another_language_saved_is_read(
    house: OneHouse, between: str
) -> None:
    await house.add("a.example.org", note='eins; "zwei", drei', records=[a_record()], paused=True)
    await house.add("b.example.org", service_type="other")
    before = await house.imports.export()
    rows = csv.reader(io.StringIO(as_csv(before.domains), newline=""))
    saved = io.StringIO(newline="")
    in_german = {"true": "WAHR", "false": "FALSCH"}
    csv.writer(saved, delimiter=between, lineterminator="\r\n").writerows(
        [in_german.get(cell, cell) for cell in row] for row in rows
    )
    given = csv_body("\ufeff" + saved.getvalue())
    assert set((await imported(house, given)).values()) == {"keep"}


async def test_letters_that_were_lost_on_the_way_are_not_imported_as_question_marks(
    house: OneHouse,
) -> None:
    saved = "name,note\r\na.example.org,x\r\nb.example.org,Küche\r\n".encode("latin-1")
    with pytest.raises(AgentError, match="row 3, column note: letters were lost") as caught:
        await house.imports.take(csv_body(saved.decode(errors="replace")), PERSON)
    assert "UTF-8" in str(caught.value.hint)
    assert not house.book.watched


BROKEN = {
    "a value that is no address": ("b.example.org,web,A,60,192.0.2.999", 3, "value"),
    "a name with an empty part": ("b..example.org,web,A,60,192.0.2.1", 3, "name"),
    "a CNAME beside others": (
        "b.example.org,web,A,60,192.0.2.1\r\nb.example.org,web,CNAME,60,a.example.org",
        4,
        "record_type",
    ),
    "the same domain in another spelling": ("GOOD.example.org.,web,A,60,192.0.2.1", 3, "name"),
}


@pytest.mark.parametrize(("row", "number", "column"), BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_row_is_named_and_nothing_is_imported(
    house: OneHouse, row: str, number: int, column: str
) -> None:
    with pytest.raises(AgentError) as caught:
        await house.imports.take(csv_body(HEAD + GOOD + row), PERSON)
    error = caught.value
    assert (error.field, error.extra["row"], error.extra["column"]) == ("text", number, column)
    assert f"row {number}, column {column}" in error.message
    assert error.hint
    assert not house.book.watched


async def test_a_wrong_value_in_json_is_named_by_its_path(house: OneHouse) -> None:
    wanted = DomainExport.model_validate(
        {"domains": [{"name": "a.example.org"}, {"name": "b.example.org", "provider": "nobody"}]}
    )
    with pytest.raises(AgentError, match=r"domains\.1\.provider"):
        await house.imports.take(ImportBody(text=wanted.model_dump_json()), PERSON)


async def test_what_changed_since_the_plan_stops_the_import(house: OneHouse) -> None:
    plan = await house.imports.take(csv_body(HEAD + GOOD), PERSON)
    await house.add("good.example.org", note="by somebody else")
    with pytest.raises(Conflict) as caught:
        await house.imports.take(csv_body(HEAD + GOOD, plan_hash=plan.hash), PERSON)
    assert caught.value.field == "plan_hash"
    assert (await house.service.shown("good.example.org")).note == "by somebody else"


async def test_replace_forgets_what_is_not_in_it(house: OneHouse) -> None:
    await house.add("gone.example.org")
    await house.add("good.example.org")
    assert await imported(house, csv_body(HEAD + GOOD, replace=True)) == {
        "gone.example.org": "delete",
        "good.example.org": "update",
    }
    assert list(house.book.watched) == ["good.example.org"]
    assert [each.type for each in await house.history("gone.example.org")] == [
        "deleted",
        "created",
    ]
    assert (await house.history("good.example.org"))[0].type == "imported"


async def test_replace_does_not_forget_what_is_provisioned(house: OneHouse) -> None:
    await house.service.put(body("live.example.org"), "anna", provisioned=True, job_id=None)
    with pytest.raises(Conflict, match=r"live\.example\.org is provisioned"):
        await house.imports.take(csv_body(HEAD + GOOD, replace=True), PERSON)


async def test_an_import_does_not_undo_that_something_is_provisioned(house: OneHouse) -> None:
    await house.service.put(body("good.example.org"), "anna", provisioned=True, job_id=None)
    await imported(house, csv_body(HEAD + GOOD))
    assert (await house.service.shown("good.example.org")).provisioned


async def test_too_many_are_refused_as_a_whole(house: OneHouse) -> None:
    await house.add("own.example.org")
    many = tuple(ExportedDomain(name=f"n{n}.example.org") for n in range(models.MOST_DOMAINS))
    with pytest.raises(Conflict, match="2001"):
        await house.imports.take(csv_body(as_csv(many)), PERSON)
    more = (*many, ExportedDomain(name="more.example.org"))
    with pytest.raises(AgentError, match="2001"):
        await house.imports.take(csv_body(as_csv(more)), PERSON)
    assert list(house.book.watched) == ["own.example.org"]


async def test_as_many_as_there_may_be_are_imported_listed_and_filtered(house: OneHouse) -> None:
    many = tuple(
        ExportedDomain(name=f"n{n:04}.example.org", note="even" if n % 2 == 0 else None)
        for n in range(models.MOST_DOMAINS)
    )
    await imported(house, csv_body(as_csv(many)))
    page = await house.reader.page(models.DomainQuery(text="even", after="n0998.example.org"))
    assert (page.total, page.domains[0].id) == (1000, "n1000.example.org")
    with pytest.raises(Conflict, match="2000 domains at most"):
        await house.add("one-more.example.org")
    await house.service.change("n0001.example.org", DomainChange(note="x"), PERSON)


async def test_domains_of_a_provider_that_is_gone_are_still_changed_exported_and_imported(
    house: OneHouse,
) -> None:
    provider = ProviderBody(
        key="old",
        name="Old",
        settings=PowerDnsSettings(
            type=ProviderType.POWERDNS, url="http://dns.lan:8081", api_key=SecretStr("a-key-of-it")
        ),
    )
    (zone, *_) = (await house.dns.add_provider(provider)).zones
    name = f"left.{zone}"
    await house.add(name, provider="old", note="before")
    await house.dns.remove_provider("old")

    changed = await house.service.change(name, DomainChange(note="after", paused=True), PERSON)
    assert changed.note == "after"
    found = await house.imports.export()
    assert await imported(house, ImportBody(text=found.model_dump_json())) == {name: "keep"}
    with pytest.raises(NotFound) as caught:
        await house.service.change(name, DomainChange(provider="older"), PERSON)
    assert caught.value.field == "provider"
