import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from homelab_agent.api.sockets import StreamLimits
from homelab_agent.api.stream_messages import KEPT_CHANGES, StreamMessages
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.commands import Scope
from homelab_agent.platform.contract import (
    CLOSE_BAD_MESSAGE,
    CLOSE_SLOW_CLIENT,
    CLOSE_TOKEN_REVOKED,
    SERVER_MESSAGE,
    ChangesMessage,
    Hello,
    SnapshotMessage,
)
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.tokens import Tokens
from tests.harness.waiting import wait_until
from tests.unit.agent.api.conftest import HELLO, Door, Doors

DEADLINE_S = 30


class Thing(Model):
    """What is published."""

    text: str = ""
    at: datetime | None = None


@asynccontextmanager
async def connected(door: Door) -> AsyncIterator[ClientWebSocketResponse]:
    headers = {"Authorization": f"Bearer {door.secret}"}
    async with (
        asyncio.timeout(DEADLINE_S),
        door.session.ws_connect(f"{door.url}/api/v1/stream", headers=headers) as socket,
    ):
        yield socket


@asynccontextmanager
async def subscribed(
    door: Door, **subscription: object
) -> AsyncIterator[tuple[ClientWebSocketResponse, SnapshotMessage | ChangesMessage]]:
    async with connected(door) as stream:
        await stream.receive()
        await stream.send_json({"type": "subscribe", **subscription})
        yield stream, await heard(stream)


async def heard(stream: ClientWebSocketResponse) -> SnapshotMessage | ChangesMessage:
    message = SERVER_MESSAGE.validate_json(await stream.receive_str())
    assert not isinstance(message, Hello)
    return message


async def closed(stream: ClientWebSocketResponse) -> tuple[int | None, str]:
    message = await stream.receive()
    while message.type is WSMsgType.TEXT:
        message = await stream.receive()
    return stream.close_code, str(message.extra or "")


async def forgotten(door: Door) -> None:
    async def nobody() -> bool:
        return door.streams.count() == 0

    await wait_until(nobody, what="the end of every stream", within_s=DEADLINE_S)


async def test_the_server_greets_first(door: Door) -> None:
    async with connected(door) as stream:
        assert SERVER_MESSAGE.validate_json(await stream.receive_str()) == HELLO


async def test_a_client_gets_everything_and_then_every_change(
    door: Door, resources: Resources
) -> None:
    resources.publish("thing", "a", Thing(text="one", at=datetime(2026, 1, 1, tzinfo=UTC)))
    resources.publish("thing", "gone", Thing())
    resources.remove("thing", "gone")
    async with subscribed(door) as (stream, snapshot):
        assert isinstance(snapshot, SnapshotMessage)
        assert [(each.kind, each.key) for each in snapshot.resources] == [("thing", "a")]
        assert snapshot.resources[0].data == {"text": "one", "at": "2026-01-01T00:00:00Z"}
        assert snapshot.seq == resources.seq
        resources.publish("thing", 'ö"\n', Thing(text='"quoted" \n €'))
        resources.remove("thing", "a")
        changes = await heard(stream)
        assert isinstance(changes, ChangesMessage)
        assert changes.seq == resources.seq
        assert [(each.key, each.data) for each in changes.changes] == [
            ('ö"\n', {"text": '"quoted" \n €', "at": None}),
            ("a", None),
        ]


async def test_what_is_published_between_two_turns_travels_together(
    door: Door, resources: Resources
) -> None:
    async with subscribed(door) as (stream, _):
        for number in range(100):
            resources.publish("thing", str(number), Thing())
        changes = await heard(stream)
        assert isinstance(changes, ChangesMessage)
        assert len(changes.changes) == 100


async def test_a_client_that_was_away_gets_what_it_missed(door: Door, resources: Resources) -> None:
    resources.publish("thing", "a", Thing())
    seq = resources.seq
    resume = {"epoch": resources.epoch, "seq": seq}
    async with subscribed(door, resume=resume) as (_, message):
        assert message == ChangesMessage(seq=seq, changes=())
    resources.publish("thing", "b", Thing())
    async with subscribed(door, resume=resume) as (stream, message):
        assert isinstance(message, ChangesMessage)
        assert [each.key for each in message.changes] == ["b"]
        assert message.seq == seq + 1
        resources.publish("thing", "c", Thing())
        assert (await heard(stream)).seq == seq + 2


async def test_a_client_of_an_earlier_agent_gets_everything(
    door: Door, resources: Resources
) -> None:
    resources.publish("thing", "a", Thing())
    for resume in ({"epoch": "another", "seq": 0}, {"epoch": resources.epoch, "seq": 99}):
        async with subscribed(door, resume=resume) as (_, message):
            assert isinstance(message, SnapshotMessage)


