"""The containers that every measurement is made with."""

from tests.harness.docker import Docker

PREFIX = "bench"


async def make_containers(docker: Docker, count: int) -> dict[str, str]:
    """Start `count` small containers; return their ids by name."""
    # What a run that was killed left behind would be in the way.
    left = await docker.call("GET", "/containers/json", params={"all": "1"})
    names = (each["Names"][0].lstrip("/") for each in left)
    await docker.remove_all(*(name for name in names if name.startswith(f"{PREFIX}-")))
    made = {}
    for number in range(count):
        name = f"{PREFIX}-{number:03}"
        made[name] = await docker.create(name)
    return made
