"""Monitors and maintenance windows in the store."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError
from sqlalchemy import delete, insert, select, update

from homelab_agent.areas.monitors.condition import Remembered
from homelab_agent.areas.monitors.maintenance import Rule
from homelab_agent.areas.monitors.models import MaintenanceBody, MonitorSettings, MonitorSource
from homelab_agent.areas.monitors.secret_settings import (
    SealedSecret,
    put_together,
    sealed_apart,
)
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import maintenance_window, monitor
from homelab_agent.platform.vault import SecretUnreadable, Vault

_log = get_logger(__name__)


class _Record(Model):
    """A monitor as it is written: its secrets are apart. Older agents left them in."""

    source: MonitorSource
    settings: dict[str, JsonValue]
    sealed: tuple[SealedSecret, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredMonitor:
    """A monitor as it was kept."""

    id: int
    key: str
    source: MonitorSource
    settings: MonitorSettings
    status: Remembered


class MonitorStore:
    """What was set, and how it was when last looked at."""

    def __init__(self, store: Store, clock: Clock, vault: Vault) -> None:
        self._store = store
        self._clock = clock
        self._vault = vault

    async def monitors(self) -> tuple[StoredMonitor, ...]:
        """Return all monitors; one that is not understood is passed over, and stays.

        One whose secret cannot be opened is paused, and says why: nobody is asked without it.
        """
        query = select(monitor.c.id, monitor.c.key, monitor.c.settings, monitor.c.status)
        async with self._store.read() as connection:
            rows = (await connection.execute(query.order_by(monitor.c.id))).all()
        found: list[StoredMonitor] = []
        for monitor_id, key, settings, status in rows:
            try:
                record = _Record.model_validate(settings)
                remembered = Remembered.model_validate(status)
                whole, trouble = await self._opened(key, record)
                understood = MonitorSettings.model_validate(whole)
            except ValidationError as error:
                # Without what was given: it may be a secret.
                _log.warning("monitor_not_understood", key=key, errors=error.error_count())
                continue
            if trouble is not None:
                _log.error("monitor_secret_unreadable", key=key, why=trouble)
                pause = remembered.paused_since or self._clock()
                remembered = remembered.model_copy(
                    update={"paused_since": pause, "reason": trouble}
                )
            found.append(StoredMonitor(monitor_id, key, record.source, understood, remembered))
        return tuple(found)

    async def add(
        self, key: str, source: MonitorSource, settings: MonitorSettings, status: Remembered
    ) -> int:
        """Keep a new monitor; return its id.

        Raises:
            Conflict: there is one with this key.
        """
        values = {
            "key": key,
            "at": self._clock(),
            "settings": await self._record(key, source, settings),
            "status": status.model_dump(mode="json"),
        }
        statement = insert(monitor).values(**values).returning(monitor.c.id)
        async with self._store.write() as connection:
            return int((await connection.execute(statement)).scalar_one())

    async def change(
        self, monitor_id: int, key: str, source: MonitorSource, settings: MonitorSettings
    ) -> None:
        """Keep other settings."""
        record = await self._record(key, source, settings)
        statement = update(monitor).where(monitor.c.id == monitor_id)
        async with self._store.write() as connection:
            await connection.execute(statement.values(settings=record))

    async def remember(self, monitor_id: int, status: Remembered) -> None:
        """Keep at once how a monitor is."""
        statement = update(monitor).where(monitor.c.id == monitor_id)
        async with self._store.write() as connection:
            await connection.execute(statement.values(status=status.model_dump(mode="json")))

    async def remove(self, monitor_id: int) -> None:
        """Remove a monitor."""
        async with self._store.write() as connection:
            await connection.execute(delete(monitor).where(monitor.c.id == monitor_id))

    async def windows(self) -> tuple[Rule, ...]:
        """Return all maintenance windows."""
        query = select(maintenance_window.c.key, maintenance_window.c.record)
        async with self._store.read() as connection:
            rows = (await connection.execute(query.order_by(maintenance_window.c.id))).all()
        found: list[Rule] = []
        for key, record in rows:
            try:
                found.append(Rule(key, MaintenanceBody.model_validate(record)))
            except ValidationError as error:
                _log.warning("maintenance_not_understood", key=key, errors=error.error_count())
        return tuple(found)

    async def add_window(self, rule: Rule) -> None:
        """Keep a maintenance window.

        Raises:
            Conflict: there is one with this key.
        """
        record = rule.body.model_dump(mode="json")
        values = {"key": rule.key, "at": self._clock(), "record": record}
        async with self._store.write() as connection:
            await connection.execute(insert(maintenance_window).values(**values))

    async def remove_window(self, key: str) -> None:
        """Remove a maintenance window."""
        statement = delete(maintenance_window).where(maintenance_window.c.key == key)
        async with self._store.write() as connection:
            await connection.execute(statement)

    async def _opened(
        self, key: str, record: _Record
    ) -> tuple[Mapping[str, JsonValue], str | None]:
        """Return settings with their secrets; without them, and why, where the key is another."""
        if not record.sealed:
            return record.settings, None

        def open_(sealed: str) -> str:
            return self._vault.open(sealed, _purpose(key))

        try:
            # In a thread: what opens secrets is loaded for the first one only.
            whole = await asyncio.to_thread(put_together, record.settings, record.sealed, open_)
        except SecretUnreadable as error:
            return record.settings, f"{error.message} {error.hint}"
        return whole, None

    async def _record(
        self, key: str, source: MonitorSource, settings: MonitorSettings
    ) -> Mapping[str, JsonValue]:
        def seal(secret: str) -> str:
            return self._vault.seal(secret, _purpose(key))

        starred, sealed = await asyncio.to_thread(sealed_apart, settings, seal)
        return _Record(source=source, settings=starred, sealed=sealed).model_dump(mode="json")


def _purpose(key: str) -> str:
    return f"the monitor {key}"
