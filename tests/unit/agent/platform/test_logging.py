import io
import json
import logging
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import structlog

from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.commands import Scope
from homelab_agent.platform.logging import Format, Level, configure_logging, get_logger
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.tokens import Tokens

type Configure = Callable[..., io.StringIO]


@pytest.fixture
def configure() -> Iterator[Configure]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    secrets = SecretFilter()
    secrets.add("swordfish")

    def set_up(level: Level = "info", format_: Format = "json") -> io.StringIO:
        stream = io.StringIO()
        configure_logging(level, format_, secrets, stream=stream)
        return stream

    yield set_up
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_event_is_one_line_of_json_with_time_level_and_origin(configure: Configure) -> None:
    stream = configure()

    get_logger("homelab.test").info("started", port=8099, name="Küche")

    (line,) = _lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "started",
        "level": "info",
        "logger": "homelab.test",
        "port": 8099,
        "name": "Küche",
    }


def test_what_libraries_log_looks_the_same(configure: Configure) -> None:
    stream = configure()

    logging.getLogger("some.library").warning("lost %s of %d", "one", 3)

    (line,) = _lines(stream)
    assert (line["event"], line["level"], line["logger"]) == (
        "lost one of 3",
        "warning",
        "some.library",
    )


def test_no_secret_gets_out_of_messages_values_or_traces(configure: Configure) -> None:
    stream = configure()

    class Shy:
        def __repr__(self) -> str:
            return "<swordfish>"

    log = get_logger("homelab.test")
    log.warning("it is swordfish", nested={"swordfish": ["swordfish", 1, None, Shy()]})
    logging.getLogger("some.library").warning("it is %s", "swordfish")
    try:
        _fail("swordfish")
    except RuntimeError:
        log.exception("broke")

    assert "swordfish" not in stream.getvalue()
    first, _, third = _lines(stream)
    assert first["nested"] == {"***": ["***", 1, None, "<***>"]}
    assert "RuntimeError: the password is ***" in third["exception"]


def _fail(secret: str) -> None:
    raise RuntimeError(f"the password is {secret}")


def test_text_is_for_people_and_masked_as_well(configure: Configure) -> None:
    stream = configure(format_="text")

    log = get_logger("homelab.test")
    log.info("started", port=8099)
    try:
        _fail("swordfish")
    except RuntimeError:
        log.exception("broke")

    text = stream.getvalue()
    assert "started" in text
    assert "port=8099" in text
    assert "RuntimeError: the password is ***" in text
    assert "swordfish" not in text


def test_the_level_decides_and_libraries_do_not_chatter(configure: Configure) -> None:
    stream = configure("info")
    get_logger("homelab.test").debug("small talk")
    logging.getLogger("aiohttp.access").info("GET /")
    assert stream.getvalue() == ""

    stream = configure("debug")
    get_logger("homelab.other").debug("small talk")
    logging.getLogger("aiohttp.access").info("GET /")
    assert [line["event"] for line in _lines(stream)] == ["small talk", "GET /"]


async def test_a_log_at_debug_repeats_nothing_of_what_is_stored(
    configure: Configure, store_url: str, tmp_path: Path
) -> None:
    stream = configure("debug")
    store = await Store.open(store_url, tmp_path)
    tokens = Tokens(store, utc_now)
    secret = await tokens.create("phone", Scope.READ)
    await tokens.verify(secret)
    await store.close()
    assert sha256(secret.encode()).hexdigest() not in stream.getvalue()
