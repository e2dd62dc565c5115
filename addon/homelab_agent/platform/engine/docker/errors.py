"""What went wrong at the engine, in the agent's own errors: the only place that classifies it."""

import errno
import json
import re
from dataclasses import dataclass
from http import HTTPStatus

from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.errors import (
    AgentError,
    Conflict,
    Denied,
    Failed,
    Invalid,
    NotFound,
    TimedOut,
    Unavailable,
)

_LONGEST_MESSAGE = 400

_HANG_UPS = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})
"""A connection that breaks has an errno too, but it was there."""

_FORBIDDEN = frozenset({401, 403, 405})
"""What socket proxies answer to what they do not let through."""

_FORBIDDEN_BY_DOCKER = (
    "address already in use",
    "has active endpoints",
    "pre-defined network",
    "predefined",
    "user configured subnet",
)
"""What Docker itself answers with 403: nobody else could have allowed it."""

_GATEWAY = frozenset({502, 503, 504})
"""What a proxy answers when the engine behind it is away."""

_CONFLICTS = (
    "is not running",
    "is not paused",
    "is already paused",
    "is paused",
    "is restarting",
    "is marked for removal",
    "removal of container",
)
"""Some versions answer these with 500 instead of 409."""

OUT_OF_SEQUENCE = "out_of_sequence"
"""In the `extra` of a `Conflict`: read again what is to be changed, and change that."""

_NO_MANAGER = "not a swarm manager"
"""Docker answers this with the status of a gateway."""

_OUT_OF_SEQUENCE = "out of sequence"
"""Somebody else changed it in between. Docker answers this with 500 and has changed nothing."""

_UNREADABLE_LOGS = "does not support reading"

_RIGHT_WORDS = {
    EngineRight.CONTAINERS_READ: "reading containers",
    EngineRight.CONTAINERS_CONTROL: "controlling containers",
    EngineRight.EVENTS: "reading events",
    EngineRight.INFO: "reading the engine's description",
    EngineRight.IMAGES_READ: "reading images",
    EngineRight.CONTAINERS_CHANGE: "creating and removing containers",
    EngineRight.IMAGES_CHANGE: "pulling and removing images",
    EngineRight.OBJECTS_READ: "reading volumes, networks and disk use",
    EngineRight.OBJECTS_CHANGE: "changing volumes, networks and the build cache",
    EngineRight.SWARM: "reading and changing the swarm",
    EngineRight.EXECUTE: "running programs in containers",
}


_LONG_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


@dataclass(frozen=True, slots=True)
class Call:
    """One call as errors speak about it: `what` completes "Docker could not ..."."""

    what: str
    right: EngineRight
    changes: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "what", _LONG_ID.sub(r"\1", self.what))


def from_status(call: Call, status: int, answer: str) -> AgentError:
    """Return the error for an answer that is not a success."""
    said = _message(answer)
    by_docker = status == HTTPStatus.FORBIDDEN and _says(said, _FORBIDDEN_BY_DOCKER)
    if status in _FORBIDDEN and not by_docker and not _is_registry(call, status):
        return _forbidden(call)
    if _NO_MANAGER in said:
        return Conflict(
            "This host is no manager of a swarm: only a manager knows its services and nodes.",
            hint="Run the agent on a manager of the swarm.",
        )
    if status in _GATEWAY:
        return Unavailable(f"The proxy does not reach Docker: {said}", hint="Is Docker running?")
    could_not = f"Docker could not {call.what}: {said}"
    if is_version_refused(status, said):
        error: AgentError = Unavailable(f"Docker does not speak this API version any more: {said}")
    elif status == HTTPStatus.BAD_REQUEST:
        error = Invalid(could_not, field="signal" if "signal" in said.lower() else None)
    elif status == HTTPStatus.NOT_FOUND:
        error = NotFound(could_not)
    elif _UNREADABLE_LOGS in said:
        error = Conflict(
            f"Docker could not {call.what}: the container's logging driver cannot be read back.",
            hint="Use the json-file, local or journald logging driver for this container.",
        )
    elif _OUT_OF_SEQUENCE in said:
        error = Conflict(could_not, extra={OUT_OF_SEQUENCE: True})
    elif status == HTTPStatus.CONFLICT or by_docker or _says(said, _CONFLICTS):
        error = Conflict(could_not)
    else:
        error = Failed(could_not, extra={"engine_status": status})
    return error


def _says(said: str, signs: tuple[str, ...]) -> bool:
    return any(sign in said.lower() for sign in signs)


def _is_registry(call: Call, status: int) -> bool:
    """Return whether it is the registry that refuses a pull, which Docker passes on as it is."""
    return status == HTTPStatus.UNAUTHORIZED and call.right is EngineRight.IMAGES_CHANGE


