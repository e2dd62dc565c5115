"""What can be the matter with Caddy, in terms of what the caller can do about it."""

from homelab_agent.platform.errors import Conflict, Failed, Unavailable


class CaddyAway(Unavailable):
    """Nobody answers at the admin API, or not as Caddy does."""


class CaddyRefusesUs(Unavailable):
    """Caddy answers, and does not let the agent in."""


class CaddyUnsuitable(Unavailable):
    """This Caddy cannot be changed safely: it is too old, or no Caddy at all."""


class ChangedMeanwhile(Conflict):
    """Somebody else changed Caddy's configuration between our reading and our writing."""


class CaddyRefuses(Failed):
    """Caddy does not take this configuration, and said why; what was before goes on."""
