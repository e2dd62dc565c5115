"""What `homelab-agent token` does: it works on the store, whether the agent runs or not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.commands import Scope
from homelab_agent.platform.settings import Settings
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.tokens import TokenInfo, Tokens


async def create_token(settings: Settings, name: str, scope: Scope) -> str:
    """Return the secret of a new token."""
    async with _tokens(settings) as tokens:
        return await tokens.create(name, scope)


async def list_tokens(settings: Settings) -> tuple[TokenInfo, ...]:
    """Return all tokens by name."""
    async with _tokens(settings) as tokens:
        return await tokens.list()


async def revoke_token(settings: Settings, name_or_id: str) -> TokenInfo:
    """Remove a token; an agent that runs notices by itself."""
    async with _tokens(settings) as tokens:
        return await tokens.revoke(name_or_id)


@asynccontextmanager
async def _tokens(settings: Settings) -> AsyncIterator[Tokens]:
    store = await Store.open(settings.store_url, settings.data_dir)
    try:
        yield Tokens(store, utc_now)
    finally:
        await store.close()
