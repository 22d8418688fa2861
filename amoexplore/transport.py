"""Requests to one account: its address, its token, and what answers mean."""

from __future__ import annotations

from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

import msgspec
import requests
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.util import Retry

from amoexplore import errors
from amoexplore.models import Answer, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amoexplore.tokens import Token

#: What a refusal becomes, and what its user can do about it.
REFUSALS: Final[Mapping[int, tuple[type[errors.Refused], str]]] = {
    401: (
        errors.Unauthorized,
        "The token is wrong, expired or revoked, or belongs to another account: check AMOEXPLORE_TOKEN",
    ),
    402: (errors.PaymentRequired, "Check the account's subscription in amoCRM"),
    403: (errors.Forbidden, "The token's user may not do this: use an administrator's token, or ask for the right"),
    404: (
        errors.NotFound,
        "Check the spelling of the code; a private widget is seen only by who uploaded it",
    ),
    429: (errors.TooManyRequests, "amoCRM allows 7 requests a second: wait a little, then try again"),
}
_SERVER_FAILS = (errors.ServerError, "The fault is on the service's side: try again later")
_OTHERWISE = (errors.Refused, "The request id helps amoCRM's support to find the cause")
_BLOCKED = (
    errors.Blocked,
    "Too many requests have blocked the account or this address: stop all integrations, write to amoCRM's support",
)

#: A read is sent again once where a connection broke: servers close idle ones, and a notebook is often idle.
ATTEMPTS: Final = 2


class Transport:
    """Sends requests to one account.

    Parameters
    ----------
    url : str
        The account's own address, such as ``https://example.amocrm.ru``; https, except on this machine.
    token : Token
    timeout : float
        Seconds to wait for a connection, and for each piece of an answer.

    Raises
    ------
    ConfigurationError
        If the address can't be one of an account.
    """

    def __init__(self, url: str, token: Token, *, timeout: float) -> None:
        self.url = _base(url)
        self._timeout = timeout
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/hal+json", "User-Agent": "amoexplore"})
        self._session.auth = token
        # The environment's proxy and certificates count, its .netrc doesn't: another password would replace the token.
        environment = self._session.merge_environment_settings(self.url, {}, stream=None, verify=None, cert=None)
        self._session.proxies, self._session.verify = environment["proxies"], environment["verify"]
        self._session.trust_env = False
        # Signed once: preparing a request anew for every page would cost as much as sending it.
        self._signed = self._session.prepare_request(requests.Request("GET", self.url))

    def __repr__(self) -> str:
        return f"Transport({self.url!r})"

    def get(self, path: str, params: Mapping[str, int] | None = None) -> Answer:
        """Read.

        Raises
        ------
        Unreachable
            If no whole answer came.
        Refused
            If the answer is no.
        Redirected
            If the answer points elsewhere.
        """
        query = "&".join(f"{key}={value}" for key, value in (params or {}).items())
        url = f"{self.url}{path}{f'?{query}' if query else ''}"
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(url, attempt)
            except errors.ConnectionDropped:
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError  # pragma: no cover  the loop returns or raises

    def _once(self, url: str, attempt: int) -> Answer:
        failure: BaseException
        try:
            request = self._signed.copy()
            request.url = url
            response = self._session.send(request, timeout=self._timeout, allow_redirects=False, stream=True)
            with response:
                # Read in one piece: requests would read in many small ones.
                body = response.raw.read(decode_content=True)
        except (requests.RequestException, HTTPError) as error:
            failure = _unreachable(error, url, self._timeout)
        except BaseException as error:  # noqa: BLE001  raised again just below
            failure = error
        else:
            answer = Answer(response.status_code, body, url, response.headers.get("X-Request-Id"), attempt)
            return _accepted(answer, response)
        # Raised here, without the frames below: their locals hold the header in clear.
        raise failure.with_traceback(None)


def _base(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        why = _unusable(parts)
    except ValueError as error:
        why = str(error)
    if why:
        raise errors.ConfigurationError(
            f"This is no address of an account: {why}. One looks like https://example.amocrm.ru."
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _unusable(parts: SplitResult) -> str | None:
    _ = parts.port  # raises what is wrong with it
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "it must begin with https:// and a host"
    if parts.username is not None or parts.password is not None:
        return "it must not hold a user or a password"
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "nothing may follow the host"
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return "http would send the token in the open, so https is needed"
    return None


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _unreachable(error: Exception, url: str, timeout: float) -> errors.Unreachable:
    host = urlsplit(url).netloc
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return errors.TimedOut(
            f"{host} did not answer within {timeout:g} s. Try again, or give the account a longer timeout.", url=url
        )
    if isinstance(error, requests.exceptions.SSLError):
        return errors.Unreachable(
            f"{host} could not be trusted: its certificate does not check. Is the address right, and the clock? "
            "Behind a company's proxy REQUESTS_CA_BUNDLE names its certificates.",
            url=url,
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return errors.Unreachable(
            f"The proxy between here and {host} does not let through: check HTTPS_PROXY, or NO_PROXY={host}.", url=url
        )
    if isinstance(getattr(next(iter(error.args), None), "reason", None), NewConnectionError):
        return errors.ConnectionRefused(
            f"Nothing answers at {host}: the connection was refused, or the name is unknown. "
            "Check AMOEXPLORE_URL and the network; if it is a sandbox, is it still running?",
            url=url,
        )
    return errors.ConnectionDropped(f"{host} broke the connection before its answer was complete. Try again.", url=url)


def _accepted(answer: Answer, response: requests.Response) -> Answer:
    if answer.status in {HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT}:
        return answer
    if 300 <= answer.status < 400:  # noqa: PLR2004  all that HTTP calls redirection
        where = response.headers.get("Location")
        raise errors.Redirected(
            f"{answer.url} points to {where!r}, and a token does not follow to another place. "
            "If the account has moved, connect to its new address.",
            status=answer.status,
            url=answer.url,
            request_id=answer.request_id,
        )
    raise _refusal(answer, response.headers)


def _refusal(answer: Answer, headers: Mapping[str, str]) -> errors.Refused:
    problem, is_json = _problem(answer.body)
    kind, advice = REFUSALS.get(answer.status, _SERVER_FAILS if answer.status >= 500 else _OTHERWISE)  # noqa: PLR2004
    if kind is errors.Forbidden and not is_json:
        kind, advice = _BLOCKED
    said = ": ".join(text for text in (problem.title, problem.detail or problem.hint) if isinstance(text, str))
    return kind(
        f"{answer.url} answers {answer.status}{f' ({said})' if said else ''}. {advice}.",
        status=answer.status,
        title=problem.title,
        detail=problem.detail,
        request_id=answer.request_id,
        url=answer.url,
        retry_after=_retry_after(problem, headers),
        errors=_validation_errors(problem),
    )


def _problem(body: bytes) -> tuple[Problem, bool]:
    try:
        return msgspec.json.decode(body, type=Problem), True
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Problem(), False


def _retry_after(problem: Problem, headers: Mapping[str, str]) -> float | None:
    if isinstance(problem.retry_after, int | float):
        return float(problem.retry_after)
    try:
        header = headers.get("Retry-After")
        return Retry().parse_retry_after(header) if header else None
    except HTTPError:
        return None


def _validation_errors(problem: Problem) -> tuple[dict[str, object], ...]:
    groups = problem.validation_errors if isinstance(problem.validation_errors, list) else []
    return tuple(
        error
        for group in groups
        if isinstance(group, dict)
        for error in group.get("errors") or ()
        if isinstance(error, dict)
    )
