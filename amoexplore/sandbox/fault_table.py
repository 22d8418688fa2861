"""The table of faults, which stand under their names everywhere: in Python, in a header, on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.datastructures import Headers, MutableHeaders

from amoexplore.sandbox.answers import problem
from amoexplore.sandbox.fault import Call, Fault, Host
from amoexplore.sandbox.fault_answers import (
    BadGateway,
    Blocked,
    CutBody,
    GatewayTimeout,
    HangUp,
    HtmlPage,
    InternalServerError,
    Latency,
    LostAnswer,
    LostRefresh,
    PaymentRequired,
    Reset,
    ServiceUnavailable,
    Silence,
    TooManyRequests,
    TruncatedJson,
)
from amoexplore.sandbox.fault_lists import AlwaysNext, ChangingCatalog, EndlessNext, ForeignNext, NoNext, WidgetTwice
from amoexplore.sandbox.oauth import SUBDOMAIN_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amoexplore.sandbox.oauth import OAuth


class ExpiredToken(Fault, frozen=True):
    """The access token that comes expires for good; a long-lived one does not."""

    path: str = "/api/*"

    async def _act(self, call: Call) -> None:
        oauth: OAuth = call.scope["app"].state.oauth
        if oauth.expire(Headers(scope=call.scope).get("authorization", "")):
            call.scope["state"]["caller"] = None
        await call.go_on()


class Moved(Fault, frozen=True):
    """The account has moved to this `host`, on the same port: elsewhere all is 404 but the question where it is."""

    host: Host = "localhost"

    async def _act(self, call: Call) -> None:
        domain = f"{self.host}:{call.scope['server'][1]}"
        scope = {**call.scope}
        headers = MutableHeaders(scope=scope)
        if headers.get("host") != domain and scope["path"] != SUBDOMAIN_PATH:
            return await call.reply(problem(404, "Account not found"))
        headers["host"] = domain
        return await call._replace(scope=scope).go_on()


FAULTS: dict[str, type[Fault]] = {
    "latency": Latency,
    "too_many_requests": TooManyRequests,
    "blocked": Blocked,
    "payment_required": PaymentRequired,
    "internal_server_error": InternalServerError,
    "bad_gateway": BadGateway,
    "service_unavailable": ServiceUnavailable,
    "gateway_timeout": GatewayTimeout,
    "html_page": HtmlPage,
    "truncated_json": TruncatedJson,
    "cut_body": CutBody,
    "reset": Reset,
    "hang_up": HangUp,
    "silence": Silence,
    "lost_answer": LostAnswer,
    "lost_refresh": LostRefresh,
    "always_next": AlwaysNext,
    "endless_next": EndlessNext,
    "no_next": NoNext,
    "foreign_next": ForeignNext,
    "widget_twice": WidgetTwice,
    "changing_catalog": ChangingCatalog,
    "expired_token": ExpiredToken,
    "moved": Moved,
}


def make_fault(name: str, options: Mapping[str, Any]) -> Fault:
    """Return the fault of this name, with options as they are or as text.

    Raises
    ------
    ValueError
        If there is no such fault, or it can't have these options; the message says what there is.
    """
    kind = FAULTS.get(name)
    if kind is None:
        raise ValueError(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
    try:
        return msgspec.convert(options, kind, strict=False)
    except msgspec.ValidationError as error:
        known = ", ".join(kind.__struct_fields__)
        raise ValueError(f"no fault {name!r} with these options: {error}; it has {known}") from None


def read_fault(text: str) -> tuple[str, Fault]:
    """Return name and fault of a text such as `reset` or `latency:seconds=0.3:every=10`.

    Raises
    ------
    ValueError
        If there is no such fault, or it can't have these options; the message says what there is.
    """
    name, *options = text.strip().split(":")
    return name, make_fault(name, dict(option.partition("=")[::2] for option in options))
