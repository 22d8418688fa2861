"""Whose token."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, NoReturn, Self, SupportsIndex

import msgspec

from amoexplore.errors import ConfigurationError

if TYPE_CHECKING:
    from amoexplore.models import Message


class MaskedText(str):
    """A text whose repr does not show it, so that a traceback with locals or a dump of headers doesn't either.

    Nor does that of a piece of it: what shortens long texts would show their beginnings.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __getitem__(self, key: SupportsIndex | slice) -> Self:
        return type(self)(super().__getitem__(key))

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("A token is not pickled: it would stand in clear. Get it anew where it is needed.")


def masked_text(kind: type[MaskedText], value: object) -> MaskedText:
    """Return a text of JSON as one that is not shown; msgspec asks for it where a struct has one.

    Raises
    ------
    TypeError
        If it is no text, or one that no header can carry.
    """
    if isinstance(value, str) and value.isascii() and value.isprintable():
        return kind(value)
    raise TypeError("Expected a text of printable ASCII")


class Token:
    """A long-lived token, which is never renewed; puts itself into the Authorization header and shows itself nowhere.

    Parameters
    ----------
    text : MaskedText
        The token; white space around it is dropped, as files and clipboards add it.

    Raises
    ------
    ConfigurationError
        If it is empty or holds what no header can carry.
    """

    def __init__(self, text: MaskedText) -> None:
        token = MaskedText(text.strip())
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            what = "is empty" if not token else "holds spaces, line breaks or letters that no token has"
            raise ConfigurationError(f"The token {what}. Copy it again, whole, from the integration's Keys tab.")
        self._text = token

    def __call__(self, message: Message) -> Message:
        """Sign a request."""
        message.headers["Authorization"] = MaskedText(f"Bearer {self._text}")
        return message

    #: Whether another one follows when it has expired.
    is_renewed = False

    @property
    def client(self) -> str:
        """Whose requests amoCRM counts together: the integration, if the token names it, else the token itself."""
        audience = claims(self._text).aud
        return audience if isinstance(audience, str) else self._text

    @property
    def url(self) -> str | None:
        """Where its account is, as far as the token knows better than its user."""
        return None

    @property
    def expires_at(self) -> float | None:
        """Until when it is good, in seconds since 1970; None if that can't be read from it."""
        return claims(self._text).exp

    def renew(self, refused: str) -> bool:  # noqa: ARG002  there is no other for this one
        """Return whether another token is there, now that this Authorization header was refused."""
        return False

    def is_in(self, content: bytes) -> bool:
        """Return whether what has to be kept secret stands in clear in something."""
        return self._text.encode() in content

    def __repr__(self) -> str:
        return "Token(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A token is not pickled: it would stand in clear. Connect anew where it is needed.")


class Nobody(Token):
    """No token: for what is asked before there is one.

    Parameters
    ----------
    client : str
        The integration that asks.
    """

    def __init__(self, client: str) -> None:
        self._text = MaskedText(client)

    def __call__(self, message: Message) -> Message:
        """Leave a request as it is."""
        return message


def no_token(given: object) -> ConfigurationError:
    """Return the error of what is given for a token and is no text; it does not hold it."""
    return ConfigurationError(
        f"A token is a text, not of type {type(given).__name__}. Copy it, whole, from the integration's Keys tab."
    )


class Claims(msgspec.Struct, frozen=True):
    """What an access token says of itself; all None where it says nothing that can be read.

    Attributes
    ----------
    exp : float or None
        Until when it is good, by amoCRM's clock.
    aud : object
        For whom it is: the id of the integration.
    api_domain : str or None
        The host that knows where the account is now.
    """

    exp: float | None = None
    aud: object = None
    api_domain: str | None = None


def claims(text: str) -> Claims:
    """Return what a token says of itself. Nobody but amoCRM can check the signature."""
    text = MaskedText(text)
    payload = text.split(".")[1] if text.count(".") == 2 else ""  # noqa: PLR2004  a JWT: head, payload, signature
    try:
        return msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=Claims)
    except ValueError:
        return Claims()
