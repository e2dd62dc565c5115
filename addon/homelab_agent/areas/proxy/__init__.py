"""The reverse proxy: routes in Caddy, one at a time."""
