"""Whether there is a C compiler.  Where there is none, the same tests say that NumPy computes what C would."""

from autodiff.program.c.compiler import CompileError, compiler


def _is_there():
    try:
        return compiler() is not None
    except CompileError:
        return False


IS_THERE = _is_there()
