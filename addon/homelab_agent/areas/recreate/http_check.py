"""Whether a container answers over HTTP, as its label asks."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp

from homelab_agent.platform.errors import Invalid

_ONE_TRY_S = 5.0
_WELL = range(200, 400)
_WHOLE = re.compile(r"https?://\S+")
_PART = re.compile(r":(?P<port>[0-9]{1,5})(?P<path>/\S*)?")


@dataclass(frozen=True, slots=True)
class HttpProblem:
    """Why there was no good answer. `reached`: somebody did answer."""

    why: str
    reached: bool


class HttpCheck:
    """Asks addresses for an answer of the 200s or 300s.

    Who answers does not matter here, only that somebody does: certificates are not checked, and
    nothing secret is sent.
    """

    async def problem(self, addresses: Iterable[str]) -> HttpProblem | None:
        """Return why none of the addresses answered well; None where one did."""
        why, reached = "there is no address to ask", False
        timeout = aiohttp.ClientTimeout(total=_ONE_TRY_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for address in addresses:
                try:
                    async with session.get(address, allow_redirects=False, ssl=False) as answer:
                        if answer.status in _WELL:
                            return None
                        why, reached = f"{address} answered {answer.status}", True
                except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                    why = f"{address} did not answer ({type(error).__name__})"
        return HttpProblem(why, reached)


def asked_port(label: str) -> tuple[int, str] | None:
    """Return the port and path that a label like `:8080/health` asks for; None for an address.

    Raises:
        Invalid: it is neither.
    """
    if _WHOLE.fullmatch(label):
        return None
    found = _PART.fullmatch(label)
    if found is None or not 0 < int(found["port"]) < 2**16:
        raise Invalid(
            f"The label homelab.update.http is {label[:80]!r}: not an address.",
            field="homelab.update.http",
            hint="Write http://host:port/path, or :port/path for a port of the container.",
        )
    return int(found["port"]), found["path"] or "/"
