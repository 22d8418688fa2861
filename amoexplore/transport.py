"""Requests to one account: its address, its token, and what answers mean."""

from __future__ import annotations

import math
import random
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, field
from numbers import Integral
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit

import msgspec
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    SSLError,
    TimeoutError,  # noqa: A004  of urllib3's
)
from urllib3.util import Retry, make_headers

from amoexplore import decode, errors, pacer, permits, retries
from amoexplore.hosts import base_address, is_loopback
from amoexplore.models import MASK, Answer, Body, Message, Problem, Request, Secret
from amoexplore.ways import HandshakeFailed, Ways

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urllib3.response import BaseHTTPResponse

    from amoexplore.stops import Stop
    from amoexplore.tokens import Token

Pace: TypeAlias = int | Literal["auto"] | None
Read = TypeVar("Read")

#: What a refusal becomes, and what its user can do about it.
REFUSALS: Final[Mapping[int, tuple[type[errors.Refused], str]]] = {
    400: (errors.ValidationFailed, "Correct what the faults name, then send it again"),
    401: (
        errors.Unauthorized,
        "The token is wrong, expired or revoked, or belongs to another account: check AMOEXPLORE_TOKEN, or log in",
    ),
    402: (errors.PaymentRequired, "Check the account's subscription in amoCRM"),
    403: (errors.Forbidden, "The token's user may not do this: use an administrator's token, or ask for the right"),
    404: (
        errors.NotFound,
        "There is no such thing here, or it is not for this user: check the code or the id",
    ),
    429: (errors.TooManyRequests, "amoCRM allows 7 requests a second: wait a little, then try again"),
}
_SERVER_FAILS = (errors.ServerError, "The fault is on the service's side: try again later")
_OTHERWISE = (errors.Refused, "Try again; if it stays so, ask amoCRM's support")
_BLOCKED = (
    errors.Blocked,
    "Too many requests have blocked the account or this address: stop all integrations, write to amoCRM's support",
)

#: How many round trips a request takes on a new connection: one to connect, and two with TLS or three with an old one.
_TO_CONNECT: Final = {"http": 2, "https": 4}
#: What goes with every request.
_HEADERS: Final = {"accept": "application/hal+json"} | make_headers(
    keep_alive=True, accept_encoding=True, user_agent="amoexplore"
)
#: Seconds that a socket can wait for at most: systems count them in milliseconds, in 31 bits.
_LONGEST: Final = 2_147_483
#: Seconds for which at least nothing is sent after a refusal that is not waited out: as long as requests are counted.
_BREATH = 1.0


def _now() -> float:
    return pacer.clock.now()


@dataclass
class Errand:
    """What became of a request so far.

    Attributes
    ----------
    stop : Stop, optional
        Calls it off.
    meanwhile : callable, optional
        What to do while the answer is on its way, each time that it is sent. What fails in it counts as the connection.
    sent : int
        How often it was sent.
    waited : float
        Seconds that it has waited for that.
    seconds : float
        From sending it last to the answer.
    drawn : float
        By which its waits are longer: others that failed with it do not come again with it.
    """

    stop: Stop | None = None
    meanwhile: Callable[[], object] | None = None
    sent: int = 0
    waited: float = 0.0
    seconds: float = 0.0
    began: float = field(default_factory=_now)
    drawn: float = field(default_factory=random.random)

    def told(self, error: errors.AmoError) -> errors.AmoError:
        """Return the error, which says so."""
        error.tries, error.waited = self.sent, self.waited
        if self.sent > 1:
            error.args = (f"{error} Tried {self.sent} times in {_now() - self.began:.1f} s.",)
        return error