async def test_a_client_hears_only_the_kinds_it_asked_for(door: Door, resources: Resources) -> None:
    resources.publish("other", "a", Thing())
    resources.publish("thing", "a", Thing())
    async with subscribed(door, kinds=["thing", "unheard of"]) as (stream, snapshot):
        assert isinstance(snapshot, SnapshotMessage)
        assert [each.kind for each in snapshot.resources] == ["thing"]
        resources.publish("other", "b", Thing())
        await asyncio.sleep(0)
        resources.publish("thing", "b", Thing())
        message = await heard(stream)
        assert isinstance(message, ChangesMessage)
        assert [each.kind for each in message.changes] == ["thing"]
        assert message.seq == resources.seq


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("{", "Invalid JSON"),
        ("[]", "object"),
        ('{"type": "hello"}', "type"),
        ('{"type": "subscribe", "colour": 1}', "colour"),
        ('{"type": "subscribe", "kinds": "thing"}', "kinds"),
        ('{"type": "subscribe", "resume": {"epoch": "a", "seq": "1"}}', "resume.seq"),
        ('{"type": "subscribe", "' + "ä" * 200 + '": 1}', "ä"),
    ],
)
async def test_a_bad_subscription_is_told_what_is_wrong(
    door: Door, message: str, reason: str
) -> None:
    async with connected(door) as stream:
        await stream.receive()
        await stream.send_str(message)
        code, said = await closed(stream)
        assert code == CLOSE_BAD_MESSAGE
        assert reason in said


async def test_a_subscription_in_bytes_is_refused(door: Door) -> None:
    async with connected(door) as stream:
        await stream.receive()
        await stream.send_bytes(b"{}")
        assert (await closed(stream))[0] == CLOSE_BAD_MESSAGE


async def test_a_second_message_ends_the_stream(door: Door) -> None:
    async with subscribed(door) as (stream, _):
        await stream.send_str('{"type": "subscribe"}')
        assert (await closed(stream))[0] == CLOSE_BAD_MESSAGE


async def test_a_message_without_end_is_not_collected(doors: Doors) -> None:
    door = await doors.open(streams=StreamLimits(message_bytes=1000))
    async with connected(door) as stream:
        await stream.receive()
        await stream.send_str("x" * 5000)
        assert (await closed(stream))[0] == 1009


async def test_a_client_that_never_subscribes_is_sent_away(doors: Doors) -> None:
    door = await doors.open(streams=StreamLimits(subscribe_s=0.05))
    async with connected(door) as stream:
        await stream.receive()
        code, reason = await closed(stream)
        assert (code, reason) == (CLOSE_BAD_MESSAGE, "no subscription within 0.05 s")


async def test_a_client_that_leaves_is_forgotten(door: Door, resources: Resources) -> None:
    async with subscribed(door):
        assert door.streams.count() == 1
    async with connected(door):
        pass
    await forgotten(door)
    assert not resources._subscriptions


async def test_a_client_that_vanishes_without_a_word_is_forgotten(door: Door) -> None:
    async with subscribed(door) as (stream, _):
        connection = stream._conn
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
        await forgotten(door)


async def test_a_client_too_slow_for_the_changes_is_cut_off(doors: Doors) -> None:
    resources = Resources(queue_changes=10)
    door = await doors.open(resources=resources)
    async with subscribed(door) as (stream, _):
        for number in range(11):
            resources.publish("thing", str(number), Thing())
        code, reason = await closed(stream)
        assert code == CLOSE_SLOW_CLIENT
        assert reason.startswith("too slow")


async def test_a_client_that_stops_reading_is_cut_off(
    doors: Doors, resources: Resources, capfd: pytest.CaptureFixture[str]
) -> None:
    door = await doors.open(streams=StreamLimits(send_s=0.2, close_s=0.2))
    reader, writer = await stalled_client(door)
    await flood_until_forgotten(door, resources)
    async with asyncio.timeout(DEADLINE_S):
        # It may be reading again only now: it finds the end, and not a stream that is stale.
        with suppress(ConnectionResetError):
            while await reader.read(65536):
                pass
    writer.close()
    said = "".join(capfd.readouterr())
    assert "code=4008" in said
    assert "status=101" in said


async def test_a_client_that_reads_slowly_is_told_why_it_is_cut_off(
    doors: Doors, resources: Resources
) -> None:
    door = await doors.open(streams=StreamLimits(send_s=0.2, close_s=DEADLINE_S))
    reader, writer = await stalled_client(door)
    flooding = asyncio.ensure_future(flood_until_forgotten(door, resources))
    farewell = b"too slow: a message was not taken in time"
    tail = b""
    async with asyncio.timeout(DEADLINE_S * 2):
        await asyncio.sleep(0.5)  # what makes it slow
        while chunk := await reader.read(65536):
            tail = (tail + chunk)[-200:]
            if farewell in tail:
                # Its own close frame, as every WebSocket client answers.
                writer.write(bytes([0x88, 0x82, 0, 0, 0, 0]) + (4008).to_bytes(2))
                break
        await flooding
    assert (4008).to_bytes(2) + farewell in tail
    writer.close()


async def flood_until_forgotten(door: Door, resources: Resources) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while door.streams.count():
            resources.publish("thing", "large", Thing(text="x" * 100_000, at=utc_now()))
            await asyncio.sleep(0.001)


