"""Whether scan data may go to a server's address: looked up once, and connected to as looked up."""

import ipaddress
import socket
from typing import NamedTuple

import httpx

from secai_lib.core.errors import Unreachable, UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
PRIVATE = [
    ipaddress.ip_network(block)
    for block in (
        *("127.0.0.0/8", "::1/128"),  # this machine
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),  # RFC 1918, RFC 4193
        *("169.254.0.0/16", "fe80::/10"),  # link-local
    )
]
SETTING = "inference.server_url in config/models.yaml"


class Server(NamedTuple):
    """Where requests go."""

    url: httpx.URL
    """With the IP address as host, so that a second look-up cannot lead elsewhere."""
    host: str
    """Host and port as configured, for the `Host` header."""
    name: str
    """Host name as configured, which a certificate has to name."""
    private: bool
    """True when the address is on this machine or a private network."""


def find_server(url: str, *, allow_public: bool) -> Server:
    """The server behind `url`.

    Raises:
        UsageError: it is no http(s) URL, or leads to a public address without `allow_public`.
        Unreachable: the name is unknown.
    """
    try:
        parsed = httpx.URL(url.rstrip("/"))
    except httpx.InvalidURL as error:
        raise UsageError(f"{SETTING} is not a URL") from error
    served = parsed.port is None or 0 < parsed.port < 2**16
    if parsed.scheme not in ("http", "https") or not parsed.host or not served:
        raise UsageError(f"{SETTING} must be http://HOST:PORT/v1 or https://HOST/v1")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise UsageError(
            f"{SETTING} may only hold a host and a path; a key goes into SECAI_SERVER_API_KEY"
        )
    addresses = _addresses(parsed.host, parsed.port or (443 if parsed.scheme == "https" else 80))
    private = all(is_private(address) for address in addresses)
    if not private and not allow_public:
        raise UsageError(
            f"{parsed.host} is outside this machine's private network, so scan data would leave "
            "it; name a local server, or set inference.allow_public_server: true"
        )
    pinned = parsed.copy_with(host=str(addresses[0]))
    return Server(pinned, parsed.netloc.decode("ascii"), parsed.raw_host.decode("ascii"), private)


def is_private(address: Address) -> bool:
    """True for this machine, private networks and link-local addresses."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return is_private(address.ipv4_mapped)
    return any(address in block for block in PRIVATE if block.version == address.version)


def _addresses(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(
            f"the host of {SETTING} is not known; check the name and that the server runs"
        ) from error
    # IPv4 first: most local servers listen on nothing else.
    texts = sorted({str(entry[4][0]).split("%")[0] for entry in found}, key=lambda t: (":" in t, t))
    return [ipaddress.ip_address(text) for text in texts]
