import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from homelab_agent.platform.commands import Caller, Scope
from homelab_agent.platform.errors import Conflict, Invalid, NotFound
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import token
from homelab_agent.platform.tokens import Tokens
from tests.clock import HandClock


async def test_a_new_token_lets_its_owner_in_with_the_scope_it_was_given(tokens: Tokens) -> None:
    secret = await tokens.create("phone", Scope.OPERATE)

    assert re.fullmatch(r"hl_[0-9a-f]{8}_[\w-]{43}", secret)
    assert await tokens.verify(secret) == Caller(name="phone", scope=Scope.OPERATE)


async def test_a_stolen_database_gives_no_token_away(tokens: Tokens, store: Store) -> None:
    secret = await tokens.create("phone", Scope.ADMIN)

    async with store.read() as connection:
        row = (await connection.execute(select(token))).one()
    assert all(secret not in str(value) for value in row)
    _, _, kept_nowhere = secret.split("_", 2)  # which may hold an underscore itself
    assert all(kept_nowhere not in str(value) for value in row)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "hl_",
        "Bearer x",
        "hl_00000000_" + "a" * 43,
        "hl_0000000g_" + "a" * 43,
        "hl_00000000_" + "a" * 44,
        "hl_00000000_" + "ä" * 43,
        "hl_00000000_" + "a" * 43 + "\n",
    ],
)
async def test_a_guess_is_nobodys_token(tokens: Tokens, wrong: str) -> None:
    await tokens.create("phone", Scope.READ)

    assert await tokens.verify(wrong) is None


async def test_the_right_id_with_a_wrong_secret_is_nobodys_token(tokens: Tokens) -> None:
    secret = await tokens.create("phone", Scope.READ)
    assert await tokens.verify(secret)

    assert await tokens.verify(secret[:-1] + ("A" if secret[-1] != "A" else "B")) is None


async def test_a_revoked_token_is_refused_at_once_by_name_or_by_id(tokens: Tokens) -> None:
    by_name = await tokens.create("phone", Scope.READ)
    by_id = await tokens.create("tablet", Scope.READ)
    assert await tokens.verify(by_name)

    await tokens.revoke("phone")
    revoked = await tokens.revoke(by_id.split("_")[1])

    assert revoked.name == "tablet"
    assert await tokens.verify(by_name) is None
    assert await tokens.verify(by_id) is None
    assert await tokens.list() == ()


async def test_what_the_command_line_revokes_the_running_agent_refuses_soon(
    store: Store, store_url: str, tmp_path: Path, clock: HandClock
) -> None:
    agent = Tokens(store, clock, remembered_s=0)
    secret = await agent.create("phone", Scope.READ)
    assert await agent.verify(secret)

    other = await Store.open(store_url, tmp_path)
    await Tokens(other, clock).revoke("phone")
    await other.close()

    assert await agent.verify(secret) is None


async def test_what_the_command_line_creates_works_at_once(
    store: Store, store_url: str, tmp_path: Path, clock: HandClock
) -> None:
    agent = Tokens(store, clock)
    other = await Store.open(store_url, tmp_path)
    secret = await Tokens(other, clock).create("phone", Scope.READ)
    await other.close()

    assert await agent.verify(secret)


async def test_a_second_token_of_the_same_name_is_refused_by_field(tokens: Tokens) -> None:
    first = await tokens.create("phone", Scope.READ)

    with pytest.raises(Conflict) as caught:
        await tokens.create("phone", Scope.ADMIN)

    assert caught.value.field == "name"
    assert "phone" in caught.value.message
    assert await tokens.verify(first) == Caller(name="phone", scope=Scope.READ)


async def test_a_rotated_token_replaces_the_old_one(tokens: Tokens) -> None:
    first = await tokens.rotate("home-assistant", Scope.OPERATE)
    assert await tokens.verify(first)

    second = await tokens.rotate("home-assistant", Scope.OPERATE)

    assert await tokens.verify(first) is None
    assert await tokens.verify(second)
    assert [info.name for info in await tokens.list()] == ["home-assistant"]


async def test_the_list_shows_what_a_person_needs_and_no_secret(
    tokens: Tokens, clock: HandClock
) -> None:
    created_at = clock()
    await tokens.create("tablet", Scope.READ)
    clock.advance(hours=1)
    await tokens.create("phone", Scope.ADMIN)

    phone, tablet = await tokens.list()

    assert (phone.name, phone.scope) == ("phone", Scope.ADMIN)
    assert (tablet.name, tablet.created_at) == ("tablet", created_at)
    assert phone.created_at - tablet.created_at == timedelta(hours=1)
    assert set(phone.model_dump()) == {"id", "name", "scope", "created_at"}


@pytest.mark.parametrize("name", ["", " phone", "a" * 65, "two\nlines", "<script>"])
async def test_a_name_that_would_spoil_lists_and_logs_is_refused(tokens: Tokens, name: str) -> None:
    for attempt in (tokens.create, tokens.rotate):
        with pytest.raises(Invalid) as caught:
            await attempt(name, Scope.READ)
        assert caught.value.field == "name"


async def test_revoking_what_is_not_there_says_so(tokens: Tokens) -> None:
    with pytest.raises(NotFound, match="There is no token phone"):
        await tokens.revoke("phone")
