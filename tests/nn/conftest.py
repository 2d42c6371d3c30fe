import numpy as np
import pytest

from autodiff import grad


def check_gradient(f, *arrays, rtol=1e-7, atol=1e-8):
    """Compare the gradient of ``f``, summed with fixed weights to one number, with central differences."""
    arrays = [np.array(a, dtype=np.float64) for a in arrays]
    shape = np.shape(f(*arrays))
    weights = np.round(np.random.default_rng(7).uniform(0.5, 1.5, shape), 2)

    def total(*values):
        return np.sum(f(*values) * weights)

    gradients = grad(total, argnums=range(len(arrays)))(*arrays)
    for which, (array, gradient) in enumerate(zip(arrays, gradients, strict=True)):
        numeric = np.zeros_like(array)
        for i in np.ndindex(array.shape):
            step = np.zeros_like(array)
            step[i] = 1e-5
            ahead, behind = ([*arrays[:which], array + d, *arrays[which + 1 :]] for d in (step, -step))
            numeric[i] = (total(*ahead) - total(*behind)) / 2e-5
        np.testing.assert_allclose(gradient, numeric, rtol=rtol, atol=atol)


@pytest.fixture(name="check_gradient")
def _check_gradient():
    return check_gradient


@pytest.fixture
def rng():
    return np.random.default_rng(11)
