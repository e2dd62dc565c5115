"""What can go wrong with a provider, named by what the caller can do about it."""

from homelab_agent.platform.errors import Conflict, Invalid, RateLimited, TimedOut, Unavailable


class ProviderAway(Unavailable):
    """It cannot be reached, or says of itself that it does not work. Nothing was changed."""


class WrongCredentials(Unavailable):
    """It does not take the user, key or token. Nothing was changed; asking again helps nobody."""


class ProviderRefused(Conflict):
    """It understood and will not; the message has its own words. Nothing was changed."""


class ZoneChanged(Conflict):
    """It refused by itself: the zone is not as `before` said. Nothing was changed."""


class ProviderBusy(RateLimited):
    """It wants to be asked less often; `retry_after_s` says when again. Nothing was changed."""


class ApplyUncertain(TimedOut):
    """The request went out and no answer came: nobody knows whether it was applied, or half."""


class NotOffered(Invalid):
    """This provider does not offer that; the message explains what it does offer."""
