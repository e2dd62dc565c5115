"""Where an agent is and how its certificate is recognised."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp
from yarl import URL

type Query = Mapping[str, str | Sequence[str]]

DEFAULT_PORT = 8099
_API = "/api/v1"
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
_ALGORITHM = re.compile(r"^sha-?256[:=\s]*(fingerprint[:=\s]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An agent's address. With `fingerprint` only that very certificate is accepted."""

    host: str
    port: int = DEFAULT_PORT
    ssl: bool = False
    fingerprint: str | None = None

    def url(self, *parts: str, scheme: str = "http", query: Query | None = None) -> URL:
        """Return the address of a resource of the API; each part is one quoted segment."""
        base = URL.build(
            scheme=f"{scheme}s" if self.ssl else scheme, host=self.host, port=self.port, path=_API
        )
        for part in parts:
            base = base.joinpath(part.replace("/", "%2F"), encoded=False)
        return base.with_query(query) if query else base

    def ssl_check(self) -> bool | aiohttp.Fingerprint:
        """Return how aiohttp is to check the certificate."""
        if not self.fingerprint:
            return True
        return aiohttp.Fingerprint(bytes.fromhex(self.fingerprint))


def normalise_fingerprint(text: str) -> str:
    """Return a SHA-256 fingerprint as 64 lower-case hex digits; raise `ValueError` otherwise.

    The notations of openssl and browsers are taken too: colons, spaces, "SHA256 Fingerprint=".
    """
    plain = re.sub(r"[\s:]", "", _ALGORITHM.sub("", text.strip().lower()))
    if not _SHA256_HEX.fullmatch(plain):
        raise ValueError("not a SHA-256 fingerprint")
    return plain
