"""Addresses as anybody may see them."""

from yarl import URL


def shown_url(text: str) -> str:
    """Return an address without what is asked of it, where keys may be; its name readable."""
    url = URL(text)
    shown = url.with_query(None).with_fragment(None).human_repr()
    return f"{shown}?…" if url.raw_query_string else shown
