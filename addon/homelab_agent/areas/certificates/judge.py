"""What a client of today would say of a certificate, and why, in words."""

from collections.abc import Callable, Iterator
from datetime import datetime

from homelab_agent.areas.certificates.chain import Chain, Facts
from homelab_agent.areas.certificates.models import Verdict
from homelab_agent.areas.certificates.names import fits
from homelab_agent.areas.certificates.texts import shown
from homelab_agent.areas.certificates.trust import Distrust

type Finding = tuple[Verdict, str | None]
type Ask = Callable[[Chain], Distrust | None]

TRUSTED: Finding = (Verdict.TRUSTED, None)
_MOST_NAMES = 5
_OLD_PROTOCOLS = frozenset({"SSL 3.0", "TLS 1.0", "TLS 1.1"})

# X509_V_ERR_*, see x509_vfy.h of OpenSSL.
_NO_ISSUER = frozenset({2, 20, 21, 27})
_NOT_YET_VALID, _HAS_EXPIRED = 9, 10
_SELF_SIGNED_LEAF, _SELF_SIGNED_IN_CHAIN = 18, 19
_NO_SIGNER = (
    "it was signed by a certificate that may not sign others. Have it issued by an authority"
)
_OTHER_NAMES = "its authority may not issue for such names. Have it issued by another one"
_WORDS = {
    7: "a signature in its chain is wrong. Have the server show files that belong together",
    23: "it was revoked. Have it issued anew",
    24: _NO_SIGNER,
    26: "it was not made for servers. Have it issued with the usage server authentication",
    28: "this machine was told explicitly to distrust it or its authority. Get another one",
    47: _OTHER_NAMES,
    48: _OTHER_NAMES,
    79: _NO_SIGNER,
}


def judge(
    chain: Chain, server_name: str | None, now: datetime, protocol: str | None, ask: Ask
) -> Finding:
    """Return the worst that is to be said. `server_name` None where no name is expected of it."""
    distrust = ask(chain)
    return next(_findings(chain, server_name, now, protocol, distrust), TRUSTED)


def _findings(
    chain: Chain,
    server_name: str | None,
    now: datetime,
    protocol: str | None,
    distrust: Distrust | None,
) -> Iterator[Finding]:
    code = distrust.code if distrust else None
    if now >= chain.leaf.expires_at:
        yield Verdict.EXPIRED, _expired(chain.leaf, now)
    if code == _HAS_EXPIRED:
        yield Verdict.EXPIRED, _expired_authority(chain, now)
    if now < chain.leaf.not_before or code == _NOT_YET_VALID:
        yield Verdict.NOT_YET_VALID, _not_yet_valid(chain, now)
    if server_name is not None and not fits(server_name, chain.leaf.names):
        yield Verdict.WRONG_NAME, _wrong_name(chain.leaf, server_name)
    yield from _weak(chain)
    if distrust is not None:
        yield _distrusted(chain, distrust)
    if protocol in _OLD_PROTOCOLS:
        yield Verdict.UNTRUSTED, _old_protocol(protocol)


def _weak(chain: Chain) -> Iterator[Finding]:
    for facts in chain.path:
        if facts.weak_key:
            yield Verdict.WEAK_KEY, _weak_key(chain, facts)
    for facts in chain.path:
        # What signs itself is not believed for its signature.
        if facts.weak_signature and not facts.is_self_issued:
            yield Verdict.WEAK_SIGNATURE, _weak_signature(chain, facts)


def _expired(leaf: Facts, now: datetime) -> str:
    ago = (now - leaf.expires_at).days
    when = "today" if ago == 0 else "1 day ago" if ago == 1 else f"{ago} days ago"
    return f"It expired {when}, on {_day(leaf.expires_at)}. Renew it."


def _expired_authority(chain: Chain, now: datetime) -> str:
    late = next((each for each in chain.path if now >= each.expires_at), None)
    which = f"{late.display}, on {_day(late.expires_at)}" if late else "one of those above it"
    return (
        f"The certificate of its authority has expired: {which}. "
        "Have the server send the authority's present certificates."
    )


