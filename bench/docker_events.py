"""A bare reader of Docker's events, in a process of its own so that nothing slows it down.

Prints one line of JSON per event: name, action, Docker's timestamp and the moment it was read (ns).
"""

import asyncio
import json
import time

from tests.harness.docker import Docker


async def main() -> None:
    """Read until the process is ended."""
    async with Docker() as docker, docker.events() as events:
        print("attached", flush=True)
        async for event in events:
            now = time.time_ns()
            name = event["Actor"]["Attributes"]["name"]
            print(json.dumps([name, event["Action"], event["timeNano"], now]), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