class Transport:
    """Sends requests to one account.

    Parameters
    ----------
    url : str
        The account's own address, such as ``https://example.amocrm.ru``; https, except on this machine.
    token : Token
    timeout : float
        Seconds to wait for a connection, and for each piece of an answer.
    pace : int, None or "auto"
        Requests a second; None sends them as they come. "auto" is amoCRM's, on this machine only after a refusal.

    Raises
    ------
    ConfigurationError
        If the address can't be one of an account.
    ValueError
        If timeout or pace can't be used.
    """

    def __init__(self, url: str, token: Token, *, timeout: float, pace: Pace) -> None:
        self.named = base_address(url)
        pace = checked_pace(pace)
        if not _is_span(timeout):
            raise ValueError(
                f"timeout is a number of seconds above 0 and up to {_LONGEST}, such as 30, not {timeout!r}."
            )
        self._token = token
        self._timeout = timeout
        self._ways = Ways(self.named)
        self._pacer = pacer.pacer_of(self.named, token.client)
        self._pace = permits.RATE if pace == "auto" else pace
        self._begin_paced = pace != "auto" or not is_loopback(urlsplit(self.named).hostname or "")
        self._has_answered = False
        self._others = pacer.ALONE

    @property
    def url(self) -> str:
        """The account's address, which is another one than at first when it has moved."""
        return self._token.url or self.named

    @property
    def rate(self) -> int | None:
        """How many requests a second it sends at most; None for as many as come."""
        return self._pace if self._begin_paced or self._pacer.was_refused else None

    def among(self, others: pacer.Together) -> Transport:
        """Return what sends to the same account as one of many."""
        one = copy(self)
        one._others = others  # noqa: SLF001  its own copy's
        return one

    def reopen(self) -> None:
        """Let requests through again after a block: whoever connects anew may try."""
        self._pacer.open()

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
        path = f"{path}{f'?{query}' if query else ''}"
        return self.fetch(lambda: path, decode.demand_json, Errand())[0]

    def fetch(self, path: Callable[[], str], read: Callable[[Answer], Read], errand: Errand) -> tuple[Answer, Read]:
        """Read, and return what is made of it, too.

        Parameters
        ----------
        path : callable
            Says what to ask for, once it can be sent.
        read : callable
            Makes of the answer what is wanted; where it raises BadAnswer it is asked for again.
        errand : Errand

        Raises
        ------
        Unreachable, Refused, Redirected
            As for ``get``.
        CalledOff
            If the errand was called off.
        """
        while True:
            try:
                answer = self._once(Request("GET", self.url), errand, path)
                return answer, read(answer)
            except errors.AmoError as error:
                wait = self._wait_after(error, errand)
                if wait is None:
                    raise errand.told(error) from None
                why = retries.POLICIES[type(error)].why
            errand.waited += self._pacer.rest(wait, why, errand.stop, self._others.ended)

    def send(self, request: Request) -> Answer:
        """Write, once: whatever happens, it is not sent again.

        Raises
        ------
        Unreachable, Refused, Redirected
            As for ``get``.
        """
        return self._once(request, Errand())

    def await_permit(self) -> None:
        """Return once a request could be sent: a permit was there, and is free again.

        Raises
        ------
        Blocked, TooManyRequests
            If none will be.
        """
        with self._pacer.trip(self.rate, self._timeout):
            pass

    def _wait_after(self, error: errors.AmoError, errand: Errand) -> float | None:
        if not errand.sent or (isinstance(error, errors.ConnectionRefused) and not self._has_answered):
            return None
        return retries.wait(error, errand.sent, errand.drawn)

    def _once(self, request: Request, errand: Errand, path: Callable[[], str] = str) -> Answer:
        try:
            message = self._message(request)
        except errors.TooManyRequests:
            errand.sent += 1  # for what was to sign it: that is sent again with it
            raise
        try:
            return self._answer(message, errand, path)
        except errors.Unauthorized:
            # What is answered so was not done, so that a write, too, may be sent again with another token.
            if not self._token.renew(message.headers.get("Authorization", "")):
                raise
        return self._answer(self._message(request), errand, path)

    def _answer(self, message: Message, errand: Errand, path: Callable[[], str]) -> Answer:
        failure: BaseException
        rate = self.rate
        try:
            response, body = self._exchange(message, errand, path, rate)
        except HTTPError as error:
            failure = _unreachable(error, message.url, self._timeout)
        except BaseException as error:  # noqa: BLE001  raised again just below
            failure = error
        else:
            self._has_answered = True
            request_id = response.headers.get("X-Request-Id")
            answer = Answer(response.status, body, message.url, request_id, errand.sent, errand.waited)
            token = Secret(message.headers.get("Authorization", "").removeprefix("Bearer "))
            try:
                return _accepted(answer, response, token)
            except errors.AmoError as error:
                self._heed(error, errand, rate)
                raise
        # Raised here, without the frames below: their locals hold the header in clear.
        raise failure.with_traceback(None)

    def _exchange(
        self, message: Message, errand: Errand, path: Callable[[], str], rate: int | None
    ) -> tuple[BaseHTTPResponse, Body]:
        lease = 2 * self._timeout + 1
        with errand.stop.breaking() if errand.stop else nullcontext():
            # First the account's own permit, which is there sooner or later; nobody else waits for that.
            with (
                self._pacer.trip(rate, lease, errand.stop, self._others.ended) as trip,
                self._others.trip(self.url, lease, errand.stop) as among,
            ):
                errand.waited += trip.waited + among.waited
                # Not before there is a permit: so pages are sent for in order, and none that nobody wants any more.
                message.url = f"{message.url}{path()}"
                trip.is_sent = among.is_sent = True
                errand.sent += 1
                response = self._ways.ask(message, self._timeout, errand.meanwhile)
                connection = response.connection
                if errand.meanwhile is None:  # else it may have come long before
                    trip.round_trips = 1
                    if not self._pacer.has_seen(getattr(connection, "sock", None)):
                        trip.round_trips = _TO_CONNECT[urlsplit(self.url).scheme]
                        trip.to_connect = getattr(connection, "to_connect", 0.0)
            errand.seconds = trip.seconds
            with response:
                # Read in one piece: requests would read in many small ones.
                return response, Body(response.read(decode_content=True))

    def _heed(self, error: errors.AmoError, errand: Errand, rate: int | None) -> None:
        """Do for all requests to the account what the answer to this one demands."""
        if isinstance(error, errors.Blocked):
            self._pacer.close(error)
        if isinstance(error, errors.TooManyRequests) and self._pace:
            wait = retries.wait(error, errand.sent, errand.drawn)
            pause = wait or max(error.retry_after or 0, _BREATH)
            self._pacer.pause(pause, spaced=rate is not None)
            self._others.pause(self.url, pause)

    def _message(self, request: Request) -> Message:
        message = Message(request.method, request.url, dict(_HEADERS))
        if request.method != "GET":  # the API's page wants it of each write, also of one without a body
            message.headers["content-type"] = "application/json"
        if request.content is not None:
            message.body = request.content.reveal()
        return self._token(message)


