"""Why a certificate was not to be had, and what a person can do about it."""

from homelab_agent.areas.renewal.authority import AuthorityRefused
from homelab_agent.areas.renewal.models import AcmeStep
from homelab_agent.platform.errors import AgentError

_BY_KIND = {
    "rateLimited": "Nothing has to be done: the agent waits for as long as the authority asks. "
    "Fewer tries and fewer certificates for the same names keep the limit away.",
    "badNonce": "Nothing has to be done: the agent tries again. If it goes on, something between "
    "the agent and the authority answers from a cache.",
    "caa": "The CAA records of the name forbid this authority. Add it to them, as in "
    '0 issue "letsencrypt.org", or remove them.',
    "dns": "The authority cannot look the name up. See that the zone's name servers answer from "
    "the internet, that the registrar names the right ones, and that DNSSEC is in order.",
    "unauthorized": "The authority saw another TXT record than the one it asked for. See that the "
    "zone's name servers are those that the agent writes to, and that no old _acme-challenge "
    "record is left.",
    "connection": "The authority could not reach the zone's name servers. See that they answer "
    "from the internet.",
    "rejectedIdentifier": "The authority issues nothing for this name. Take the name out, or order "
    "from another authority.",
    "unsupportedIdentifier": "The authority issues nothing for such a name. Take the name out.",
    "userActionRequired": "The authority wants something of you first, as agreeing to new terms: "
    "read them, and agree in the settings of the account.",
    "externalAccountRequired": "This authority takes only accounts that were made at its website. "
    "Make one there, and give its key id and HMAC key in the settings of the account "
    "(external_key_id, external_hmac_key).",
    "invalidContact": "Correct the e-mail address of the account.",
    "unsupportedContact": "Correct the e-mail address of the account.",
    "accountDoesNotExist": "Nothing has to be done: the account is made anew with the next try.",
    "badCSR": "The authority does not take such a key or such names. Choose another type of key.",
    "serverInternal": "The authority has trouble of its own. Look at its status page; the agent "
    "tries again.",
}
_INCORRECT = "incorrectResponse"

_EXTERNAL_REFUSED = frozenset({"unauthorized", "malformed"})
_EXTERNAL_ACCOUNT = (
    "Where the authority takes only accounts that were made at its website: see that key id and "
    "HMAC key are those of there, and were neither used up nor withdrawn."
)

_BY_STEP = {
    AcmeStep.ACCOUNT: "Look at the settings of the account.",
    AcmeStep.ORDER: "Read what the authority says of the names.",
    AcmeStep.CHALLENGE: "See that the DNS provider works: test it in its settings.",
    AcmeStep.PROPAGATION: "See that all name servers of the zone get its changes. The agent tries "
    "again.",
    AcmeStep.VALIDATION: "See that the zone's name servers answer from the internet with the "
    "record that the agent wrote.",
    AcmeStep.FINALIZE: "The agent tries again.",
    AcmeStep.STORE: "See that the agent can write to its folder for certificates.",
    AcmeStep.HAND_OVER: "The certificate itself is valid and in its folder. See that whoever gets "
    "it works; the agent tries to hand it over again.",
}


def what_to_do(step: AcmeStep, error: AgentError) -> str:
    """Return the remedy of a failure."""
    if isinstance(error, AuthorityRefused):
        kind = "unauthorized" if error.kind == _INCORRECT else error.kind
        if step is AcmeStep.ACCOUNT and kind in _EXTERNAL_REFUSED:
            return _EXTERNAL_ACCOUNT
        return _BY_KIND.get(kind, _BY_STEP[step])
    return error.hint or _BY_STEP[step]


def authority_says(error: AgentError) -> str | None:
    """Return the authority's own words, where it said something."""
    return error.says if isinstance(error, AuthorityRefused) else None
