"""Which watched places show a certificate that the agent keeps."""

from collections.abc import Iterable

from homelab_agent.areas.certificates.watched import Origin, Watched


class Kinship:
    """What is watched, as it is now: one certificate may be seen at several places."""

    def __init__(self, every: Iterable[Watched]) -> None:
        self._kept: dict[str, Watched] = {}
        self._elsewhere: set[str] = set()
        for watched in every:
            if watched.details is None:
                continue
            fingerprint = watched.details.fingerprint_sha256
            if watched.place.origin is Origin.MANAGED:
                self._kept[fingerprint] = watched
            else:
                self._elsewhere.add(fingerprint)

    def kept_as(self, watched: Watched) -> Watched | None:
        """Return the certificate of the agent that a place shows."""
        if watched.details is None:
            return None
        return self._kept.get(watched.details.fingerprint_sha256)

    def is_seen_elsewhere(self, watched: Watched) -> bool:
        """Return whether a certificate of the agent is shown at a place that is watched.

        That is so too while the place still shows the one of before its renewal.
        """
        if watched.place.origin is not Origin.MANAGED:
            return False
        return any(watched.knows(fingerprint) for fingerprint in self._elsewhere)
