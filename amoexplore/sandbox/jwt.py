"""JSON web tokens, as the account makes them (RFC 7519)."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_RSA_BYTES = 256


def signed(claims: Mapping[str, Any], secret: str) -> str:
    """Return a token of these claims that is signed with HS512."""
    head = _head("HS512", claims)
    return f"{head}.{_base64(hmac.digest(secret.encode(), head.encode(), 'sha512'))}"


def unverifiable(claims: Mapping[str, Any]) -> str:
    """Return a token of these claims that looks as if it were signed with RS256.

    amoCRM keeps the keys of its access tokens to itself, so nobody else can check them; the account knows its own.
    """
    return f"{_head('RS256', claims)}.{_base64(secrets.token_bytes(_RSA_BYTES))}"


def _head(algorithm: str, claims: Mapping[str, Any]) -> str:
    return ".".join(_base64(msgspec.json.encode(part)) for part in ({"typ": "JWT", "alg": algorithm}, claims))


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
