"""Why a connection did not work, in words: without what a client's library says of itself."""


def why_not(error: Exception) -> str:
    """Return the system's own reason where there is one, else what the error says."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, TimeoutError) and not str(cause):
        return "it did not answer in time"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    if isinstance(cause, ConnectionError) and not str(cause):
        return "the connection was ended"
    return str(cause) or type(cause).__name__
