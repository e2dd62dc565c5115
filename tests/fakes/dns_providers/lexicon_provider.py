"""A provider of dns-lexicon as its plug-ins are: one module with a `Provider`, in memory."""

import sys
from dataclasses import dataclass, field
from threading import Event
from time import sleep
from types import ModuleType

import pytest
from lexicon.interfaces import Provider as BaseProvider

from tests.harness.waiting import wait_until

NAME = "in_memory"


@dataclass
class Manners:
    """What it holds, and how it behaves. `hang`: what signing in waits for.

    `slow_s`: how long it takes for each record that it makes.
    """

    held: list[dict[str, str]] = field(default_factory=list)
    hang: Event | None = None
    hang_on_write: Event | None = None
    slow_s: float = 0.0
    error: Exception | None = None
    error_after_writing: Exception | None = None
    lies: bool = False
    signed_in: int = 0
    inside: int = 0

    async def until_back(self) -> None:
        """Wait until no call is in it any more."""

        async def nobody_inside() -> bool:
            return self.inside == 0

        await wait_until(nobody_inside, what="the call that hung to come back")


def installed(monkeypatch: pytest.MonkeyPatch) -> Manners:
    """Have it found among the library's providers, and return how it behaves."""
    manners = Manners()

    class Provider(BaseProvider):
        def authenticate(self) -> None:
            manners.signed_in += 1
            _wait(manners, manners.hang)
            if manners.error is not None:
                raise manners.error

        def list_records(
            self, rtype: str | None = None, name: str | None = None, content: str | None = None
        ) -> list[dict[str, str]]:
            del rtype, name, content
            return list(manners.held)

        def create_record(self, rtype: str, name: str, content: str) -> bool:
            _wait(manners, manners.hang_on_write)
            sleep(manners.slow_s)
            manners.error = manners.error or manners.error_after_writing
            if not manners.lies:
                manners.held.append({"type": rtype, "name": name, "content": content, "ttl": "60"})
            return True

        def update_record(self, *_: object) -> bool:
            raise NotImplementedError

        def delete_record(
            self,
            identifier: str | None = None,
            rtype: str | None = None,
            name: str | None = None,
            content: str | None = None,
        ) -> bool:
            del identifier
            gone = (rtype, name, content)
            manners.held[:] = [
                each
                for each in manners.held
                if (each["type"], each["name"], each["content"]) != gone
            ]
            return True

        @staticmethod
        def get_nameservers() -> list[str]:
            return []

        @staticmethod
        def configure_parser(parser: object) -> None:
            del parser

    module = ModuleType(f"lexicon._private.providers.{NAME}")
    module.Provider = Provider  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return manners


def _wait(manners: Manners, event: Event | None) -> None:
    if event is None:
        return
    manners.inside += 1
    event.wait(20)
    manners.inside -= 1
