"""A proxy that lets TLS through, and sees no more of it than where it goes."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Tunnel(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.rfile.readline()
        self.server.heads.append(head.decode())  # type: ignore[attr-defined]
        host, _, port = head.split()[1].decode().rpartition(":")
        with socket.create_connection((host, int(port))) as there:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_relay, args=[there, self.connection])
            back.start()
            _relay(self.connection, there)
            back.join()


def _relay(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):  # whoever does not trust the other one breaks the connection
        while some := one.recv(65_536):
            other.sendall(some)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


@contextmanager
def tunnel() -> Iterator[tuple[str, list[str]]]:
    """Serve a proxy; give its address, and the heads of what it is asked for."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Tunnel) as server:
        server.heads = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", server.heads  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()
