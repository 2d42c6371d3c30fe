"""Programs: a computation that is recorded once, and then replayed, read as code, and saved."""

from .capturing import capture as capture
from .instruction import PathError as PathError
from .jit import Jit as Jit
from .jit import StaleError as StaleError
from .jit import jit as jit
from .program import Program as Program
from .recorded import CaptureError as CaptureError

__all__ = ["CaptureError", "Jit", "PathError", "Program", "StaleError", "capture", "jit"]
