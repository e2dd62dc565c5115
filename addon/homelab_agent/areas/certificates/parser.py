"""What reads chains, loaded when it is first needed: its library is large."""

import asyncio
from collections.abc import Callable, Sequence

from homelab_agent.areas.certificates.chain import Chain

type ParseChain = Callable[[Sequence[bytes]], Chain]


async def load_parser() -> ParseChain:
    """Return `parsing.parse_chain`."""
    return await asyncio.to_thread(_load)


def _load() -> ParseChain:
    from homelab_agent.areas.certificates.parsing import parse_chain  # noqa: PLC0415

    return parse_chain
