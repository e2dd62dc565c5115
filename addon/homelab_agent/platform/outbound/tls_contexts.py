"""How to encrypt: one way that wants to be shown a certificate to trust, one that takes any."""

import asyncio
import ssl
from pathlib import Path

from homelab_agent.platform.errors import SettingsError
from homelab_agent.platform.logging import get_logger

RELOAD_S = 600.0
"""For so long a change of the system's authorities may stay unnoticed."""

_log = get_logger(__name__)


class TlsContexts:
    """Two contexts for all; making one reads a hundred files.

    `trusted_ca_file` (PEM) holds authorities to trust besides those of the system.
    """

    def __init__(self, trusted_ca_file: Path | None = None) -> None:
        self._trusted_ca_file = trusted_ca_file
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
                self._verifying = await asyncio.to_thread(self._load, self._verifying)
                self._reload_at = now + RELOAD_S
            return self._verifying

    async def trusting(self, authority_pem: str) -> ssl.SSLContext:
        """Return a context of one's own that trusts an authority besides all others.

        Raises:
            ssl.SSLError: that is no certificate.
        """
        return await asyncio.to_thread(_trust, self._trusted_ca_file, authority_pem)

    def _load(self, known: ssl.SSLContext | None) -> ssl.SSLContext:
        try:
            return _trust(self._trusted_ca_file)
        except (OSError, ValueError) as error:
            # While the file is being written anew the authorities of before are the better ones.
            if known is None:
                raise
            _log.warning("authorities_unreadable", file=str(self._trusted_ca_file), why=str(error))
            return known


def open_tls_contexts(trusted_ca_file: Path | None) -> TlsContexts:
    """Return the contexts of this agent.

    Raises:
        SettingsError: the file with further authorities cannot be used.
    """
    if trusted_ca_file is not None:
        try:
            _trust(trusted_ca_file)
        except OSError as error:  # also what OpenSSL says
            raise SettingsError(
                f"trusted_ca_file: {trusted_ca_file} cannot be used: {error.strerror or error}",
                field="trusted_ca_file",
                hint="It is a file with the certificates (PEM) of the authorities to trust.",
            ) from error
    return TlsContexts(trusted_ca_file)


def _trust(further: Path | None, authority_pem: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if further is not None:
        context.load_verify_locations(cafile=further)
    if authority_pem is not None:
        context.load_verify_locations(cadata=authority_pem)
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
