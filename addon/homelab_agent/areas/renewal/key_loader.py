"""The tools for keys and certificates, loaded when first needed: their library is large."""

import asyncio

from homelab_agent.areas.renewal.keys import KeyTools


async def load_key_tools() -> KeyTools:
    """Return `key_tools`."""
    return await asyncio.to_thread(_load)


def _load() -> KeyTools:
    from homelab_agent.areas.renewal import key_tools  # noqa: PLC0415

    return key_tools
