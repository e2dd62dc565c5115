"""Certificates that the agent keeps valid: issued, renewed, handed over, revoked."""
