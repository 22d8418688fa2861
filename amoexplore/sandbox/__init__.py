"""The API of amoCRM's widgets as a server on this machine: for notebooks, tests and trying things out.

It knows nothing of the client: both speak HTTP, and `openapi.yaml` says what. What the API's page leaves open is
listed in `quirks.toml`, each assumption with its source and its test.
"""

from __future__ import annotations

from amoexplore.sandbox.bots import Bot
from amoexplore.sandbox.fault_table import FAULTS
from amoexplore.sandbox.handlers import Link, Message
from amoexplore.sandbox.journal import LoggedRequest
from amoexplore.sandbox.limits import Limits
from amoexplore.sandbox.oauth import Integration, TokenPair
from amoexplore.sandbox.server import Sandbox

__all__ = ["FAULTS", "Bot", "Integration", "Limits", "Link", "LoggedRequest", "Message", "Sandbox", "TokenPair"]
