"""A container at a name with HTTPS, in eight steps, and back again."""
