"""How an area declares what it can be asked and told: one decorator above each handler.

A declaration carries everything a reviewer must see: name, path, scope, whether it may be
repeated, what protects its target. Signatures are read once, at start. A handler is an async
method `(self, caller, <path parameters>, query: Model, body: Model) -> Model`; it takes only
those it needs. What goes on telling is a `feed`.
"""

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, get_args, get_type_hints

from homelab_agent.platform.model import Model

type Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
type Handler = Callable[..., Awaitable[Model]]
type Feed = AbstractAsyncContextManager[AsyncIterator[Model]]
type FeedHandler = Callable[..., Feed]

_DECLARATION = "__homelab_declaration__"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Scope(StrEnum):
    """What a token may do. Each includes the one before it."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"

    def includes(self, needed: Scope) -> bool:
        """Return whether this scope allows what needs `needed`."""
        order = tuple(Scope)
        return order.index(self) >= order.index(needed)


class Outcome(StrEnum):
    """How something that changes something ended."""

    DONE = "done"
    NOT_NEEDED = "not_needed"
    REFUSED = "refused"
    FAILED = "failed"
    UNDONE = "undone"


class Caller(Model):
    """Who asks: a token, or the agent itself."""

    name: str
    scope: Scope


class TextDocument(Model):
    """An answer that is no JSON but a text of its own kind, which the declaration names."""

    media_type: str
    text: str


SYSTEM = Caller(name="agent", scope=Scope.ADMIN)
"""The agent acting by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What stands above a handler."""

    name: str
    method: Method
    path: str
    scope: Scope | None
    changes: bool
    idempotent: bool
    target: str | None
    dangerous: bool
    is_feed: bool = False
    documents: tuple[str, ...] = ()
    """The media types of the texts that it may answer with instead of its model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A declared handler, bound and with its signature read.

    A feed has `opens` instead of `handler`, and `result` is one of its messages.
    """

    declaration: Declaration
    summary: str
    handler: Handler | None
    takes_caller: bool
    path_parameters: tuple[str, ...]
    query: type[Model] | None
    body: type[Model] | None
    result: type[Model]
    opens: FeedHandler | None = None

    @property
    def name(self) -> str:
        """The name it was declared under."""
        return self.declaration.name


def query(
    name: str,
    path: str,
    *,
    scope: Scope | None = Scope.READ,
    documents: tuple[str, ...] = (),
) -> Callable[[Handler], Handler]:
    """Declare a handler that only reads. `scope` None means no token is needed.

    Where it may also answer with a `TextDocument`, `documents` names the media types of those.
    """
    return _declare(
        Declaration(
            name=name,
            method="GET",
            path=path,
            scope=scope,
            changes=False,
            idempotent=True,
            target=None,
            dangerous=False,
            documents=documents,
        )
    )


def feed(name: str, path: str) -> Callable[[FeedHandler], FeedHandler]:
    """Declare a handler that opens a feed: messages for as long as both sides live.

    It is no coroutine; it returns a context whose value is an iterator of models. An error on
    entering or later is told as the feed's last message.
    """
    declaration = Declaration(
        name=name,
        method="GET",
        path=path,
        scope=Scope.READ,
        changes=False,
        idempotent=True,
        target=None,
        dangerous=False,
        is_feed=True,
    )

    def mark(handler: FeedHandler) -> FeedHandler:
        setattr(handler, _DECLARATION, declaration)
        return handler

    return mark


def command(
    name: str,
    method: Method,
    path: str,
    *,
    scope: Scope,
    idempotent: bool = False,
    target: str | None = None,
    dangerous: bool = True,
) -> Callable[[Handler], Handler]:
    """Declare a handler that changes something.

    `target` is the kind of thing changed, whose identity is the first path parameter. What is
    `dangerous` is refused for protected targets. The defaults are the least safe reading.
    """
    return _declare(
        Declaration(
            name=name,
            method=method,
            path=path,
            scope=scope,
            changes=True,
            idempotent=idempotent,
            target=target,
            dangerous=dangerous,
        )
    )


class Registry:
    """Every operation of the agent, by name."""

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}

    def collect(self, routes: object) -> None:
        """Add all declared handlers of `routes`; raise ValueError for a wrong or double one.

        A class instead of an instance of it gives operations to be described, not to be called.
        """
        for _, member in inspect.getmembers(routes, inspect.isroutine):
            declaration = getattr(member, _DECLARATION, None)
            if isinstance(declaration, Declaration):
                self._add(_read_signature(declaration, member))

    def operations(self) -> Iterable[Operation]:
        """Return all operations in the order of their names."""
        return (self._operations[name] for name in sorted(self._operations))

    def _add(self, operation: Operation) -> None:
        for known in self._operations.values():
            if known.name == operation.name:
                raise ValueError(f"operation {operation.name} is declared twice")
            if _route(known) == _route(operation):
                raise ValueError(
                    f"{known.name} and {operation.name} declare the same route {_route(known)}"
                )
        self._operations[operation.name] = operation


def _route(operation: Operation) -> str:
    """Return what a request is matched by: what a path parameter is called does not count."""
    path = _PLACEHOLDER.sub("{}", operation.declaration.path)
    return f"{operation.declaration.method} {path}"


def _declare(declaration: Declaration) -> Callable[[Handler], Handler]:
    def mark(handler: Handler) -> Handler:
        setattr(handler, _DECLARATION, declaration)
        return handler

    return mark


def _read_signature(declaration: Declaration, handler: Callable[..., Any]) -> Operation:
    hints = get_type_hints(handler)
    if declaration.is_feed:
        hints["return"] = _message(hints.get("return"))
    if declaration.documents:
        hints["return"] = _beside_documents(hints.get("return"))
    placeholders = tuple(_PLACEHOLDER.findall(declaration.path))
    parameters = tuple(inspect.signature(handler).parameters)
    unknown = set(parameters) - set(placeholders) - {"self", "caller", "query", "body"}
    missing = set(placeholders) - set(parameters)
    if unknown or missing:
        raise ValueError(
            f"{declaration.name}: unknown parameters {sorted(unknown)}, "
            f"missing path parameters {sorted(missing)}"
        )
    untyped = {"query", "body"} & set(parameters) - set(hints)
    if untyped:
        raise ValueError(f"{declaration.name}: {sorted(untyped)} must be a Model")
    wrong = [name for name in placeholders if hints.get(name) is not str]
    if wrong:
        raise ValueError(f"{declaration.name}: path parameters {wrong} must be str")
    summary = (inspect.getdoc(handler) or "").partition("\n")[0]
    if not summary:
        raise ValueError(f"{declaration.name}: a handler needs a docstring")
    if declaration.target and not placeholders:
        raise ValueError(f"{declaration.name}: a target needs a path parameter")
    result = _model(declaration, hints, "return")
    if result is None:
        raise ValueError(f"{declaration.name}: a handler returns a model")
    return Operation(
        declaration=declaration,
        summary=summary,
        handler=None if declaration.is_feed else handler,
        opens=handler if declaration.is_feed else None,
        takes_caller="caller" in parameters,
        path_parameters=placeholders,
        query=_model(declaration, hints, "query"),
        body=_model(declaration, hints, "body"),
        result=result,
    )


def _message(hint: object) -> object:
    """Return what a feed's iterator gives: it is named within the context's type."""
    for _ in range(2):
        hint = next(iter(get_args(hint)), None)
    return hint


def _beside_documents(hint: object) -> object:
    """Return the model of an answer that may be a text document as well."""
    return next((part for part in get_args(hint) if part is not TextDocument), None)


def _model(declaration: Declaration, hints: dict[str, Any], name: str) -> type[Model] | None:
    hint = hints.get(name)
    if hint is None:
        return None
    if not (isinstance(hint, type) and issubclass(hint, Model)):
        raise ValueError(f"{declaration.name}: {name} must be a Model")  # noqa: TRY004  # declared wrongly
    return hint
