"""Whose token: today a long-lived one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from requests.auth import AuthBase

from amoexplore.errors import ConfigurationError

if TYPE_CHECKING:
    from requests import PreparedRequest


class MaskedText(str):
    """A text whose repr does not show it, so that a traceback with locals or a dump of headers doesn't either."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class Token(AuthBase):
    """A long-lived token; puts itself into the Authorization header and shows itself nowhere.

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
        self._header = MaskedText(f"Bearer {token}")

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request."""
        request.headers["Authorization"] = self._header
        return request

    def __repr__(self) -> str:
        return "Token(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A token is not pickled: it would stand in clear. Connect anew where it is needed.")
