"""Logs: one line per event on stderr, JSON or text, without secrets."""

import logging
import sys
from typing import Literal, TextIO

import structlog
from structlog.stdlib import BoundLogger
from structlog.typing import EventDict, Processor, WrappedLogger

from homelab_agent.platform.secrets import SecretFilter

type Level = Literal["debug", "info", "warning", "error"]
type Format = Literal["json", "text"]

# They tell at "info" what only their own developers want to know.
_QUIET = ("aiohttp.access", "alembic", "asyncio", "zeroconf")

# They repeat at "debug" whatever is stored, read or sent: digests of tokens, arguments of jobs, the
# keys of providers.
_NEVER_TALKATIVE = ("acme", "aiosqlite", "lexicon", "sqlalchemy", "urllib3")


def get_logger(name: str) -> BoundLogger:
    """Return a logger: `log.info("what happened", key=value)`."""
    logger: BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def configure_logging(
    level: Level, format_: Format, secrets: SecretFilter, *, stream: TextIO | None = None
) -> None:
    """Send the logs of this program and of its libraries to `stream` (stderr), masked."""
    shared: tuple[Processor, ...] = (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    )
    structlog.configure(
        processors=(
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ),
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=(
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _Masking(secrets),
                _renderer(format_),
            ),
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel("DEBUG" if level == "debug" else "WARNING")
    for name in _NEVER_TALKATIVE:
        logging.getLogger(name).setLevel("WARNING")


class _Masking:
    """Masks every text of an event, the trace of an exception included."""

    def __init__(self, secrets: SecretFilter) -> None:
        self._secrets = secrets

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {key: self._mask(value) for key, value in event.items()}

    def _mask(self, value: object) -> object:
        match value:
            case str():
                return self._secrets.mask(value)
            case bool() | int() | float() | None:
                return value
            case dict():
                return {self._mask(key): self._mask(inner) for key, inner in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._mask(inner) for inner in value]
            case _:
                # Rendered here, not later: what an object shows of itself may be secret too.
                return self._secrets.mask(str(value))


def _renderer(format_: Format) -> Processor:
    if format_ == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
