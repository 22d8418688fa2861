"""A process in which ten threads need the stored token at once; run by test_oauth.

Usage: python renewing.py URL; waits for a line on its standard input, and prints how many of its calls were answered.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import amoexplore as amo

THREADS = 10

account = amo.connect(sys.argv[1])
together = Barrier(THREADS)


def ask(_: int) -> int:
    """Ask for a widget when all the others do."""
    together.wait()
    return account.widget("amo_dropbox").id


with ThreadPoolExecutor(THREADS) as pool:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(str(list(pool.map(ask, range(THREADS))).count(742)))
