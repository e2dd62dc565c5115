"""An engine's address as anybody may see it."""


def without_password(url: str) -> str:
    """Return an address without the user and password it may hold."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url.rpartition("@")[2]
    # A path may hold any character, and has no password in it.
    return url if scheme == "unix" else f"{scheme}://{rest.rpartition('@')[2]}"
