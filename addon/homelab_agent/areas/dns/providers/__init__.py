"""One file per DNS provider."""