def checked_pace(pace: Pace, name: str = "pace") -> Pace:
    """Return a pace, the number of which may be one of numpy's.

    Raises
    ------
    ValueError
        If it is none; the error says so of the argument of that name.
    """
    if pace in ("auto", None):
        return pace
    if isinstance(pace, Integral) and pace >= 1:
        return int(pace)
    raise ValueError(f"{name} is a whole number of requests a second, from 1 on, or None for no pace, not {pace!r}.")


def _is_span(seconds: object) -> bool:
    return isinstance(seconds, int | float) and 0 < seconds <= _LONGEST


def _unreachable(error: Exception, url: str, timeout: float) -> errors.Unreachable:
    host = urlsplit(url).netloc
    if isinstance(error, NewConnectionError):  # a ConnectTimeoutError as well
        return errors.ConnectionRefused(
            f"Nothing answers at {host}: the connection was refused, or the name is unknown. "
            "Check AMOEXPLORE_URL and the network; if it is a sandbox, is it still running?",
            url=url,
        )
    if isinstance(error, ConnectTimeoutError):
        return errors.ConnectionRefused(
            f"{host} took no connection within {timeout:g} s. Check AMOEXPLORE_URL and the network, then try again.",
            url=url,
        )
    if isinstance(error, TimeoutError):
        return errors.TimedOut(
            f"{host} did not answer within {timeout:g} s. Try again, or give the account a longer timeout.", url=url
        )
    if why := _no_way(error, host):
        return errors.Unreachable(why, url=url)
    return errors.ConnectionDropped(f"{host} broke the connection before its answer was complete. Try again.", url=url)


