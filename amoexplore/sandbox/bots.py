"""Bots that came to a widget's block and wait for the widget, as the sandbox's owner gets them."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

BotKind = Literal["salesbot", "marketingbot"]

BOTS: tuple[BotKind, ...] = get_args(BotKind)


class Bot(msgspec.Struct, frozen=True, kw_only=True):
    """A bot that waits until it is told to go on.

    Attributes
    ----------
    bot
        `salesbot` or `marketingbot`.
    bot_id
        Which bot it is.
    continue_id
        Which of its stops it is; good for going on once.
    return_url
        Where to POST what it goes on with.
    """

    bot: BotKind
    bot_id: int
    continue_id: int
    return_url: str
