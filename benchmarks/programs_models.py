"""Programs with arrays: a hand whose skin follows its bones, mixtures, clusters, components, an inner minimisation.

The hand, the mixture and the clusters are in the spirit of the suite ADBench (F. Srajer, Z. Kukelova, A. Fitzgibbon,
"A Benchmark of Selected Algorithmic Differentiation Tools on Some Problems in Computer Vision and Machine Learning",
2018), the components in that of an example of HIPS autograd.  Written anew, once for any module that looks like NumPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .programs_loops import in_python

Array = Any
Function = Any

FINGERS, PHALANGES, POINTS = 5, 3, 800
COMPONENTS, DIMENSION, SAMPLES = 10, 8, 1_000
CLUSTERS, CLUSTERED, EXPONENTS = 10, 5_000, 100_000
SENSORS, SOURCES, TIMES = 100, 2, 200
INNER_STEPS, INNER_WIDTH = (30, 120), 6


# -- a hand: 26 angles and positions, 2,400 coordinates ----------------------------------------------------------


def _generators() -> list[tuple[Array, Array]]:
    """For a rotation about each axis: R(a) = I + sin(a) K + (1 - cos(a)) K²."""
    found = []
    for i, j in ((1, 2), (2, 0), (0, 1)):
        k = np.zeros((4, 4))
        k[i, j], k[j, i] = -1.0, 1.0
        found.append((k, k @ k))
    return found


def hand(module: Any, of: Function = np.asarray) -> Function:
    """The coordinates of points on the skin, each moved by a mixture of 16 bones; ``of`` makes the constants."""
    rng = np.random.default_rng(0)
    bones = 1 + FINGERS * PHALANGES
    shares = rng.uniform(size=(bones, 1, POINTS)) ** 8
    rest = np.concatenate([rng.normal(size=(3, POINTS)), np.ones((1, POINTS))])
    lengths = [np.eye(4) + np.outer([0, 1.0, 0, 0], [0, 0, 0, 1.0]) * rng.uniform(0.3, 0.6) for _ in range(bones)]
    shares, rest, eye, target = of(shares / shares.sum(0)), of(rest), of(np.eye(4)), of(rng.normal(size=(3, POINTS)))
    offsets = [of(length) for length in lengths]
    axes = [(of(k), of(square)) for k, square in _generators()]
    columns = [of(np.outer(row, [0, 0, 0, 1.0])) for row in np.eye(4)[:3]]

    def turn(angle: Array, axis: int) -> Array:
        k, square = axes[axis]
        return eye + module.sin(angle) * k + (1.0 - module.cos(angle)) * square

    def f(p: Array) -> Array:
        wrist = module.matmul(module.matmul(turn(p[0], 0), turn(p[1], 1)), turn(p[2], 2))
        wrist = wrist + p[3] * columns[0] + p[4] * columns[1] + p[5] * columns[2]
        transforms = [wrist]
        for finger in range(FINGERS):
            q = 6 + 4 * finger
            bone = module.matmul(wrist, module.matmul(turn(p[q], 0), turn(p[q + 1], 2)))
            for phalanx in range(PHALANGES):
                if phalanx:
                    bone = module.matmul(bone, turn(p[q + 1 + phalanx], 0))
                bone = module.matmul(bone, offsets[1 + finger * PHALANGES + phalanx])
                transforms.append(bone)
        moved = module.matmul(module.stack(transforms), rest)
        return module.reshape(module.sum(moved * shares, axis=0)[:3] - target, (-1,))

    return f


def hand_arguments() -> tuple[Array]:
    """The 26 parameters."""
    return (np.random.default_rng(1).normal(size=6 + 4 * FINGERS) * 0.3,)


# -- likelihoods and distances -----------------------------------------------------------------------------------


def logsumexp(module: Any, x: Array, axis: int) -> Array:
    """log(sum(exp(x))) without overflow."""
    largest = module.amax(x, axis, keepdims=True)
    return module.squeeze(largest, axis) + module.log(module.sum(module.exp(x - largest), axis))


def mixture(module: Any, of: Function = np.asarray) -> Function:
    """Minus the log-likelihood of a mixture of Gaussians whose inverse covariances have a triangular root each."""
    rng = np.random.default_rng(0)
    data = of(rng.normal(size=(SAMPLES, DIMENSION)))
    below = np.tril_indices(DIMENSION, -1)
    places = np.zeros((len(below[0]), DIMENSION, DIMENSION))
    places[np.arange(len(below[0])), below[0], below[1]] = 1.0
    places = of(places.reshape(len(below[0]), -1))

    def f(parameters: list[Array]) -> Array:
        weights, means, diagonals, triangles = parameters
        roots = module.reshape(module.matmul(triangles, places), (COMPONENTS, DIMENSION, DIMENSION))
        away = data - module.reshape(means, (COMPONENTS, 1, DIMENSION))
        scaled = module.reshape(module.exp(diagonals), (COMPONENTS, 1, DIMENSION)) * away
        turned = scaled + module.matmul(away, module.swapaxes(roots, 1, 2))
        squares = module.sum(turned * turned, 2)
        heights = module.reshape(weights + module.sum(diagonals, 1), (COMPONENTS, 1)) - 0.5 * squares
        likelihood = module.sum(logsumexp(module, heights, 0)) - SAMPLES * logsumexp(module, weights, 0)
        prior = 0.5 * (module.sum(module.exp(2.0 * diagonals)) + module.sum(triangles * triangles))
        return prior - likelihood

    return f


def mixture_arguments() -> tuple[Any]:
    """Weights, means, logarithms of the diagonals, and what stands below them."""
    rng = np.random.default_rng(1)
    below = DIMENSION * (DIMENSION - 1) // 2
    shapes = [(COMPONENTS,), (COMPONENTS, DIMENSION), (COMPONENTS, DIMENSION), (COMPONENTS, below)]
    return ([rng.normal(size=shape) * 0.3 for shape in shapes],)


def clusters(module: Any, of: Function = np.asarray) -> Function:
    """The sum of the squared distances to the nearest of some centres."""
    points = of(np.random.default_rng(0).normal(size=(CLUSTERED, 1, 4)))

    def f(centres: Array) -> Array:
        away = points - centres
        return module.sum(module.amin(module.sum(away * away, 2), 1))

    return f


def clusters_arguments() -> tuple[Array]:
    """The centres."""
    return (np.random.default_rng(1).normal(size=(CLUSTERS, 4)),)


def large_logsumexp(module: Any) -> Function:
    """log(sum(exp(x))) of a long vector."""

    def f(x: Array) -> Array:
        return logsumexp(module, x, 0)

    return f


def logsumexp_arguments() -> tuple[Array]:
    """The long vector."""
    return (np.random.default_rng(0).normal(size=EXPONENTS),)


def logsumexp_by_hand(x: Array) -> Array:
    """Its gradient in NumPy."""
    shares = np.exp(x - np.amax(x))
    shares /= np.sum(shares)
    return shares


# -- components --------------------------------------------------------------------------------------------------


def components(module: Any, of: Function = np.asarray) -> Function:
    """Minus the log-likelihood of data = weights times sources, with noise of Student's distribution."""
    rng = np.random.default_rng(0)
    weights = np.stack([np.sin(np.linspace(0.0, 4.0 + 3.2 * i, SENSORS)) for i in range(SOURCES)], 1)
    data = of((weights @ rng.normal(size=(SOURCES, TIMES))).T + rng.normal(size=(TIMES, SENSORS)))
    freedom = 2.4
    constant = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(math.pi * freedom)

    def f(p: Array) -> Array:
        weights = module.reshape(p[: SENSORS * SOURCES], (SENSORS, SOURCES))
        sources = module.reshape(p[SENSORS * SOURCES : -1], (SOURCES, TIMES))
        spread = module.exp(p[-1])
        x = (module.swapaxes(module.matmul(weights, sources), 0, 1) - data) / spread
        heights = constant - (freedom + 1) / 2 * module.log(1.0 + x**2 / freedom) - module.log(spread)
        return -module.sum(heights) / TIMES

    return f


