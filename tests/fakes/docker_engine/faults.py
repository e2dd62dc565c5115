"""What goes wrong at the fake engine, as a test asks for it."""

import asyncio
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What happens instead of an answer: a status with a body, a hang, or a cut connection."""

    status: int = 0
    body: str = ""
    content_type: str = "application/json"
    hang: bool = False
    cut: bool = False
    half: bool = False
    """The connection is cut in the middle of the answer."""
    work_first: bool = False
    """The work is done, only the answer goes wrong."""


@dataclass
class Held:
    """Answers that are made at once but sent only after `release`."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
