"""Functions that write arrays to files.  They refuse a Tensor: a file holds plain values, ``t.data``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import refuse

_WRITERS: tuple[Any, ...] = (np.save, np.savetxt, np.savez, np.savez_compressed)

for _function in _WRITERS:
    refuse(_function, f"a file holds plain values; write np.{_function.__name__}(path, t.data)")