def _no_way(error: Exception, host: str) -> str | None:
    """Return why nothing could be sent, now and at another try; None if it may have been."""
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            f"{host} could not be trusted: its certificate does not check. Is the address right, and the clock? "
            "Behind a company's proxy REQUESTS_CA_BUNDLE names its certificates."
        )
    if isinstance(error, ProxyError):
        name = urlsplit(f"//{host}").hostname
        return f"The proxy between here and {host} does not let through: check HTTPS_PROXY, or set NO_PROXY={name}."
    if isinstance(error, HandshakeFailed):
        return (
            f"{host} does not speak TLS as it should ({error}), so nothing was sent. Is the address right? "
            "A sandbox is at http://."
        )
    return None


def _accepted(answer: Answer, response: BaseHTTPResponse, token: Secret) -> Answer:
    """Return a good answer; errors of others repeat what they say, but for the token."""
    if 200 <= answer.status < 300:  # noqa: PLR2004  all that HTTP calls success
        return answer
    if 300 <= answer.status < 400:  # noqa: PLR2004  all that HTTP calls redirection
        raise _redirected(answer, response, token)  # not its headers: a traceback may show what stands in this line
    raise _refusal(answer, response, token)


def _without(token: Secret, said: bytes) -> bytes:
    hidden = str(token.reveal()).encode()
    return said.replace(hidden, MASK.encode()) if hidden else said


def _redirected(answer: Answer, response: BaseHTTPResponse, token: Secret) -> errors.Redirected:
    if place := _without(token, response.headers.get("Location", "").encode()).decode():
        why = (
            f"{answer.url} points to '{place}', and a token does not follow to another place. "
            "If the account has moved, connect to its new address."
        )
    else:
        why = (
            f"{answer.url} answers {answer.status} and names no place to go to, which is no answer of amoCRM's. "
            "Is there a proxy in between? Open the address in a browser, or try again."
        )
    return errors.Redirected(why, status=answer.status, url=answer.url, request_id=answer.request_id)


def _refusal(answer: Answer, response: BaseHTTPResponse, token: Secret) -> errors.Refused:
    problem = _problem(_without(token, answer.body))
    kind, advice = REFUSALS.get(answer.status, _SERVER_FAILS if answer.status >= 500 else _OTHERWISE)  # noqa: PLR2004
    if kind is errors.Forbidden and answer.body.lstrip()[:1] == b"<":
        kind, advice = _BLOCKED
    if kind is errors.Refused and answer.request_id:
        advice = f"{advice}, with the request id {answer.request_id}"
    title, detail = (
        text if isinstance(text, str) else None for text in (problem.title, problem.hint or problem.detail)
    )
    said = ": ".join(filter(None, (title, detail)))
    retry_after = _retry_after(problem, response.headers)
    if kind is errors.TooManyRequests and retry_after and retry_after >= 1:
        advice = advice.replace("a little", f"{retry_after:.0f} s")
    faults = _validation_errors(problem)
    listed = "".join(f"\n  {fault.get('path')}: {fault.get('detail')}" for fault in faults)
    return kind(
        f"{answer.url} answers {answer.status}{f' ({said})' if said else ''}. {advice}.{listed}",
        status=answer.status,
        title=title,
        detail=detail,
        request_id=answer.request_id,
        url=answer.url,
        retry_after=retry_after,
        errors=faults,
    )


def _problem(body: bytes) -> Problem:
    try:
        return msgspec.json.decode(body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Problem()


def _retry_after(problem: Problem, headers: Mapping[str, str]) -> float | None:
    spans = map(_span, (problem.retry_after, headers.get("Retry-After")))
    return next((span for span in spans if span is not None), None)


def _span(said: Any) -> float | None:
    """Return how many seconds a number, a text or a date says to wait; None if it is no such thing."""
    is_date = isinstance(said, str) and said[:1].isalpha()  # each begins with a day of the week
    try:
        seconds = Retry().parse_retry_after(said) if is_date else float(said)
    except (HTTPError, OverflowError, TypeError, ValueError):  # a word, 400 digits, a year without a calendar
        return None
    return min(seconds, _LONGEST) if 0 <= seconds < math.inf else None


def _validation_errors(problem: Problem) -> tuple[dict[str, object], ...]:
    groups = problem.validation_errors if isinstance(problem.validation_errors, list) else []
    return tuple(
        error
        for group in groups
        if isinstance(group, dict) and isinstance(group.get("errors"), list)
        for error in group["errors"]
        if isinstance(error, dict)
    )
