"""Makes a Home Assistant ready for scripts/run: its folder, a user, the integration connected.

usage: python -m scripts.parts.home_assistant prepare FOLDER PORT
       python -m scripts.parts.home_assistant connect FOLDER PORT AGENT_PORT
`connect` finds HOMELAB_RUN_USER, HOMELAB_RUN_PASSWORD and HOMELAB_RUN_TOKEN (the agent's) in its
environment.
Safe to repeat: what is there is left as it is; the agent's address and token are corrected.
"""

import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession

from tests.harness.home_assistant import answers, log_in, onboard, write_config
from tests.harness.home_assistant_api import HomeAssistantApi, HomeAssistantRefused
from tests.harness.waiting import wait_until

START_S = 180
CONFIGURATION = Path(__file__).with_name("homeassistant.yaml")


class NotReadyError(Exception):
    """Home Assistant did not do what it was asked; the message is for a person."""


def prepare(folder: Path, port: int) -> None:
    """Write the files Home Assistant starts with."""
    write_config(folder, host="127.0.0.1", port=port, configuration=CONFIGURATION.read_text())


async def connect(folder: Path, port: int, agent_port: int) -> None:
    """Wait for Home Assistant, then make the user and the integration's entry where missing."""
    url = f"http://127.0.0.1:{port}"
    async with ClientSession() as session:
        await wait_until(
            lambda: answers(session, url), what="Home Assistant to answer", within_s=START_S
        )
        token = await _token(session, url)
        api = HomeAssistantApi(session, url, token)
        await _connect_agent(api, folder, agent_port)
        await wait_until(lambda: _loaded(api), what="the integration to start", within_s=START_S)


async def _token(session: ClientSession, url: str) -> str:
    user, password = os.environ["HOMELAB_RUN_USER"], os.environ["HOMELAB_RUN_PASSWORD"]
    async with session.get(f"{url}/api/onboarding") as answer:
        # The page is gone as soon as there is a user.
        first = answer.ok and any(
            step["step"] == "user" and not step["done"] for step in await answer.json()
        )
    make = onboard if first else log_in
    return await make(session, url, user=user, password=password)


async def _connect_agent(api: HomeAssistantApi, folder: Path, agent_port: int) -> None:
    wanted = {
        "host": "127.0.0.1",
        "port": agent_port,
        "token": os.environ["HOMELAB_RUN_TOKEN"],
        "ssl": False,
    }
    signature = hashlib.sha256(json.dumps(wanted).encode()).hexdigest()
    remembered = folder / ".homelab-agent"
    entries = await _entries(api)
    if entries and remembered.exists() and remembered.read_text() == signature:
        return
    start = {"handler": "homelab"} | ({"entry_id": entries[0]["entry_id"]} if entries else {})
    step = await api.call("POST", "/api/config/config_entries/flow", start)
    while step["type"] == "form":
        if step.get("errors"):
            raise NotReadyError(f"the integration did not accept the agent: {step['errors']}")
        asked = {field["name"] for field in step.get("data_schema") or ()}
        given = {name: value for name, value in wanted.items() if name in asked}
        step = await api.next_step(step["flow_id"], given)
    if step["type"] != "create_entry" and step.get("reason") != "reconfigure_successful":
        raise NotReadyError(f"the integration was not set up: {step.get('reason', step['type'])}")
    remembered.write_text(signature)


async def _loaded(api: HomeAssistantApi) -> bool:
    states = {entry["state"]: entry.get("reason") for entry in await _entries(api)}
    for state in ("setup_error", "migration_error"):
        if state in states:
            raise NotReadyError(f"the integration did not start: {states[state]}")
    return set(states) == {"loaded"}


async def _entries(api: HomeAssistantApi) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await api.call(
        "GET", "/api/config/config_entries/entry?domain=homelab"
    )
    return found


def main() -> int:
    """Do what the command line says; the only output is about what went wrong."""
    command, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    try:
        if command == "prepare":
            prepare(folder, port)
        else:
            asyncio.run(connect(folder, port, int(sys.argv[4])))
    except (NotReadyError, HomeAssistantRefused, ClientError, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