def is_version_refused(status: int, said: str) -> bool:
    """Return whether the engine refused the API version, as after it was exchanged for another."""
    return status == HTTPStatus.BAD_REQUEST and "client version" in said


def from_connection(call: Call, url: str, error: BaseException | None) -> AgentError:
    """Return the error for a connection that could not be made, or broke."""
    reason = _os_error(error)
    if reason is None and call.changes:
        return TimedOut(
            f"Docker hung up before it answered; whether it could {call.what} is not known."
        )
    if reason is None:
        return Unavailable(f"Docker hung up at {url}.", hint="Is Docker being restarted?")
    if url.startswith("unix://"):
        return _no_socket(url.removeprefix("unix://"), reason)
    return Unavailable(
        f"Docker cannot be reached at {url}: {reason.strerror or reason}.",
        hint="Check docker_url, the network, and that Docker or its proxy runs.",
    )


def timed_out(call: Call, deadline_s: float) -> AgentError:
    """Return the error for a deadline that passed."""
    known = "" if not call.changes else "; whether it did is not known"
    return TimedOut(f"Docker did not {call.what} within {deadline_s:g} s{known}.")


def unreadable(call: Call, why: str) -> AgentError:
    """Return the error for an answer that makes no sense."""
    return Failed(f"Docker could not {call.what}: its answer is not readable ({_cut(why)}).")


def _forbidden(call: Call) -> AgentError:
    return Denied(
        f"Docker's socket proxy (or an authorization plug-in) forbids "
        f"{_RIGHT_WORDS[call.right]}: the right {call.right} is missing.",
        hint=_right_hint(call.right),
        extra={"right": call.right},
    )


def _no_socket(path: str, reason: OSError) -> AgentError:
    match reason.errno:
        case errno.ENOENT | errno.ENOTDIR:
            message = f"There is no Docker socket at {path}."
            hint = (
                f"Container: mount it with -v {path}:{path}. Home Assistant app: switch "
                "protection mode off and restart the app."
            )
        case errno.EACCES | errno.EPERM:
            message = f"The agent may not open the Docker socket {path}."
            hint = (
                "Run the agent as a member of the socket's group "
                f'(--group-add "$(stat -c %g {path})"), or as root.'
            )
        case errno.ECONNREFUSED:
            message = f"Nobody answers at the Docker socket {path}."
            hint = (
                "Start Docker. If it runs and the agent is a container: restart the agent, "
                "its mounted socket is an old one (or a folder)."
            )
        case _:
            message = f"Docker cannot be reached at {path}: {reason.strerror or reason}."
            hint = "Check docker_url, and that Docker runs."
    return Unavailable(message, hint=hint)


def _message(answer: str) -> str:
    try:
        parsed = json.loads(answer)
    except ValueError:
        parsed = None
    said = parsed.get("message") if isinstance(parsed, dict) else None
    return _cut(said if isinstance(said, str) and said else answer) or "it gave no reason"


def _cut(text: str) -> str:
    line = _LONG_ID.sub(r"\1", " ".join(text.split()))
    return line if len(line) <= _LONGEST_MESSAGE else line[:_LONGEST_MESSAGE] + "…"


def _right_hint(right: EngineRight) -> str:
    switches = {
        EngineRight.CONTAINERS_READ: "CONTAINERS=1",
        EngineRight.CONTAINERS_CONTROL: "CONTAINERS=1 and POST=1",
        EngineRight.EVENTS: "EVENTS=1",
        EngineRight.INFO: "INFO=1",
        EngineRight.IMAGES_READ: "IMAGES=1",
        EngineRight.CONTAINERS_CHANGE: "CONTAINERS=1 and POST=1",
        EngineRight.IMAGES_CHANGE: "IMAGES=1 and POST=1",
        EngineRight.OBJECTS_READ: "VOLUMES=1, NETWORKS=1 and SYSTEM=1",
        EngineRight.OBJECTS_CHANGE: "VOLUMES=1, NETWORKS=1, BUILD=1 and POST=1",
        EngineRight.SWARM: "SERVICES=1, NODES=1, TASKS=1 and POST=1",
        EngineRight.EXECUTE: "CONTAINERS=1, EXEC=1 and POST=1",
    }
    return f"Allow it in the socket proxy ({switches[right]} in docker-socket-proxy)."


def _os_error(error: BaseException | None) -> OSError | None:
    """Find the operating system's own error behind what a library raised."""
    seen = error
    while seen is not None:
        inner = getattr(seen, "os_error", None)
        if isinstance(inner, OSError):
            return inner
        if isinstance(seen, OSError) and seen.errno is not None:
            return None if seen.errno in _HANG_UPS else seen
        seen = seen.__cause__ or seen.__context__
    return None
