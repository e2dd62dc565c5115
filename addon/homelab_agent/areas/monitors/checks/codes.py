"""What can be wrong with a service, in a word. A closed list: automations compare with it."""

from enum import StrEnum


class CheckCode(StrEnum):
    """Why a check was not right. The last group is of checks that could not be made at all."""

    # nothing came of the connection
    UNKNOWN_HOST = "unknown_host"
    DNS_FAILED = "dns_failed"
    BAD_ADDRESS = "bad_address"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NO_ROUTE = "no_route"
    TIMED_OUT = "timed_out"
    RESET = "reset"
    CLOSED = "closed"
    GUARDED = "guarded"

    # encryption
    TLS_FAILED = "tls_failed"
    NO_CERTIFICATE = "no_certificate"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_EXPIRING = "certificate_expiring"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    CERTIFICATE_WRONG_NAME = "certificate_wrong_name"
    CERTIFICATE_WEAK = "certificate_weak"
    CERTIFICATE_SELF_SIGNED = "certificate_self_signed"
    CERTIFICATE_INCOMPLETE = "certificate_incomplete"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"

    # an answer that is not right
    BAD_ANSWER = "bad_answer"
    WRONG_STATUS = "wrong_status"
    WRONG_BODY = "wrong_body"
    WRONG_VALUE = "wrong_value"
    TOO_LARGE = "too_large"
    REDIRECT_LOOP = "redirect_loop"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    NO_RECORD = "no_record"
    LOGIN_FAILED = "login_failed"
    NOT_READY = "not_ready"

    # containers
    NO_CONTAINER = "no_container"
    NOT_RUNNING = "not_running"
    UNHEALTHY = "unhealthy"

    # not known how it is
    ENGINE_AWAY = "engine_away"
    NOT_PERMITTED = "not_permitted"
    AGENT_BUSY = "agent_busy"
