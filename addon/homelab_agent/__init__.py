"""The Homelab agent: one service per Docker host, spoken to over HTTP and WebSocket."""

__version__ = "0.1.0"
