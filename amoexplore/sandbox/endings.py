"""Answers that never come: what becomes of a connection on which nothing more is said."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from asyncio import Transport

    from starlette.types import Receive, Scope

Ending = Literal["reset", "close", "silence"]

# On, and no time to send what is left: closing the socket then sends RST instead of FIN.
_NO_LINGER = struct.pack("ii", 1, 0)


class Unanswered(Exception):
    """Raised instead of an answer, or in the middle of one: the client gets this ending, and nothing more.

    Parameters
    ----------
    ending
        `reset` (RST), `close` (FIN, behind what has been sent), or `silence` until the client goes away.
    """

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending

    async def end(self, scope: Scope, receive: Receive) -> None:
        """End the connection so, and return when it is gone."""
        transport: Transport = scope["state"]["transport"]
        if self.ending == "reset":
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            transport.abort()
        elif self.ending == "close":
            transport.close()
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            # A sandbox that stops ends the silence.
            transport.abort()