async def stalled_client(door: Door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a client that subscribed and whose buffers are as small as they can be."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (door.host, door.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
    writer.write(
        f"GET /api/v1/stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {door.secret}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    subscription = b'{"type":"subscribe"}'
    writer.write(bytes([0x81, 0x80 | len(subscription), 0, 0, 0, 0]) + subscription)
    while b'"type":"snapshot"' not in await reader.read(1024):
        pass
    return reader, writer


async def test_a_slow_client_does_not_hold_up_the_others(
    doors: Doors, resources: Resources
) -> None:
    door = await doors.open()
    _, writer = await stalled_client(door)
    async with subscribed(door) as (stream, _):
        for number in range(100):
            resources.publish("thing", "large", Thing(text=f"{number}" + "x" * 100_000))
            message = await heard(stream)
            assert message.seq == resources.seq
    writer.transport.abort()


async def test_a_revoked_token_ends_the_stream(doors: Doors, store: Store) -> None:
    tokens = Tokens(store, utc_now, remembered_s=0)
    door = await doors.open(tokens=tokens, streams=StreamLimits(token_check_s=0.02))
    door.secret = await tokens.create("lost", Scope.READ)
    async with subscribed(door) as (stream, _):
        await tokens.revoke("lost")
        assert (await closed(stream))[0] == CLOSE_TOKEN_REVOKED
    with pytest.raises(WSServerHandshakeError) as refused:
        async with connected(door):
            pass
    assert refused.value.status == 401


async def test_a_token_is_noticed_to_be_revoked_within_half_a_minute() -> None:
    limits, remembered_s = StreamLimits(), 5
    assert limits.token_check_s + remembered_s <= 30


async def test_a_store_that_is_away_turns_no_known_client_out(
    doors: Doors, resources: Resources, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/homelab.db", folder)
    tokens = Tokens(store, utc_now, remembered_s=0)
    door = await doors.open(tokens=tokens, streams=StreamLimits(token_check_s=0.01))
    async with subscribed(door) as (stream, _):
        await store.close()
        folder.rename(tmp_path / "elsewhere")

        async def noticed() -> bool:
            return "token_check_failed" in "".join(capfd.readouterr())

        await wait_until(noticed, what="the store's absence", within_s=DEADLINE_S)
        resources.publish("thing", "a", Thing())
        assert (await heard(stream)).seq == resources.seq
    await forgotten(door)
    await store.close()


async def test_streams_are_told_when_the_agent_stops(door: Door) -> None:
    async with connected(door) as waiting, subscribed(door) as (stream, _):
        closing = asyncio.ensure_future(door.server.close())
        assert (await closed(stream))[0] == 1001
        assert (await closed(waiting))[0] == 1001
        await closing


async def test_a_client_that_comes_back_while_the_agent_stops_is_told_so(door: Door) -> None:
    await door.streams.close()
    with pytest.raises(WSServerHandshakeError) as refused:
        async with connected(door):
            pass
    assert refused.value.status == 503


async def test_streams_are_not_without_number(doors: Doors) -> None:
    door = await doors.open(streams=StreamLimits(streams=1))
    async with subscribed(door):
        with pytest.raises(WSServerHandshakeError) as refused:
            async with connected(door):
                pass
        assert refused.value.status == 429


async def test_the_stream_is_no_page(door: Door) -> None:
    answer = await door.ask("/api/v1/stream")
    assert (answer.status, answer.json["code"]) == (400, "malformed")


def test_what_many_hear_is_written_once() -> None:
    resources, messages = Resources(), StreamMessages()
    with resources.subscribe() as subscription:
        resources.publish("thing", "a", Thing(text="x"))
        batch = tuple(subscription._pending)
    first, second = (messages.changes(batch) for _ in range(2))
    assert first == second
    assert first is not None
    assert json.loads(first)["changes"][0]["data"]["text"] == "x"
    assert len(messages._parts) == 1
    for number in range(KEPT_CHANGES + 5):
        with resources.subscribe() as subscription:
            resources.publish("thing", str(number), Thing(text="y"))
            messages.changes(tuple(subscription._pending))
    assert len(messages._parts) == KEPT_CHANGES


async def test_one_token_cannot_shut_the_others_out_of_the_stream(doors: Doors) -> None:
    door = await doors.open(streams=StreamLimits(streams=3, streams_per_token=2))
    greedy = {"Authorization": f"Bearer {await door.tokens.create('greedy', Scope.READ)}"}
    url = f"{door.url}/api/v1/stream"
    held = [await door.session.ws_connect(url, headers=greedy) for _ in range(2)]
    with pytest.raises(WSServerHandshakeError) as refused:
        await door.session.ws_connect(url, headers=greedy)
    assert refused.value.status == 429
    other = {"Authorization": f"Bearer {door.secret}"}
    async with door.session.ws_connect(url, headers=other) as socket:
        assert (await socket.receive_json())["type"] == "hello"
    for socket in held:
        await socket.close()
