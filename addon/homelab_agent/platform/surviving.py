"""Work that must not end the loop that does it, whatever goes wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger

_log = get_logger(__name__)


@dataclass(slots=True)
class Survived:
    """How work went."""

    failed: bool = False


@contextmanager
def surviving(work: str, **about: str) -> Iterator[Survived]:
    """Give how the body went, once it is over; what goes wrong in it is logged as `work`.

    Being cancelled is nothing that goes wrong.
    """
    went = Survived()
    try:
        yield went
    except AgentError as error:
        went.failed = True
        _log.warning(f"{work}_failed", why=error.message, **about)
    except Exception:  # noqa: BLE001  # a stranger's answer, or our mistake, concerns only this
        went.failed = True
        _log.exception(f"{work}_broke_down", **about)
