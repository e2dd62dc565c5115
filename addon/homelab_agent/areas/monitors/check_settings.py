"""What each kind of check can be told, as the wire has it. One class per check, told by `type`."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, SecretStr, StringConstraints
from yarl import URL

from homelab_agent.areas.certificates.models import HostName, PortNumber, StartTls
from homelab_agent.platform.model import Model
from homelab_agent.platform.outbound.name_server import host_and_port

_HEADERS_OF_THE_AGENT = {"connection", "content-length", "expect", "transfer-encoding", "upgrade"}


def _usable(text: str) -> str:
    url = URL(text)
    if not url.raw_host:
        raise ValueError("an address needs a host, as in https://cloud.example/status")
    if url.raw_user is not None or url.raw_password is not None:
        raise ValueError(
            "an address with a name and a password is shown to everybody; put them into a header"
        )
    return text


def _own_header(name: str) -> str:
    if name.lower() in _HEADERS_OF_THE_AGENT:
        raise ValueError(f"the agent itself sets {name}, as the method and the body need it")
    return name


def _one_line(value: SecretStr) -> SecretStr:
    if any(char in value.get_secret_value() for char in "\r\n\0"):
        raise ValueError("a header is one line")
    return value


def _name_server(text: str) -> str:
    host_and_port(text)
    return text


type Url = Annotated[
    str, StringConstraints(pattern=r"^https?://\S+$", max_length=2048), AfterValidator(_usable)
]
type NameServer = Annotated[str, StringConstraints(max_length=260), AfterValidator(_name_server)]
type HeaderName = Annotated[
    str,
    StringConstraints(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$"),
    AfterValidator(_own_header),
]
type HeaderValue = Annotated[SecretStr, Field(max_length=4096), AfterValidator(_one_line)]
type StatusRange = Annotated[str, StringConstraints(pattern=r"^\d{3}(-\d{3})?$")]


class CheckType(StrEnum):
    """What a monitor does."""

    HTTP = "http"
    TCP = "tcp"
    DNS = "dns"
    PING = "ping"
    TLS = "tls"
    CONTAINER = "container"
    PLEX = "plex"
    VNC = "vnc"
    SUNSHINE = "sunshine"
    HOME_ASSISTANT = "home_assistant"


class HttpCheckSettings(Model):
    """Ask for a page. Right is: a status of `status`, and what else is said here.

    `json_path` is a JSON pointer (RFC 6901), "/data/0/state"; `json_value` what is to be there.
    `headers` are sent; their values are secrets and never shown. `verify_tls` false accepts any
    certificate.
    """

    type: Literal[CheckType.HTTP] = CheckType.HTTP
    url: Url
    method: Literal["GET", "HEAD", "POST", "OPTIONS"] = "GET"
    status: tuple[StatusRange, ...] = Field(default=("200-399",), min_length=1, max_length=64)
    contains: str | None = Field(default=None, min_length=1, max_length=1024)
    not_contains: str | None = Field(default=None, min_length=1, max_length=1024)
    json_path: str | None = Field(default=None, pattern=r"^(/.*)?$", max_length=512)
    json_value: JsonValue = None
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict, max_length=32)
    body: str | None = Field(default=None, max_length=65536)
    follow_redirects: bool = True
    verify_tls: bool = True
    address_family: Literal["any", "ipv4", "ipv6"] = "any"


class TcpCheckSettings(Model):
    """Connect. `expect` is text that the other side has to say first, `send` what we say before."""

    type: Literal[CheckType.TCP] = CheckType.TCP
    host: HostName
    port: PortNumber
    send: str | None = Field(default=None, max_length=1024)
    expect: str | None = Field(default=None, min_length=1, max_length=1024)


class DnsCheckSettings(Model):
    """Ask for a record. `values` are what is to be answered, in any order; any answer if none.

    `server` is the name server to ask, "192.0.2.53" or "192.0.2.53:5353"; the system's if none.
    """

    type: Literal[CheckType.DNS] = CheckType.DNS
    name: HostName
    record: Literal["A", "AAAA", "CNAME", "TXT", "MX", "SRV", "NS", "CAA", "PTR", "SOA"] = "A"
    values: tuple[str, ...] = Field(default=(), max_length=64)
    server: NameServer | None = None


class PingCheckSettings(Model):
    """Send echo requests (ICMP); one of `count` has to come back."""

    type: Literal[CheckType.PING] = CheckType.PING
    host: HostName
    count: int = Field(default=3, ge=1, le=10)


class TlsCheckSettings(Model):
    """Do a handshake and look at the certificate: trusted, and good for more than `days_left`."""

    type: Literal[CheckType.TLS] = CheckType.TLS
    host: HostName
    port: PortNumber = 443
    server_name: HostName | None = None
    start_tls: StartTls | None = None
    days_left: int = Field(default=3, ge=0, le=365)
    verify: bool = True


class ContainerCheckSettings(Model):
    """The container runs, and is healthy where it has a health check. `container`: its key."""

    type: Literal[CheckType.CONTAINER] = CheckType.CONTAINER
    container: Annotated[str, StringConstraints(min_length=1, max_length=512)]


class PlexCheckSettings(Model):
    """A Plex media server answers. With a token also: how many sessions there are."""

    type: Literal[CheckType.PLEX] = CheckType.PLEX
    url: Url = "http://localhost:32400"
    token: SecretStr | None = None
    verify_tls: bool = False


class VncCheckSettings(Model):
    """A VNC server greets (RFB). We stop before anything is authenticated."""

    type: Literal[CheckType.VNC] = CheckType.VNC
    host: HostName
    port: PortNumber = 5900


class SunshineCheckSettings(Model):
    """A Sunshine (GameStream) server tells its state."""

    type: Literal[CheckType.SUNSHINE] = CheckType.SUNSHINE
    host: HostName
    port: PortNumber = 47989


class HomeAssistantCheckSettings(Model):
    """Home Assistant serves its pages; with a token also: it is running, not starting."""

    type: Literal[CheckType.HOME_ASSISTANT] = CheckType.HOME_ASSISTANT
    url: Url = "http://homeassistant.local:8123"
    token: SecretStr | None = None
    verify_tls: bool = True


type CheckSettings = Annotated[
    HttpCheckSettings
    | TcpCheckSettings
    | DnsCheckSettings
    | PingCheckSettings
    | TlsCheckSettings
    | ContainerCheckSettings
    | PlexCheckSettings
    | VncCheckSettings
    | SunshineCheckSettings
    | HomeAssistantCheckSettings,
    Field(discriminator="type"),
]
