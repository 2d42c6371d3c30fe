"""What NumPy does about floating-point errors is what it does in the function: a warning, an error, or nothing."""

import warnings

import numpy as np
import pytest

from autodiff import CaptureError, PathError, capture, jit

HOW = [{"divide": "raise"}, {"all": "raise"}, {"divide": "ignore", "invalid": "raise"}, {"all": "ignore"}, {}]


def met(call):
    """What a call says, or raises."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            call(np.array([0.0, -1.0]))
        except FloatingPointError as error:
            return f"{error}"
    return [f"{warning.message}" for warning in said]


@pytest.mark.parametrize("how", HOW)
def test_a_block_inside_of_the_function(how):
    def f(x):
        with np.errstate(**how):
            y = 1.0 / x
        return y * np.log(x)

    program = capture(f, np.ones(2))
    scope = {}
    exec(program.source(), scope)
    assert met(program) == met(scope["f"]) == met(f)


@pytest.mark.parametrize("how", HOW)
def test_the_state_around_the_function_is_that_of_the_call(how):
    def f(x):
        return np.log(x)

    with np.errstate(**how):
        program = capture(f, np.ones(2))
    assert met(program) == met(f)
    with np.errstate(**how):
        assert met(program) == met(f)


def test_a_part_of_the_state_is_from_around_the_function():
    def f(x):
        with np.errstate(divide="ignore"):
            return np.log(x)

    program, function = capture(f, np.ones(2)), jit(f)
    function(np.ones(2))
    with np.errstate(invalid="raise"):
        with pytest.raises(PathError, match=r"np\.geterr\(\) gave"):
            program(np.ones(2))
        function(np.ones(2))
        assert met(function) == met(f)
    assert met(function) == met(f)


def test_a_function_that_is_called_at_an_error():
    def f(x):
        with np.errstate(divide="call", call=print):
            return np.log(x)

    with pytest.raises(CaptureError, match="set it around the function"):
        capture(f, np.ones(2))
