"""The blueprints, run by Home Assistant's own automation code."""
