"""Lines out of a stream of chunks, whatever the chunks' borders are."""

from collections.abc import AsyncIterator

LONGEST_LINE = 8 * 1024 * 1024


async def lines(
    chunks: AsyncIterator[bytes], *, longest: int = LONGEST_LINE
) -> AsyncIterator[bytes]:
    """Yield each whole line without its end; drop too long ones and a half one at the end."""
    rest = bytearray()
    dropping = False
    async for chunk in chunks:
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            if dropping:
                dropping = False
            else:
                rest += chunk[start:end]
                yield bytes(rest)
            rest.clear()
            start = end + 1
        if not dropping:
            rest += chunk[start:]
            if len(rest) > longest:
                rest.clear()
                dropping = True
