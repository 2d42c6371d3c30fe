"""Functions that write arrays into files: they take plain values, which a Tensor gives when it is asked."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import refuse

_WRITERS: tuple[Any, ...] = (np.save, np.savetxt, np.savez, np.savez_compressed)

for _function in _WRITERS:
    refuse(_function, f"a file holds plain values; write np.{_function.__name__}(path, t.data)")
