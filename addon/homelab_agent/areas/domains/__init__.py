"""Domains: what each name should be, whether it is, and what was done to it."""
