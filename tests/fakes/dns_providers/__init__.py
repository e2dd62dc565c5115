"""Small real servers that speak as providers of DNS do."""
