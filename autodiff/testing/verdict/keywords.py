"""Wrong calls of a check: keywords of other libraries, and what to write here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ...transforms.calling import check_function

_STEPS = "steps are chosen, and their errors estimated: leave it out"
_TOLERANCES = (
    "errors are estimated, and nothing is to be tuned: leave it out, or allow a relative error with tolerance="
)
_ARGUMENTS = "every floating-point argument is checked; for some of them write {who}(lambda w: f(w, x), w)"
_ALL_MODES = "reverse-mode derivatives are what is checked: leave it out"
INSTEAD = {
    **dict.fromkeys(("eps", "epsilon", "delta", "step", "step_size", "stepsize", "h", "dx"), _STEPS),
    **dict.fromkeys(("tol", "atol", "rtol", "threshold", "nondet_tol", "abs_tol", "rel_tol", "allclose"), _TOLERANCES),
    **dict.fromkeys(("argnum", "argnums", "wrt", "input_idx", "variables"), _ARGUMENTS),
    **dict.fromkeys(("modes", "mode", "fast_mode", "check_forward_ad", "check_backward_ad", "check_fwd"), _ALL_MODES),
    **dict.fromkeys(("seed", "generator", "random_state", "key"), "write rng=, a seed or a generator"),
    **dict.fromkeys(("inputs", "args"), "arguments follow the function one by one: {who}(f, a, b)"),
    "raise_exception": "a report is returned; to raise GradientError write assert_gradcheck",
    "grad": "write gradient=, a function that returns the gradient",
    "kwargs": "write a function of the arrays alone: {who}(lambda x: f(x, axis=0), x)",
}
"""What to write in the place of keywords of other libraries' checks."""


def refuse_keywords(who: str, unknown: Mapping[str, Any], known: str) -> None:
    """Raise TypeError for keywords that a check does not have."""
    for name in unknown:
        instead = INSTEAD.get(name, f"if it is one of f, write {{who}}(lambda x: f(x, {name}=...), x)")
        raise TypeError(
            f"{who}: there is no keyword '{name}'; {instead.format(who=who)}. The keywords of {who} are {known}"
        )


def check_arguments(who: str, f: Any, args: tuple[Any, ...]) -> None:
    """Raise TypeError for an object that is not a function, and for arguments in one tuple instead of one by one."""
    check_function(f, who)
    if len(args) == 1 and type(args[0]) in (tuple, list) and _fits(f, args[0]) and not _fits(f, args):
        raise TypeError(_together(who, f, args[0]))


@contextmanager
def noted(who: str, f: Callable[..., Any], args: tuple[Any, ...]) -> Iterator[None]:
    """Add a note to a TypeError of a function if it may have received a tuple by mistake."""
    try:
        yield
    except TypeError as error:
        if len(args) == 1 and type(args[0]) in (tuple, list) and _fits(f, args[0]):
            error.add_note(_together(who, f, args[0]))
        raise


def _together(who: str, f: Any, given: Any) -> str:
    names = [*_parameters(f), *(f"x{i}" for i in range(len(given)))][: len(given)]
    name = getattr(f, "__name__", "f")
    return (
        f"{who}: {'f' if name == '<lambda>' else name} was called with one {type(given).__name__} of {len(given)}; "
        f"arguments follow the function one by one: {who}({'f' if name == '<lambda>' else name}, {', '.join(names)})"
    )


def _parameters(f: Any) -> list[str]:
    try:
        return [p.name for p in inspect.signature(f).parameters.values() if p.kind <= p.POSITIONAL_OR_KEYWORD]
    except (TypeError, ValueError):
        return []


def _fits(f: Any, args: Any) -> bool:
    """Whether a function takes these arguments, as far as its signature shows."""
    if hasattr(f, "nin"):  # a ufunc
        return bool(f.nin == len(args))
    try:
        inspect.signature(f).bind(*args)
    except TypeError:
        return False
    except ValueError:
        return True
    return True