def _not_yet_valid(chain: Chain, now: datetime) -> str:
    early = next((each for each in chain.path if now < each.not_before), chain.leaf)
    what = "It" if early is chain.leaf else f"Its authority {early.display}"
    return (
        f"{what} is valid only from {_day(early.not_before)} on. Look at the clocks: of this "
        "machine, and of the one that made it."
    )


def _wrong_name(leaf: Facts, server_name: str) -> str:
    if not leaf.names:
        return (
            f"It names no host, so nobody takes it for {server_name} (a common name "
            "does not count any more). Make one with that name as subject alternative name."
        )
    names = ", ".join(map(shown, leaf.names[:_MOST_NAMES]))
    more = len(leaf.names) - _MOST_NAMES
    if more > 0:
        names += f" and {more} more"
    return (
        f"It is for {names}, not for {server_name}. "
        "Have the server show the right one, or use a name that it is for."
    )


def _weak_key(chain: Chain, facts: Facts) -> str:
    return (
        f"{_whose(chain, facts, 'key')} is weak: {facts.weak_key}. "
        "Make a new key: RSA with 2048 bits or more, or an elliptic curve with 256."
    )


def _weak_signature(chain: Chain, facts: Facts) -> str:
    return (
        f"{_whose(chain, facts, 'signature')} is made with {facts.weak_signature}, which "
        "can be forged. Have it issued anew with SHA-256."
    )


def _whose(chain: Chain, facts: Facts, what: str) -> str:
    return f"Its {what}" if facts is chain.leaf else f"The {what} of its authority {facts.display}"


def _old_protocol(protocol: str) -> str:
    return (
        f"The certificate is good, but the server speaks nothing newer than {protocol}, which "
        "clients of today refuse. Have it speak TLS 1.2 or 1.3."
    )


def _distrusted(chain: Chain, distrust: Distrust) -> Finding:
    if distrust.code == _SELF_SIGNED_LEAF:
        return Verdict.SELF_SIGNED, _self_signed(chain.leaf)
    if distrust.code == _SELF_SIGNED_IN_CHAIN:
        return Verdict.UNKNOWN_AUTHORITY, _unknown_authority(chain.path[-1].display)
    if distrust.code in _NO_ISSUER:
        return _no_issuer(chain)
    words = _WORDS.get(distrust.code, distrust.words)
    return Verdict.UNTRUSTED, f"It is not trusted: {words}."


def _self_signed(leaf: Facts) -> str:
    return (
        f"It is signed by itself ({leaf.display}): nobody vouches for it. Compare its fingerprint "
        "with the one that the device shows, or get one of an authority."
    )


def _no_issuer(chain: Chain) -> Finding:
    """Tell an intermediate that is left out from a private authority.

    Public authorities issue by an intermediate and write where it is to be had. Private ones may
    write that too, and issue by their root, which nobody sends. Who sends any issuer knows how to
    send them.
    """
    leaf = chain.leaf
    if len(chain.path) == 1 and leaf.issuer_url is not None and leaf.is_public:
        return Verdict.INCOMPLETE_CHAIN, _incomplete(leaf.issuer_display, leaf.issuer_url)
    last = chain.path[-1]
    return Verdict.UNKNOWN_AUTHORITY, _unknown_authority(last.issuer_display, last.issuer_url)


def _incomplete(issuer: str, url: str) -> str:
    return (
        f"The certificate of its issuer, {issuer}, is not sent along, so many clients cannot check "
        f"it. Have the server send the full chain; the missing part is at {url}"
    )


def _unknown_authority(name: str, url: str | None = None) -> str:
    where = f" The certificate of {name} is at {url}" if url else ""
    return (
        f"It was issued by {name}, which this machine does not know. If that is your own "
        "authority, its root has to be installed where it is to be trusted; if it is a public "
        f"one, the server leaves out a part of its chain.{where}"
    )


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
