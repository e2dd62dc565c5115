"""What the tests say to a running Home Assistant: its own REST and WebSocket API."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

MAX_MESSAGE_BYTES = 0  # no limit


class HomeAssistantRefused(Exception):
    """Home Assistant answered with an error."""


class HomeAssistantApi:
    """The REST API, as the user whose token it is."""

    def __init__(self, session: ClientSession, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self._session = session

    async def call(self, method: str, path: str, json: object = None) -> Any:
        """Do one request and return its JSON."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self._session.request(
            method, f"{self.url}{path}", json=json, headers=headers
        ) as answer:
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise HomeAssistantRefused(
                    f"{method} {path}: {answer.status} {await answer.text()}"
                )
            return await answer.json()

    async def state(self, entity_id: str) -> str | None:
        """Return an entity's state, None where there is no such entity."""
        answer = await self.call("GET", "/api/states")
        return next((each["state"] for each in answer if each["entity_id"] == entity_id), None)

    async def action(
        self,
        domain: str,
        name: str,
        data: Mapping[str, object] | None = None,
        *,
        response: bool = False,
    ) -> Any:
        """Call an action; return its response where one is asked for."""
        question = "?return_response" if response else ""
        answer = await self.call("POST", f"/api/services/{domain}/{name}{question}", data or {})
        return answer["service_response"] if response else answer

    async def start_flow(self, handler: str) -> dict[str, Any]:
        """Begin a config flow as its user would; return the first step."""
        step: dict[str, Any] = await self.call(
            "POST", "/api/config/config_entries/flow", {"handler": handler}
        )
        return step

    async def next_step(self, flow_id: str, data: Mapping[str, object]) -> dict[str, Any]:
        """Answer a step of a flow; return the next."""
        step: dict[str, Any] = await self.call(
            "POST", f"/api/config/config_entries/flow/{flow_id}", data
        )
        return step

    async def add_homelab(self, host: str, port: int, token: str, **more: object) -> str:
        """Set the integration up by hand; return the id of the entry."""
        step = await self.start_flow("homelab")
        if step["type"] == "menu":
            step = await self.next_step(step["flow_id"], {"next_step_id": "user"})
        answer = {"host": host, "port": port, "token": token, "ssl": False, **more}
        step = await self.next_step(step["flow_id"], answer)
        if step["type"] != "create_entry":
            raise HomeAssistantRefused(f"the integration was not set up: {step}")
        entry_id: str = step["result"]["entry_id"]
        return entry_id

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[HomeAssistantSocket]:
        """Give the WebSocket API, logged in."""
        async with self._session.ws_connect(
            f"{self.url}/api/websocket", max_msg_size=MAX_MESSAGE_BYTES
        ) as connection:
            await connection.receive_json()
            await connection.send_json({"type": "auth", "access_token": self.token})
            answer = await connection.receive_json()
            if answer["type"] != "auth_ok":
                raise HomeAssistantRefused(str(answer))
            socket = HomeAssistantSocket(connection)
            reader = asyncio.create_task(socket.read())
            try:
                yield socket
            finally:
                await connection.close()
                await reader


class HomeAssistantSocket:
    """The WebSocket API: commands with answers, subscriptions as queues."""

    def __init__(self, connection: ClientWebSocketResponse) -> None:
        self._connection = connection
        self._last_id = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._events: dict[int, asyncio.Queue[dict[str, Any]]] = {}

    async def command(self, kind: str, **arguments: object) -> Any:
        """Send a command; return its result."""
        return (await self._ask(kind, arguments))["result"]

    async def subscribe(self, kind: str, **arguments: object) -> asyncio.Queue[dict[str, Any]]:
        """Send a subscribing command; return the queue that its events go to."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._events[self._last_id + 1] = queue
        await self._ask(kind, arguments)
        return queue

    async def entities(self) -> list[dict[str, Any]]:
        """Return the entity registry."""
        answer: list[dict[str, Any]] = await self.command("config/entity_registry/list")
        return answer

    async def devices(self) -> list[dict[str, Any]]:
        """Return the device registry."""
        answer: list[dict[str, Any]] = await self.command("config/device_registry/list")
        return answer

    async def read(self) -> None:
        """Hand out what arrives until the connection ends."""
        async for message in self._connection:
            # Home Assistant joins messages that wait for a slow line into one list.
            content = message.json()
            for each in content if isinstance(content, list) else (content,):
                self._hand_out(each)
        for waiting in self._answers.values():
            waiting.set_exception(ConnectionResetError("Home Assistant closed the connection"))

    def _hand_out(self, message: dict[str, Any]) -> None:
        identity = message["id"]
        if message["type"] == "event":
            if queue := self._events.get(identity):
                queue.put_nowait(message["event"])
        elif answer := self._answers.pop(identity, None):
            answer.set_result(message)

    async def _ask(self, kind: str, arguments: Mapping[str, object]) -> dict[str, Any]:
        self._last_id = identity = self._last_id + 1
        self._answers[identity] = future = asyncio.get_running_loop().create_future()
        await self._connection.send_json({"id": identity, "type": kind, **arguments})
        answer: dict[str, Any] = await future
        if not answer.get("success"):
            raise HomeAssistantRefused(f"{kind}: {answer.get('error')}")
        return answer
