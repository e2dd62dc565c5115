"""Turns what went wrong with a connection into a code and a sentence."""

import errno
import socket
import ssl

import aiohttp

from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.platform.outbound.causes import cause_of, number_of
from homelab_agent.platform.outbound.guard import GuardedAddress
from homelab_agent.platform.outbound.http import CutOff

type Failure = OSError | GuardedAddress | aiohttp.ClientError
"""What a connection may end with."""

FAILURES = (OSError, GuardedAddress, aiohttp.ClientError)

_WORDS = {
    errno.ECONNREFUSED: "refused the connection. Does the service run, and is the port right?",
    errno.ECONNRESET: "reset the connection.",
    errno.EPIPE: "reset the connection.",
    errno.ECONNABORTED: "broke the connection off.",
    errno.EHOSTUNREACH: (
        "cannot be reached: no machine answers at this address. Is it switched on?"
    ),
    errno.ETIMEDOUT: "did not answer the connection.",
    errno.ENETUNREACH: "cannot be reached: the agent's machine has no way to that network.",
    errno.EADDRNOTAVAIL: (
        "cannot be reached: the agent's machine has no address to reach it from."
    ),
    errno.EACCES: "cannot be reached: a rule of this machine forbids it.",
    errno.EPERM: "cannot be reached: a rule of this machine forbids it.",
    errno.EINVAL: "cannot be connected to: the address is not usable.",
}

_DISTRUST: dict[int, tuple[CheckCode, str]] = {
    # by the numbers of OpenSSL, X509_V_ERR_*
    9: (CheckCode.CERTIFICATE_NOT_YET_VALID, "a certificate that is not valid yet"),
    10: (CheckCode.CERTIFICATE_EXPIRED, "a certificate that has expired"),
    18: (CheckCode.CERTIFICATE_SELF_SIGNED, "a certificate that it signed itself"),
    19: (
        CheckCode.CERTIFICATE_UNTRUSTED,
        "a certificate of an authority that this machine does not know",
    ),
    20: (
        CheckCode.CERTIFICATE_UNTRUSTED,
        "a certificate whose issuer this machine does not know; a part of the chain may be missing",
    ),
    21: (
        CheckCode.CERTIFICATE_INCOMPLETE,
        "a certificate without the others of its chain; the server has to send them",
    ),
    62: (CheckCode.CERTIFICATE_WRONG_NAME, "a certificate for other names"),
    64: (CheckCode.CERTIFICATE_WRONG_NAME, "a certificate for other addresses"),
    66: (CheckCode.CERTIFICATE_WEAK, "a certificate with a key that is too short"),
    67: (CheckCode.CERTIFICATE_WEAK, "a certificate of an authority whose key is too short"),
    68: (CheckCode.CERTIFICATE_WEAK, "a certificate with a signature that is too weak"),
}

_NOT_TLS = {
    "WRONG_VERSION_NUMBER",
    "RECORD_LAYER_FAILURE",
    "HTTP_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
}


_WANTS_OURS = {"TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_CERTIFICATE_REQUIRED"}


def down(code: CheckCode, reason: str) -> CheckOutcome:
    """Return that something is wrong."""
    return CheckOutcome(ok=False, code=code, reason=reason)


def unknown(code: CheckCode, reason: str) -> CheckOutcome:
    """Return that it could not be checked at all."""
    return CheckOutcome(ok=False, known=False, code=code, reason=reason)


def timed_out(where: str, timeout_s: float, waited_for: str) -> CheckOutcome:
    """Return that the time was over. `waited_for` as in "an answer"."""
    return down(CheckCode.TIMED_OUT, f"{where}: no {waited_for} within {timeout_s:g} s.")


def failed(error: Failure, where: str) -> CheckOutcome:
    """Return what an error means. `where` as in "nas.home:443"; it begins the sentence."""
    if isinstance(error, GuardedAddress):
        return down(
            CheckCode.GUARDED,
            f"{where} is {error.why}. Monitors do not connect to there, unless an admin allows it "
            "(allow_guarded).",
        )
    if isinstance(error, CutOff | aiohttp.ClientPayloadError):
        return _cut_off(error.__cause__, where)
    if isinstance(error, aiohttp.ClientConnectorError):
        return _of_system(error.os_error, where)
    if isinstance(error, OSError):
        return _of_system(error, where)
    return _not_http(error, where)


def _not_http(error: aiohttp.ClientError, where: str) -> CheckOutcome:
    if isinstance(error, aiohttp.InvalidURL):
        return down(CheckCode.BAD_ADDRESS, f"{where} is no address that can be asked.")
    return down(
        CheckCode.BAD_ANSWER,
        f"{where} did not answer in proper HTTP. Is it another kind of service, or https?",
    )


def _cut_off(cause: BaseException | None, where: str) -> CheckOutcome:
    if isinstance(cause, OSError):
        return _of_system(cause, where)
    return down(CheckCode.CLOSED, f"{where} closed the connection before its answer was whole.")


def _of_system(error: OSError, where: str) -> CheckOutcome:
    if isinstance(error, aiohttp.ClientOSError) and isinstance(error.__cause__, ssl.SSLError):
        # It bears the number of OpenSSL, which means something else to the system.
        return _no_tls(error.__cause__, where)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _not_trusted(error, where)
    if isinstance(error, ssl.SSLError):
        return _no_tls(error, where)
    if isinstance(error, socket.gaierror):
        return _no_name(error, where)
    code = CheckCode(cause_of(error))
    if code is CheckCode.AGENT_BUSY:
        return unknown(
            code,
            f"The agent could not connect: {error.strerror}. Is its limit of open files too low?",
        )
    number, otherwise = number_of(error), f"cannot be reached: {error.strerror or error}."
    words = otherwise if number is None else _WORDS.get(number, otherwise)
    return down(code, f"{where} {words}")


def _no_name(error: socket.gaierror, where: str) -> CheckOutcome:
    code = CheckCode(cause_of(error))
    if error.errno == socket.EAI_ADDRFAMILY:
        words = f"{where} has no address of the kind that is asked for."
    elif code is CheckCode.UNKNOWN_HOST:
        words = f"{where}: nobody knows a host of that name."
    else:
        words = (
            f"{where}: the name could not be looked up ({error.strerror}). "
            "Does the name server work?"
        )
    return down(code, words)


def _not_trusted(error: ssl.SSLCertVerificationError, where: str) -> CheckOutcome:
    code, words = _DISTRUST.get(
        error.verify_code,
        (CheckCode.CERTIFICATE_UNTRUSTED, f"a certificate that is not trusted: {_said(error)}"),
    )
    return down(code, f"{where} shows {words}.")


def _no_tls(error: ssl.SSLError, where: str) -> CheckOutcome:
    if error.reason in _NOT_TLS:
        words = "does not answer in TLS. Does it speak http, and not https?"
    elif error.reason in _WANTS_OURS:
        words = "wants a certificate of whoever asks, and monitors have none. Check its port (tcp)."
    elif isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        words = "closed the connection during the TLS handshake."
    else:
        words = f"could not agree on TLS: {_said(error)}."
    return down(CheckCode.TLS_FAILED, f"{where} {words}")


def _said(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return (error.reason or "no reason is known").lower().replace("_", " ")
