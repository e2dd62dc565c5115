"""Dynamic DNS: names that follow this network's address."""
