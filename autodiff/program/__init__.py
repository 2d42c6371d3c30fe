"""Programs: a computation that is recorded once, and then replayed, read as code, and saved."""

from .capturing import capture as capture
from .instruction import PathError as PathError
from .program import Program as Program
from .recorded import CaptureError as CaptureError

__all__ = ["CaptureError", "PathError", "Program", "capture"]
