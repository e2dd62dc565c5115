"""Docker's credential helpers: small programs that keep logins in the system's key ring."""

import asyncio
import re
from contextlib import suppress

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from homelab_agent.platform.engine.images import RegistryLogin
from homelab_agent.platform.errors import Failed

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_DEADLINE_S = 10.0
_IS_TOKEN = "<token>"  # noqa: S105 - how a helper says that the secret is an identity token
_NONE = "credentials not found"
_SHOWN = 200


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    username: str = Field(alias="Username")
    secret: SecretStr = Field(alias="Secret")


async def ask_helper(
    name: str, server: str, *, deadline_s: float = _DEADLINE_S
) -> RegistryLogin | None:
    """Return the login that `docker-credential-NAME` keeps for a server; None where it has none.

    Raises:
        Failed: there is no such helper, or it does not do what helpers do.
    """
    program = f"docker-credential-{name}"
    if not _NAME.fullmatch(name):
        raise Failed(f"Docker's configuration names a credential helper {name[:_SHOWN]!r}.")
    status, told = await _run(program, server, deadline_s)
    if status:
        words = told.decode(errors="replace").strip()
        if _NONE in words:
            return None
        raise Failed(f"{program} gives no login for {server}: {words[:_SHOWN]}")
    try:
        answer = _Answer.model_validate_json(told)
    except ValidationError:
        raise Failed(f"{program} does not answer as a credential helper does.") from None
    if answer.username == _IS_TOKEN:
        return RegistryLogin(identity_token=answer.secret)
    return RegistryLogin(username=answer.username, password=answer.secret)


async def _run(program: str, server: str, deadline_s: float) -> tuple[int, bytes]:
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            "get",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise Failed(f"{program} cannot be started: {error.strerror}.") from error
    try:
        async with asyncio.timeout(deadline_s):
            told, _ = await process.communicate(server.encode())
    except TimeoutError:
        raise Failed(f"{program} did not answer within {deadline_s:g} s.") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode or 0, told