def components_arguments() -> tuple[Array]:
    """Weights, sources, and the logarithm of the noise's spread, in one vector as an optimizer wants them."""
    return (np.random.default_rng(1).normal(size=(SENSORS + TIMES) * SOURCES + 1),)


# -- a minimisation inside of a function -------------------------------------------------------------------------


def inner_minimum(module: Any, grad: Function, jvp: Function, steps: int, loop: Function = in_python) -> Function:
    """How far from a target steepest descent gets in some steps, each as long as the curvature along it asks for.

    ``grad(f)`` is a gradient, ``jvp(f, x, v)`` the derivative of ``f`` at ``x`` along ``v``: a program that
    differentiates inside of what is differentiated.
    """

    def energy(x: Array, matrix: Array) -> Array:
        y = module.matmul(matrix, x) - 1.0
        return module.sum(y * y) + 0.1 * module.sum(x * x * x * x)

    def f(matrix: Array) -> Array:
        slope = grad(lambda z: energy(z, matrix))

        def step(i: int, x: Array) -> Array:
            down = slope(x)
            curvature = module.sum(down * jvp(slope, x, down))
            return x - down * (module.sum(down * down) / curvature)

        x = loop(0, steps, step, module.sum(matrix, 0) * 0.1)
        return module.sum((x - 0.5) * (x - 0.5))

    return f


def inner_arguments() -> tuple[Array]:
    """The matrix of the energy."""
    rng = np.random.default_rng(0)
    return (np.eye(INNER_WIDTH) + 0.3 * rng.normal(size=(INNER_WIDTH, INNER_WIDTH)),)
