"""A real Home Assistant in a process of its own, with its first user made."""

import json
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import ClientError, ClientSession

from tests.harness.home_assistant_api import HomeAssistantApi, HomeAssistantRefused
from tests.harness.ports import free_port
from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAM = CHECKOUT / ".venv-ha" / "bin" / "hass"
START_S = 120

USER = "homelab"
PASSWORD = "homelab-please"
CONFIGURATION = """\
automation: !include automations.yaml
frontend:
config:
history:
logbook:
logger:
  default: warning
  logs:
    custom_components.homelab: info
"""
# The welcome pages would set up integrations that talk to the internet.
WELCOME_PAGES_SEEN = {
    "version": 4,
    "minor_version": 1,
    "key": "onboarding",
    "data": {"done": ["core_config", "analytics", "integration"]},
}


def write_config(
    config_dir: Path, *, host: str, port: int, configuration: str = CONFIGURATION
) -> None:
    """Make the folder of a small Home Assistant that has the integration of this checkout."""
    storage = config_dir / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    (config_dir / "configuration.yaml").write_text(configuration)
    automations = config_dir / "automations.yaml"
    if not automations.exists():
        automations.write_text("[]\n")
    (storage / "http").write_text(json.dumps(_address(host, port)))
    if not (storage / "onboarding").exists():
        (storage / "onboarding").write_text(json.dumps(WELCOME_PAGES_SEEN))
    link = config_dir / "custom_components"
    if not link.is_symlink():
        link.symlink_to(CHECKOUT / "custom_components")


def _address(host: str, port: int) -> dict[str, object]:
    """Return the address as Home Assistant keeps it; one in its YAML it only tries for a while.

    It is the file's first version, which Home Assistant completes with its defaults.
    """
    data = {"server_host": [host], "server_port": port}
    return {"version": 1, "minor_version": 1, "key": "http", "data": data}


async def answers(session: ClientSession, url: str) -> bool:
    """Return whether Home Assistant is far enough to be set up or logged in to."""
    try:
        async with session.get(f"{url}/api/onboarding") as answer:
            # Once the first user exists this page is gone.
            return answer.ok or answer.status == HTTPStatus.NOT_FOUND
    except ClientError:
        return False


async def onboard(
    session: ClientSession, url: str, *, user: str = USER, password: str = PASSWORD
) -> str:
    """Make the first user, the only welcome step that is left; return an access token."""
    client = f"{url}/"
    async with session.post(
        f"{url}/api/onboarding/users",
        json={
            "client_id": client,
            "name": user.capitalize(),
            "username": user,
            "password": password,
            "language": "en",
        },
    ) as answer:
        if not answer.ok:
            raise HomeAssistantRefused(f"the first user was not made: {await answer.text()}")
        code = (await answer.json())["auth_code"]
    return await _exchange(session, url, client, code)


async def log_in(
    session: ClientSession, url: str, *, user: str = USER, password: str = PASSWORD
) -> str:
    """Log an existing user in; return an access token."""
    client = f"{url}/"
    start = {"client_id": client, "handler": ["homeassistant", None], "redirect_uri": client}
    async with session.post(f"{url}/auth/login_flow", json=start) as answer:
        flow = await answer.json()
    body = {"client_id": client, "username": user, "password": password}
    async with session.post(f"{url}/auth/login_flow/{flow['flow_id']}", json=body) as answer:
        step = await answer.json()
    if step["type"] != "create_entry":
        raise HomeAssistantRefused(f"the user could not log in: {step}")
    return await _exchange(session, url, client, step["result"])


async def _exchange(session: ClientSession, url: str, client: str, code: str) -> str:
    form = {"grant_type": "authorization_code", "code": code, "client_id": client}
    async with session.post(f"{url}/auth/token", data=form) as answer:
        if not answer.ok:
            raise HomeAssistantRefused(f"no access token: {await answer.text()}")
        token: str = (await answer.json())["access_token"]
        return token


class HomeAssistant:
    """One Home Assistant with its folder. After a restart it listens at the same port."""

    def __init__(self, config_dir: Path, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.config_dir = config_dir
        self.host = host
        self.port = port or free_port()
        self.session = ClientSession()
        self._api: HomeAssistantApi | None = None
        self._process = LoggedProcess(
            [str(PROGRAM), "--config", str(config_dir), "--skip-pip", "--log-no-color"],
            log=config_dir / "output.log",
            environment=clean_environment(),
        )

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://{self.host}:{self.port}"

    @property
    def api(self) -> HomeAssistantApi:
        """The API as the first user."""
        if self._api is None:
            raise HomeAssistantRefused("Home Assistant was not started")
        return self._api

    @property
    def pid(self) -> int:
        """The process id of Home Assistant."""
        return self._process.pid

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self._process.log

    async def start(self) -> None:
        """Start Home Assistant, make the first user when there is none, wait until it runs."""
        write_config(self.config_dir, host=self.host, port=self.port)
        await self._process.start()
        await wait_until(self._answers, what="Home Assistant to answer", within_s=START_S)
        if self._api is None:
            token = await onboard(self.session, self.url)
            self._api = HomeAssistantApi(self.session, self.url, token)
        await wait_until(self._runs, what="Home Assistant to finish starting", within_s=START_S)

    async def stop(self) -> int | None:
        """End Home Assistant in its own good way; return its exit code."""
        return await self._process.stop()

    async def kill(self) -> None:
        """End Home Assistant as a power cut would."""
        await self._process.kill()

    async def close(self) -> None:
        """End it and the connections to it."""
        try:
            await self.stop()
        finally:
            await self.session.close()

    async def _answers(self) -> bool:
        self._process.require_running()
        return await answers(self.session, self.url)

    async def _runs(self) -> bool:
        self._process.require_running()
        try:
            answer = await self.api.call("GET", "/api/config")
        except ClientError, HomeAssistantRefused:
            return False
        return bool(answer["state"] == "RUNNING")
