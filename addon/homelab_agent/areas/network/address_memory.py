"""The public addresses as they were last known, so that a restart forgets no `since`."""

from pydantic import ValidationError
from sqlalchemy import delete, insert, select

from homelab_agent.areas.network.address_sources import IpVersion
from homelab_agent.areas.network.models import PublicAddress
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import meta

_log = get_logger(__name__)


class AddressMemory:
    """One row for each IP version."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self, version: IpVersion) -> PublicAddress | None:
        """Return the address that was last agreed on; None where there never was one."""
        async with self._store.read() as connection:
            query = select(meta.c.value).where(meta.c.key == _key(version))
            text = await connection.scalar(query)
        try:
            return PublicAddress.model_validate_json(text) if text else None
        except ValidationError as error:
            _log.warning("public_address_not_understood", why=str(error))
            return None

    async def save(self, version: IpVersion, address: PublicAddress) -> None:
        """Keep an address in place of the one before."""
        key = _key(version)
        async with self._store.write() as connection:
            await connection.execute(delete(meta).where(meta.c.key == key))
            await connection.execute(insert(meta).values(key=key, value=address.model_dump_json()))


def _key(version: IpVersion) -> str:
    return f"public_ipv{version}"
