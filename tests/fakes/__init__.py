"""Small real servers that speak a protocol and can be told to break it."""
