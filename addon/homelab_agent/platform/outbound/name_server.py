"""A name server, as people write it."""

from urllib.parse import urlsplit

DNS_PORT = 53


def host_and_port(text: str) -> tuple[str, int]:
    """Return both of "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353".

    Raises:
        ValueError: it is none of these.
    """
    if text.count(":") > 1 and not text.startswith("["):
        return text, DNS_PORT
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.path or parts.query or parts.fragment or "@" in text:
        raise ValueError("a name server is a host or an address, with :port where it is not 53")
    return parts.hostname, parts.port or DNS_PORT
