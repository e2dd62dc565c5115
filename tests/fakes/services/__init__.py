"""Services that people have at home, as small real servers, with every way to misbehave."""

from tests.fakes.services.server import Service, serving

__all__ = ["Service", "serving"]
