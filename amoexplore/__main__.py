"""``python -m amoexplore`` is the command ``amoexplore``."""

from __future__ import annotations

import sys

from amoexplore.cli import main

sys.exit(main())
