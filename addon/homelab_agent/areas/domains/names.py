"""What a domain is called: its id is its name as the DNS writes it."""

from homelab_agent.platform.dns_names import is_numeric, uniform_name
from homelab_agent.platform.errors import Invalid


def domain_id(name: str, *, field: str) -> str:
    """Return the id of the domain of this name.

    Raises:
        Invalid: no domain is called that; it names `field` and the remedy.
    """
    found = uniform_name(name, field=field, wildcard=True)
    if "." not in found:
        raise Invalid(
            f"{found[:80]} is a single word, and no domain",
            field=field,
            hint=f"Give the whole name, as in {found[:40]}.example.org",
        )
    if is_numeric(found):
        raise Invalid(
            f"{found[:80]} is an address, and no domain",
            field=field,
            hint="Give a name; the address is the value of its A record",
        )
    return found
