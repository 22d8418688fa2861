"""Calls the list of widgets from some threads of this process; prints each refusal.

Usage: python calling.py URL TOKEN CALLS THREADS; begins when a line comes in.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import amoexplore as amo

url, token = sys.argv[1:3]
calls, threads = map(int, sys.argv[3:])
account = amo.connect(url, token, pace=7)
sys.stdout.write("ready\n")
sys.stdout.flush()
sys.stdin.readline()
with ThreadPoolExecutor(threads) as pool:
    for answer in pool.map(lambda _: account.widgets_answer(1, 250), range(calls)):
        if answer.requests != 1:
            sys.stdout.write(f"{answer.requests} requests\n")
