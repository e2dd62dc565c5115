"""Tokens: who may do what. Only a digest is stored; the secret is shown once."""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from secrets import token_hex, token_urlsafe
from time import monotonic

from sqlalchemy import Row, delete, insert, or_, select

from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import Caller, Scope
from homelab_agent.platform.errors import Conflict, Invalid, NotFound
from homelab_agent.platform.model import Model
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import token

REMEMBERED_S = 5.0
"""For so long a token is taken as known without asking the store again."""

_SECRET = re.compile(r"hl_([0-9a-f]{8})_[\w-]{43}", re.ASCII)
_NAME = re.compile(r"[\w .@:+-]{1,64}")


class TokenInfo(Model):
    """A token as it may be shown: everything but its secret."""

    id: str
    name: str
    scope: Scope
    created_at: datetime


@dataclass(frozen=True, slots=True)
class _Known:
    digest: str
    caller: Caller
    read_at: float


class Tokens:
    """All tokens of this agent.

    Other processes (the command line) change them too: `verify` notices after `REMEMBERED_S`. Who
    keeps a connection open asks `verify` again from time to time.
    """

    def __init__(self, store: Store, clock: Clock, *, remembered_s: float = REMEMBERED_S) -> None:
        self._store = store
        self._clock = clock
        self._remembered_s = remembered_s
        self._known: dict[str, _Known] = {}

    async def create(self, name: str, scope: Scope) -> str:
        """Return the secret of a new token.

        Raises:
            Conflict: there is a token of this name.
        """
        _require_name(name)
        secret, row = self._new(name, scope)
        try:
            async with self._store.write() as connection:
                await connection.execute(insert(token).values(row))
        except Conflict as error:
            raise Conflict(
                f"There already is a token named {name}",
                field="name",
                hint="Choose another name, or revoke that one first",
            ) from error
        return secret

    async def rotate(self, name: str, scope: Scope) -> str:
        """Return the secret of a new token that takes the place of the one of this name, if any."""
        _require_name(name)
        secret, row = self._new(name, scope)
        async with self._store.write() as connection:
            await connection.execute(delete(token).where(token.c.name == name))
            await connection.execute(insert(token).values(row))
        self._known.clear()
        return secret

    async def verify(self, secret: str) -> Caller | None:
        """Return whose secret this is; None for nobody's."""
        parts = _SECRET.fullmatch(secret)
        if parts is None:
            return None
        known = await self._read(parts[1])
        # Compared for an unknown id too, so that the time taken tells nothing.
        same = hmac.compare_digest(known.digest if known else "", _digest(secret))
        return known.caller if known and same else None

    async def list(self) -> tuple[TokenInfo, ...]:
        """Return all tokens by name."""
        columns = (token.c.id, token.c.name, token.c.scope, token.c.created_at)
        async with self._store.read() as connection:
            rows = await connection.execute(select(*columns).order_by(token.c.name))
        return tuple(TokenInfo.model_validate(row._asdict()) for row in rows)

    async def revoke(self, name_or_id: str) -> TokenInfo:
        """Remove a token; return what it was.

        Raises:
            NotFound: there is none of this name or id.
        """
        wanted = or_(token.c.name == name_or_id, token.c.id == name_or_id)
        async with self._store.write() as connection:
            row = (await connection.execute(select(token).where(wanted))).first()
            if row is None:
                raise NotFound(f"There is no token {name_or_id}")
            await connection.execute(delete(token).where(token.c.id == row.id))
        self._known.pop(row.id, None)
        return _info(row)

    def _new(self, name: str, scope: Scope) -> tuple[str, dict[str, str | datetime]]:
        identity = token_hex(4)
        secret = f"hl_{identity}_{token_urlsafe(32)}"
        return secret, {
            "id": identity,
            "name": name,
            "scope": scope.value,
            "digest": _digest(secret),
            "created_at": self._clock(),
        }

    async def _read(self, identity: str) -> _Known | None:
        known = self._known.get(identity)
        if known and monotonic() - known.read_at < self._remembered_s:
            return known
        async with self._store.read() as connection:
            row = (await connection.execute(select(token).where(token.c.id == identity))).first()
        if row is None:
            self._known.pop(identity, None)
            return None
        caller = Caller(name=row.name, scope=Scope(row.scope))
        known = self._known[identity] = _Known(row.digest, caller, monotonic())
        return known


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name != name.strip():
        raise Invalid("A token's name has 1 to 64 letters, digits, spaces or .@:+-_", field="name")


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _info(row: Row[tuple[str, str, str, str, datetime]]) -> TokenInfo:
    return TokenInfo(id=row.id, name=row.name, scope=Scope(row.scope), created_at=row.created_at)
