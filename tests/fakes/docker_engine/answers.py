"""How the fake engine answers, whichever side of it is asked."""

from datetime import UTC, datetime

from aiohttp import web


def error(status: int, message: str) -> web.Response:
    """Answer as Docker does when it cannot do something."""
    return web.json_response({"message": message}, status=status)


def now() -> str:
    """Return the time as Docker writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
