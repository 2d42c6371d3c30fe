"""Filters and what is made of them: SciPy's values, whatever the options, and states that carry on."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from autodiff import Tensor, grad, jacobian
from autodiff.scipy import signal

B, A = scipy.signal.butter(3, 0.2)
SOS = scipy.signal.butter(4, 0.3, output="sos")
X = np.cos(np.arange(40.0) ** 1.3).reshape(2, 20)


def same(found, expected):
    for one, two in zip(*((r if isinstance(r, tuple) else (r,)) for r in (found, expected)), strict=True):
        np.testing.assert_allclose(one.data if isinstance(one, Tensor) else one, two, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("lfilter", (2 * B, 2 * A, X), {}),
        ("lfilter", (B, A, X), {"axis": 0, "zi": np.ones((3, 20))}),
        ("lfilter", (B, [2.0], X), {"zi": np.ones((1, 3))}),
        ("lfilter_zi", (2 * B, 2 * A), {}),
        ("filtfilt", (B, A, X), {}),
        ("filtfilt", (B, 2 * A, X.T), {"axis": 0, "padtype": "even", "padlen": 5}),
        ("filtfilt", (B, A, X), {"padtype": "constant"}),
        ("filtfilt", (B, A, X), {"padtype": None}),
        ("sosfilt", (SOS.copy(), X), {}),
        ("sosfilt", (SOS.copy(), X), {"axis": 0, "zi": np.ones((2, 2, 20))}),
        ("hilbert", (X,), {"N": 15}),
        ("hilbert", (X,), {"axis": 0, "N": 5}),
        ("detrend", (X,), {"bp": [0, 7, 12]}),
        ("detrend", (X,), {"axis": 0, "type": "constant"}),
    ],
)
def test_values_are_scipys(name, args, options):
    expected = getattr(scipy.signal, name)(*args, **options)
    same(getattr(signal, name)(*args, **options), expected)
    same(getattr(signal, name)(*args[:-1], Tensor(args[-1]), **options), expected)


def test_a_signal_in_two_parts_has_the_derivatives_of_the_whole():
    x, zi = X[0], np.zeros(3)

    def whole(b, a, x):
        return signal.lfilter(b, a, x)

    def parts(b, a, x):
        first, state = signal.lfilter(b, a, x[:7], zi=zi)
        return np.concatenate([first, signal.lfilter(b, a, x[7:], zi=state)[0]])

    for one, two in zip(jacobian(whole, (0, 1, 2))(B, A, x), jacobian(parts, (0, 1, 2))(B, A, x), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)


def test_many_coefficients_are_correlated_by_transforms():
    b = np.cos(np.arange(90.0))
    gradient = grad(lambda b: np.sum(signal.lfilter(b, [1.0], X) * X))(b)
    lagged = [np.sum(X[:, k:] * X[:, : 20 - k]) for k in range(20)]
    np.testing.assert_allclose(gradient, [*lagged, *np.zeros(70)], atol=1e-12)


def test_wrong_calls_are_refused_by_name():
    with pytest.raises(ValueError, match="lfilter: .*zi must have"):
        signal.lfilter(B, A, Tensor(X), zi=np.ones((2, 5)))
    with pytest.raises(ValueError, match="filtfilt: .*padlen=12"):
        signal.filtfilt(B, A, Tensor(X[:, :10]))
    with pytest.raises(ValueError, match="filtfilt: method='gust'"):
        signal.filtfilt(B, A, Tensor(X), method="gust")
    with pytest.raises(TypeError, match="irlen"):
        signal.filtfilt(B, A, Tensor(X), irlen=3)
    with pytest.raises(ValueError, match="sosfilt: zi has shape"):
        signal.sosfilt(SOS, Tensor(X), zi=np.ones((2, 2)))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_nothing_is_filtered_to_nothing(shape):
    assert grad(lambda x: np.sum(signal.lfilter(B, A, x)))(np.zeros(shape)).shape == shape
