"""Distributions beside SciPy's, and their draws beside their densities."""

import numpy as np
import pytest
from scipy import integrate, stats

from autodiff import Tensor, grad
from nn.distributions import Bernoulli, Beta, Categorical, Dirichlet, Normal, Uniform, kl

A, B = np.array([0.7, 2.5]), np.array([1.5, 3.0])
P = np.array([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]])
CASES = {
    "normal": (Normal(A, B), stats.norm(A, B), np.array([0.1, 4.0])),
    "uniform": (Uniform(A, A + B), stats.uniform(A, B), np.array([1.0, 9.0])),
    "beta": (Beta(A, B), stats.beta(A, B), np.array([0.2, 0.9])),
    "bernoulli": (Bernoulli(probs=np.array([0.2, 1.0])), stats.bernoulli(np.array([0.2, 1.0])), np.array([1, 1])),
}


@pytest.mark.parametrize("name", CASES)
def test_density_and_entropy_are_scipys(name):
    ours, theirs, x = CASES[name]
    density = theirs.logpmf if name == "bernoulli" else theirs.logpdf
    np.testing.assert_allclose(ours.log_prob(x), density(x), rtol=1e-12)
    np.testing.assert_allclose(ours.entropy(), theirs.entropy(), rtol=1e-12)
    assert ours.shape == (2,)
    draws = ours.sample(4000, rng=0)
    assert draws.shape == (4000, 2)
    np.testing.assert_allclose(draws.mean(0), theirs.mean(), atol=5 * np.max(theirs.std()) / np.sqrt(4000) + 1e-12)
    np.testing.assert_array_equal(draws, ours.sample(4000, rng=0))


def test_classes():
    d = Categorical(probs=2.0 * P)
    np.testing.assert_allclose(d.log_prob(np.array([2, 0])), np.log([0.5, 0.6]))
    np.testing.assert_allclose(d.entropy(), stats.entropy(P, axis=-1))
    np.testing.assert_allclose(Categorical(logits=np.log(P[0])).log_prob([0, 1, 2]), np.log(P[0]))
    shares = np.mean(d.sample((4000,), rng=1)[..., None] == np.arange(3), axis=0)
    np.testing.assert_allclose(shares, P, atol=0.05)
    assert shares[1, 2] == 0
    with pytest.raises(IndexError, match="Categorical: positions reach from 0 to 3, but there are 3 classes"):
        d.log_prob(np.array([0, 3]))


def test_dirichlet():
    d = Dirichlet(np.array([[0.5, 1.0, 2.0], [3.0, 1.0, 1.0]]))
    x = np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    theirs = [stats.dirichlet(a) for a in d.concentration]
    np.testing.assert_allclose(d.log_prob(x), [t.logpdf(row) for t, row in zip(theirs, x, strict=True)])
    np.testing.assert_allclose(d.entropy(), [t.entropy() for t in theirs])
    draws = d.sample(3000, rng=0)
    np.testing.assert_allclose(draws.sum(-1), 1.0)
    np.testing.assert_allclose(draws.mean(0), [t.mean() for t in theirs], atol=0.03)


@pytest.mark.parametrize(
    ("p", "q", "interval"),
    [
        (Normal(0.3, 0.8), Normal(-0.5, 1.7), (-9, 9)),
        (Beta(2.0, 3.0), Beta(1.5, 0.9), (0, 1)),
        (Uniform(0.2, 0.7), Uniform(0.0, 2.0), (0.2, 0.7)),
    ],
    ids=["normal", "beta", "uniform"],
)
def test_divergence_is_the_integral(p, q, interval):
    def integrand(x):
        return float(np.exp(p.log_prob(x)) * (p.log_prob(x) - q.log_prob(x)))

    np.testing.assert_allclose(kl(p, q), integrate.quad(integrand, *interval)[0], rtol=1e-7)
    np.testing.assert_allclose(kl(p, p), 0.0, atol=1e-15)


def test_divergence_of_classes():
    q = np.array([[0.1, 0.6, 0.3], [0.3, 0.3, 0.4]])
    np.testing.assert_allclose(kl(Categorical(P), Categorical(q)), stats.entropy(P, q, axis=-1))
    assert kl(Categorical(q[1]), Categorical(P[1])) == np.inf
    p, q = np.array([0.2, 1.0, 0.0]), np.array([0.7, 0.4, 0.5])
    expected = stats.entropy(np.stack([p, 1 - p]), np.stack([q, 1 - q]), axis=0)
    np.testing.assert_allclose(kl(Bernoulli(p), Bernoulli(q)), expected)
    assert kl(Uniform(0.0, 3.0), Uniform(1.0, 2.0)) == np.inf
    with pytest.raises(TypeError, match="kl: there is no formula for Normal and Uniform; they must be of one kind"):
        kl(Normal(0.0, 1.0), Uniform(0.0, 1.0))


def test_gradients(check_gradient):
    x = np.array([0.3, 0.6])
    check_gradient(lambda a, b: Normal(a, b).log_prob(x) + Normal(a, b).entropy(), A, B)
    check_gradient(lambda a, b: Uniform(a, a + b).entropy() + Uniform(a - 3.0, a + b).log_prob(x), A, B)
    check_gradient(lambda a, b: Beta(a, b).log_prob(x) + Beta(a, b).entropy() + kl(Beta(a, b), Beta(b, a)), A, B)
    check_gradient(lambda a: Dirichlet(a).entropy() + kl(Dirichlet(a), Dirichlet(B)), A)
    check_gradient(lambda a: Bernoulli(logits=a).log_prob(np.array([0, 1])) + Bernoulli(logits=a).entropy(), A)
    check_gradient(lambda a: Categorical(logits=a).log_prob(1) + Categorical(probs=a).entropy(), A)
    check_gradient(lambda a, b: Normal(a, b).rsample(3, rng=0) + Uniform(a, a + b).rsample(3, rng=0), A, B)
    draws = Normal(Tensor(A.astype(np.float32)), Tensor(B.astype(np.float32))).sample(2, rng=0)
    assert type(draws) is np.ndarray
    assert draws.dtype == np.float32
    assert np.isfinite(grad(lambda p: np.sum(Bernoulli(p).entropy()))(np.array([0.5]))).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Normal(0.0, 0.0), "Normal: scale must be larger than 0; it reaches from 0 to 0"),
        (
            lambda: Normal(np.zeros(2), np.ones(3)),
            r"Normal: the parameters have shapes (2,) and (3,), which do not",
        ),
        (lambda: Uniform(1.0, 1.0), "Uniform: high must be larger than low"),
        (lambda: Bernoulli(1.5), "Bernoulli: probs must be in [0, 1]; it reaches from 1.5 to 1.5"),
        (lambda: Bernoulli(), "Bernoulli: give either probs or logits"),
        (lambda: Categorical(0.5), "Categorical: one number is no distribution"),
        (lambda: Categorical(np.array([-1.0, 2.0])), "Categorical: probs must be in [0, "),
        (
            lambda: Dirichlet(np.array([1.0, -1.0])),
            "Dirichlet: concentration must be larger than 0; it reaches from -1",
        ),
        (lambda: Beta(np.nan, 1.0), "Beta: concentration1 must be larger than 0; it reaches from nan to nan"),
    ],
)
def test_wrong_parameters(make, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        make()
    assert words in str(caught.value)
