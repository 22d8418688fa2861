"""What the account sends to a widget's server when a bot comes to the widget's block: a signed `widget_request`.

The shapes are those of the API's page on Salesbot; the claims and HS512 those that the official library reads
(github.com/amocrm/amocrm-api-php, `BotDisposableTokenModel`).
"""

from __future__ import annotations

import http.client
import time
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from amoexplore.sandbox.account import ACCOUNT_ID, SUBDOMAIN
from amoexplore.sandbox.jwt import signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amoexplore.sandbox.bots import Bot

_CONNECTIONS = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
_TIMEOUT = 2  # seconds, in which a widget has to answer
_LIFETIME = 1800  # seconds; known of the tokens of the front end, assumed of these

# A bot talks in a lead, whose type comes as a text with the number 2; the lead itself is made up.
_LEADS = "2"
_LEAD_ID = 4711


class Hook:
    """The server of a widget, as the account calls it.

    Parameters
    ----------
    url
        Where it takes requests.
    client_uuid, secret
        Of the widget's integration; the secret signs the requests.

    Raises
    ------
    ValueError
        If the address is none of HTTP.
    """

    def __init__(self, url: str, *, client_uuid: str, secret: str) -> None:
        self._address = urlsplit(url)
        self._client_uuid = client_uuid
        self._secret = secret
        # A port that is none is a ValueError of its own, here rather than when the bot has been started.
        if self._address.scheme not in _CONNECTIONS or not self._address.hostname or self._address.port == 0:
            raise ValueError("a widget_request goes to an address that begins with http:// or https:// and a host")

    def send(self, bot: Bot, data: Mapping[str, Any], *, account: str) -> None:
        """Ask the widget for what this bot waits for, once; `account` is the address of the account.

        Raises
        ------
        ConnectionError
            If the server can't be reached, or does not answer 200 within two seconds.
        """
        host = self._address.hostname
        token = signed(self._claims(bot, account), self._secret)
        body = {"token": token, "data": data, "return_url": bot.return_url}
        try:
            status = self._post(msgspec.json.encode(body))
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise ConnectionError(
                f"the widget's server at {host} did not answer: {reason}; the bot waits on"
            ) from error
        if status != HTTPStatus.OK:
            raise ConnectionError(f"the widget's server at {host} answered {status}, not 200; the bot waits on")

    def _claims(self, bot: Bot, account: str) -> dict[str, Any]:
        """Return what the token says: who sends it where, on whose behalf, and for how long it holds."""
        now = int(time.time())
        return {
            "iss": account,
            "aud": f"{self._address.scheme}://{self._address.netloc}",
            "iat": now,
            "nbf": now,
            "exp": now + _LIFETIME,
            "account_id": ACCOUNT_ID,
            "subdomain": SUBDOMAIN,
            "client_uuid": self._client_uuid,
            "bot_type": bot.bot,
            "entity_type": _LEADS,
            "entity_id": _LEAD_ID,
        }

    def _post(self, body: bytes) -> int:
        address = self._address
        target = (address.path or "/") + (address.query and f"?{address.query}")
        connection = _CONNECTIONS[address.scheme](str(address.hostname), address.port, timeout=_TIMEOUT)
        with closing(connection):
            connection.request("POST", target, body, {"Content-Type": "application/json"})
            status: int = connection.getresponse().status
            return status
