"""The functions of the table: NumPy's and the library's own, and SciPy's, which have some names in common."""

from autodiff.primitive import registry
from autodiff.program.exporting import called
from autodiff.scipy import load
from autodiff.scipy.compiled import ndarrays_only
from autodiff.testing.table.samples import calls

load()
OF_SCIPY = {
    called(function).removeprefix("scipy.").removeprefix("special."): entry
    for function, entry in registry.items()
    if called(function).startswith("scipy.")
}
OTHERS = [
    (function, entry)
    for function, entry in registry.items()
    if not called(function).startswith("scipy.")
    and function not in ndarrays_only
    and not entry.name.startswith("bitwise_")
    and entry.name != "invert"
]


def call_of(function, entry):
    """The first call of an entry: of NumPy's function itself, where it is one."""
    call = calls(entry)[0]
    return call.with_call(function) if called(function).startswith("np.") else call
