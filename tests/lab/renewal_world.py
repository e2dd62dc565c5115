"""A name server, an authority that asks it, and an agent that writes to it: all of them real."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.harness.agent import Agent
from tests.harness.knot import ALGORITHM, Knot
from tests.harness.pebble import Pebble, PebbleOptions
from tests.harness.waiting import wait_until

ZONE = "lab.example"
ZONE_LINES = "www 300 A 192.0.2.1\n_acme-challenge.moved 300 CNAME moved.proofs"
_WAIT_S = 60


class RenewalWorld:
    """`settings` and `prefix` are further ones of the agent.

    `asks`: the name server that the authority asks, where it is another one than the agent's.
    """

    def __init__(
        self,
        folder: Path,
        options: PebbleOptions | None = None,
        *,
        asks: str | None = None,
        settings: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self._asks = asks
        self.knot = Knot({ZONE: ZONE_LINES})
        self._options = options or PebbleOptions()
        self.pebble = Pebble(folder / "pebble")
        self.agent = Agent(folder / "agent", settings=settings, prefix=prefix)
        self.token = ""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._enter()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            error.add_note(self.agent.log.read_text()[-6000:])
        await self._stack.aclose()

    async def _enter(self) -> None:
        await self._stack.enter_async_context(self.knot)
        self.pebble.options = with_dns(self._options, self._asks or self.knot.primary.server)
        await self._stack.enter_async_context(self.pebble)
        await self._stack.enter_async_context(self.agent)
        self.token = await self.agent.create_token(scope="admin")
        await self.add_provider()
        await self.set_account(self.pebble.directory)

    @property
    def certificates(self) -> Path:
        """Where the agent keeps certificates."""
        return self.agent.data_dir / "certificates"

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Ask the agent."""
        return await self.agent.ask(method, path, body, token=self.token)

    async def done(self, method: str, path: str, body: object = None) -> Any:
        """Return the answer of what has to go well."""
        status, answer = await self.ask(method, path, body)
        assert status in {200, 201, 202}, answer
        return answer

    async def add_provider(self) -> None:
        """Have the agent write to the name server."""
        settings = {
            "type": "rfc2136",
            "server": self.knot.primary.server,
            "key_name": self.knot.key_name,
            "key_algorithm": ALGORITHM,
            "key_secret": self.knot.key_secret,
            "zones": [ZONE],
        }
        provider = {"name": "Knot", "name_servers": list(self.knot.servers), "settings": settings}
        # Kept without a try: an agent with a wrong clock is not told off here, but when it orders.
        await self.done("POST", "/dns/providers", {**provider, "verify": False})

    async def set_account(
        self, directory: str, email: str | None = "me@lab.example", **more: object
    ) -> None:
        """Have the agent order from there."""
        for key_id, hmac_key in self.pebble.options.external_accounts.items():
            more = {"external_key_id": key_id, "external_hmac_key": hmac_key} | more
        await self.done(
            "PUT",
            "/acme/account",
            {
                "directory": directory,
                "email": email,
                "terms_agreed": True,
                "authority_pem": self.pebble.api_ca_file.read_text(),
                **more,
            },
        )

    async def issue(self, *names: str, **more: object) -> tuple[int, Any]:
        """Order a certificate and wait for it."""
        body = {"names": list(names), "wait_s": _WAIT_S, **more}
        return await self.ask("POST", "/managed-certificates", body)

    async def issued(self, name: str) -> Any:
        """Order a certificate for one name, and return it."""
        status, answer = await self.issue(name)
        assert status == 200, answer
        return await self.certificate(name)

    async def issue_replaceable(self, name: str) -> Any:
        """Order a certificate whose renewal the authority sees as that, and return it.

        Pebble 2.10 refuses `replaces` where the first bit of the serial number is set, one of 256:
        the id of RFC 9773 has a zero before it then, as DER has, and Pebble compares it as text.
        """
        found = await self.issued(name)
        while int(found["serial"], 16).bit_length() % 8 == 0:
            await self.renew(name)
            found = await self.certificate(name)
        return found

    async def renew(self, key: str) -> None:
        """Renew a certificate now, and wait for it."""
        await self.done("POST", f"/managed-certificates/{key}/renew", {"wait_s": _WAIT_S})

    async def certificate(self, key: str) -> Any:
        """Return what is known of a certificate."""
        return await self.done("GET", f"/managed-certificates/{key}")

    async def until_state(self, key: str, *states: str, within_s: float = 60) -> Any:
        """Return a certificate as soon as it is in one of these states."""

        async def reached() -> Any:
            found = await self.certificate(key)
            return found if found["state"] in states else None

        return await wait_until(reached, what=f"{key} to be {states}", within_s=within_s)

    async def txt_left(self) -> list[str]:
        """Return every TXT record that stands in the zone."""
        return [row for row in await self.knot.records(ZONE) if row.split()[3] == "TXT"]

    async def require_fits(self, key: str) -> None:
        """Raise where the files of a certificate do not belong together."""
        folder = self.certificates / key
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        await asyncio.to_thread(
            context.load_cert_chain, folder / "fullchain.pem", folder / "privkey.pem"
        )


def with_dns(options: PebbleOptions, server: str) -> PebbleOptions:
    """Return the options with whom to ask."""
    return replace(options, dns_server=server)
