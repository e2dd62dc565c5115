"""Connections that the agent makes to wherever somebody said, and where it must not go."""
