"""Everything that the agent writes and says, to be searched for what must be in none of it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from tests.lab.provisioning_world import ProvisioningWorld


async def said_and_written(world: ProvisioningWorld) -> dict[str, bytes]:
    """Return all of it, by where it was found."""
    texts = _files(world.agent.data_dir)
    texts |= {f"GET {path}": text for path, text in (await _answers(world)).items()}
    texts["stream"] = await _stream(world)
    texts |= {
        f"store: {table}": text
        for table, text in _tables(world.agent.data_dir / "homelab.db").items()
    }
    return texts


def used_secrets(world: ProvisioningWorld) -> dict[str, list[bytes]]:
    """Return every secret, by what it is, each in the ways that it may be written."""
    found = {what: [text.encode()] for what, text in world.secrets.items()}
    found["API token"] = [world.token.encode()]
    key_file = (world.agent.data_dir / "secrets.key").read_text().strip()
    found["key of the vault"] = [key_file.encode()]
    for file in (world.agent.data_dir / "certificates").rglob("*.pem"):
        lines = file.read_text().splitlines()
        if "PRIVATE KEY" in lines[0]:
            # A line in the middle is the key itself, and not what all keys begin with.
            found[f"private key {file.parent.name}"] = [lines[2].encode()]
    return found


def _files(folder: Path) -> dict[str, bytes]:
    """Return all files of the agent but those that are made to hold secrets (0600)."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != "secrets.key" and "certificates" not in file.parts
    }


def _tables(file: Path) -> dict[str, bytes]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        names = store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: _rows(store, name) for (name,) in names}


def _rows(store: sqlite3.Connection, table: str) -> bytes:
    rows = store.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - its own name
    return json.dumps(rows, default=str).encode()


async def _answers(world: ProvisioningWorld) -> dict[str, bytes]:
    """Return what the agent answers to everything that can be asked without naming a thing."""
    description: dict[str, Any] = await world.agent.get("/api/v1/openapi.json", world.token)
    texts = {}
    headers = {"Authorization": f"Bearer {world.token}"}
    async with ClientSession(headers=headers) as session:
        for path, methods in description["paths"].items():
            if "get" in methods and "{" not in path and not path.endswith(("/stream", "/follow")):
                async with session.get(f"{world.agent.url}{path}") as answer:
                    texts[path] = await answer.read()
        page = json.loads(texts["/api/v1/jobs"])
        for job in page["jobs"]:
            path = f"/api/v1/jobs/{job['id']}"
            async with session.get(f"{world.agent.url}{path}") as answer:
                texts[path] = await answer.read()
    return texts


async def _stream(world: ProvisioningWorld) -> bytes:
    """Return the greeting and the snapshot of the stream."""
    headers = {"Authorization": f"Bearer {world.token}"}
    async with (
        ClientSession(headers=headers) as session,
        session.ws_connect(f"{world.agent.url}/api/v1/stream", max_msg_size=0) as socket,
    ):
        greeting = await socket.receive_str()
        await socket.send_str("{}")
        return f"{greeting}{await socket.receive_str()}".encode()
