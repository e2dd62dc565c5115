"""How to encrypt: one way that wants to be shown a certificate to trust, one that takes any."""

import asyncio
import ssl

RELOAD_S = 600.0
"""For so long a change of the system's authorities may stay unnoticed."""


class TlsContexts:
    """Two contexts for all; making one reads a hundred files."""

    def __init__(self) -> None:
        self._any: ssl.SSLContext | None = None
        self._verifying: ssl.SSLContext | None = None
        self._reload_at = 0.0
        self._loading = asyncio.Lock()

    async def get(self, *, verify: bool) -> ssl.SSLContext:
        """Return the one or the other."""
        if not verify:
            self._any = self._any or _accept_any()
            return self._any
        async with self._loading:
            now = asyncio.get_running_loop().time()
            if self._verifying is None or now >= self._reload_at:
                self._verifying = await asyncio.to_thread(_trust_the_system)
                self._reload_at = now + RELOAD_S
            return self._verifying


def _trust_the_system() -> ssl.SSLContext:
    context = ssl.create_default_context()
    # Browsers and curl take authorities that somebody made at home without every extension.
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    return context


def _accept_any() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Old devices have short keys, and whoever accepts any certificate accepts those too.
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    return context
