"""Which addresses are an account's: the only ones that a token is sent to."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from amoexplore import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Where accounts are, and on which site their users are asked for consent (the API's page on OAuth, step by step).
SITES: Final[Mapping[str, str]] = {
    "amocrm.ru": "https://www.amocrm.ru",
    "amocrm.com": "https://www.kommo.com",
    "kommo.com": "https://www.kommo.com",
}

#: Whose requests are counted by the address that they come from (developers.kommo.com, limitations).
_COUNTED_BY_ADDRESS: Final = (".kommo.com", ".amocrm.com")

#: A name of labels of up to 63 letters, or an address of this machine.
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*|[0-9a-f:]+")


def account_address(host: str) -> str:
    """Return the address of an account that may be given by its host alone, such as ``example.amocrm.ru``.

    Raises
    ------
    ConfigurationError
        If it can't be one.
    """
    host = _text(host)
    if "://" not in host and host:
        host = f"{'http' if is_loopback(host.partition(':')[0]) else 'https'}://{host}"
    return base_address(host)


def base_address(url: str) -> str:
    """Return scheme and host of an account's address.

    Raises
    ------
    ConfigurationError
        If it can't be one: an account is at amoCRM's or Kommo's, by https, and a sandbox is on this machine.
    """
    url = _text(url)
    try:
        parts = urlsplit(url)
        why = _unusable(parts) or _foreign(parts)
    except ValueError as error:
        why = str(error)
    if why:
        raise errors.ConfigurationError(
            f"This is no address of an account: {why}. One looks like https://example.amocrm.ru."
        )
    default_port = {"https": ":443", "http": ":80"}[parts.scheme]
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(default_port)}"


def neighbour(url: str, host: str) -> str:
    """Return the address of a host that the account at an address has named: where it is now, or whom to ask.

    Raises
    ------
    ConfigurationError
        If it is none that an account there could name: amoCRM's name amoCRM's, a sandbox this machine.
    """
    address = base_address(f"{urlsplit(url).scheme}://{host}")
    if is_loopback(urlsplit(address).hostname or "") is not is_loopback(urlsplit(url).hostname or ""):
        raise errors.ConfigurationError(f"{url} names {address} as its own, which it can't be.")
    return address


def site(url: str) -> str:
    """Return where the users of the account at an address are asked for consent."""
    host = urlsplit(url).hostname or ""
    return url if is_loopback(host) else SITES[_domain(host)]


def is_counted_by_address(host: str) -> bool:
    """Return whether an account's requests are counted with those that the same machine sends to others."""
    return host.endswith(_COUNTED_BY_ADDRESS)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost" or has_a_name_here(host):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def has_a_name_here(host: str) -> bool:
    """Return whether a host has a name that is this machine's whatever anybody says: RFC 6761 keeps them all for it."""
    return host.endswith(".localhost")


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise errors.ConfigurationError(
            f"An address of an account is a text such as https://example.amocrm.ru, not of type {type(given).__name__}."
        )
    return given.strip()


def _unusable(parts: SplitResult) -> str | None:
    _ = parts.port  # raises what is wrong with it
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "it must begin with https:// and a host"
    if parts.username is not None or parts.password is not None:
        return "it must not hold a user or a password"
    if not _HOST.fullmatch(parts.hostname):
        return "its host has letters that no host has"
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "nothing may follow the host"
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return "http would send the token in the open, so https is needed"
    return None


def _foreign(parts: SplitResult) -> str | None:
    host = parts.hostname or ""
    if is_loopback(host):
        return None
    if _domain(host) not in SITES or parts.port not in {None, 443}:
        return f"accounts are at {', '.join(f'*.{domain}' for domain in SITES)}, and a token is sent nowhere else"
    return "www is amoCRM's own site, and an account has a name of its own" if host.startswith("www.") else None


def _domain(host: str) -> str:
    return host.partition(".")[2]
