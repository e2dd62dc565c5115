"""Feeds: who may open them, what they tell, and that nothing of them stays behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientWebSocketResponse, WSCloseCode, WSMsgType, WSServerHandshakeError

from homelab_agent.api.sockets import StreamLimits
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.commands import Scope
from homelab_agent.platform.contract import CLOSE_BAD_MESSAGE, CLOSE_TOKEN_REVOKED
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.tokens import Tokens
from tests.unit.agent.api.conftest import Door, Doors

PATH = "/api/v1/try/web/count"


@asynccontextmanager
async def opened(door: Door, query: str = "?count=2") -> AsyncIterator[ClientWebSocketResponse]:
    headers = {"Authorization": f"Bearer {door.secret}"} if door.secret else {}
    async with (
        asyncio.timeout(30),
        door.session.ws_connect(door.url + PATH + query, headers=headers) as socket,
    ):
        yield socket


async def ended(socket: ClientWebSocketResponse) -> int | None:
    while (await socket.receive()).type is WSMsgType.TEXT:
        pass
    return socket.close_code


async def test_a_feed_tells_what_the_area_tells_and_ends_with_it(door: Door) -> None:
    async with opened(door) as feed:
        first, second = await feed.receive_json(), await feed.receive_json()
        assert (first["name"], first["text"], second["text"]) == ("web", "0", "1")
        door.routes.hold.set()
        assert await ended(feed) == WSCloseCode.OK
    await asyncio.wait_for(door.routes.left.wait(), 30)


async def test_who_leaves_a_feed_ends_it_at_its_area_too(door: Door) -> None:
    async with opened(door):
        await asyncio.wait_for(door.routes.begun.wait(), 30)
    await asyncio.wait_for(door.routes.left.wait(), 30)


async def test_nobody_opens_a_feed_without_a_token_or_with_a_wrong_question(door: Door) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        async with opened(door, "?count=99"):
            pass
    assert refused.value.status == 422
    door.secret = ""
    with pytest.raises(WSServerHandshakeError) as refused:
        async with opened(door):
            pass
    assert refused.value.status == 401
    assert not door.routes.begun.is_set()


async def test_a_feed_that_is_asked_for_as_a_page_says_what_it_is(door: Door) -> None:
    answer = await door.ask(PATH)

    assert answer.status == 400
    assert "detail" in answer.json


async def test_a_feed_counts_as_one_of_the_streams_of_its_token(doors: Doors) -> None:
    door = await doors.open(streams=StreamLimits(streams_per_token=1))
    async with opened(door) as feed:
        await feed.receive_json()
        assert door.streams.count() == 1
        with pytest.raises(WSServerHandshakeError) as refused:
            async with opened(door):
                pass
        assert refused.value.status == 429


async def test_a_revoked_token_ends_the_feed(doors: Doors, store: Store) -> None:
    tokens = Tokens(store, utc_now, remembered_s=0)
    door = await doors.open(tokens=tokens, streams=StreamLimits(token_check_s=0.02))
    door.secret = await tokens.create("lost", Scope.READ)
    async with opened(door) as feed:
        await feed.receive_json()
        await tokens.revoke("lost")
        assert await ended(feed) == CLOSE_TOKEN_REVOKED


async def test_a_feed_takes_no_messages(door: Door) -> None:
    async with opened(door) as feed:
        await feed.send_str("hello")
        assert await ended(feed) == CLOSE_BAD_MESSAGE


async def test_an_agent_that_stops_says_goodbye_to_feeds(door: Door) -> None:
    async with opened(door) as feed:
        await feed.receive_json()
        closing = asyncio.create_task(door.server.close())
        assert await ended(feed) == WSCloseCode.GOING_AWAY
        await closing
