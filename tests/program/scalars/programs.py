"""Random functions of numbers, and of numbers between arrays."""

import operator

import numpy as np

TWO = [operator.add] * 4 + [
    operator.sub, operator.mul, operator.mul, operator.truediv, operator.pow, np.maximum, np.minimum, np.add,
    np.arctan2,
]  # fmt: skip
ONE = [operator.neg, operator.abs, np.exp, np.log, np.tanh, np.sqrt, np.sin, np.square, np.sign, np.log1p]
COMPARE = [operator.lt, operator.ge, operator.eq, np.greater]
CONSTANTS = [0.0, -0.0, 1.5, 2.0, -1.0, 2, -2]
SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e300, 1e-310, 3.0]


def of_numbers(seed, given=4, calls=60):
    """A function of so many numbers that returns all that it computes on the way."""
    rng = np.random.default_rng(seed)

    def recent(count):
        return int(count - 1 - min(count - 1, rng.geometric(0.15) - 1))

    plan = []
    for count in range(given, given + calls):
        way, first, second, third = rng.random(), recent(count), recent(count), recent(count)
        if way < 0.5:
            plan.append((TWO[rng.integers(len(TWO))], first, second))
        elif way < 0.6:
            plan.append((TWO[rng.integers(len(TWO))], first, CONSTANTS[rng.integers(len(CONSTANTS))], "constant"))
        elif way < 0.85:
            plan.append((ONE[rng.integers(len(ONE))], first))
        else:
            plan.append((COMPARE[rng.integers(len(COMPARE))], first, second, third, way < 0.95))

    def function(*numbers):
        known = list(numbers)
        for call, first, *others in plan:
            if len(others) == 3:
                condition = call(known[first], known[others[0]])
                chosen = known[others[1]] * condition if others[2] else np.where(condition, known[first], known[-1])[()]
                known.append(chosen)
            elif len(others) == 2:
                known.append(call(known[first], others[0]))
            else:
                known.append(call(known[first], *[known[i] for i in others]))
        return known[given:]

    return function


def between_arrays(seed, calls=80):
    """A function of an array, a number and a generator, in which numbers and arrays depend on each other."""
    rng = np.random.default_rng(seed)
    plan = list(zip(rng.integers(0, 7, calls).tolist(), rng.integers(0, 10**6, (calls, 3)).tolist(), strict=True))
    calls_of_two = [operator.add, operator.mul, operator.sub, np.maximum]

    def function(x, number, generator):
        numbers, arrays = [number, x[0], x[1], np.sum(x)], [x, x * 2]

        def one(i):
            return numbers[-1 - min(i % 7, len(numbers) - 1)]

        for kind, (i, j, k) in plan:
            if kind < 4:
                numbers.append(calls_of_two[kind](one(i), one(j)))
            elif kind == 4:
                numbers.append(np.tanh(one(i)))
            elif kind == 5:
                arrays.append(np.tanh(arrays[-1] * one(i) + one(j)))
            else:
                numbers.append(np.sum(arrays[k % len(arrays)]) if i % 3 else arrays[-1][j % 2])
                if j % 3 == 0:
                    arrays.append(generator.normal(size=2) + one(i))
                elif j % 3 == 1:
                    room = np.zeros_like(arrays[-1])
                    room[0] = one(i)
                    room += one(j)
                    arrays.append(room)
                    numbers.append(room[0])
        return numbers, arrays

    return function


def drawn(rng, kinds):
    """Numbers of these types, of which a quarter is special."""
    special = rng.random(len(kinds)) < 0.25
    usual = rng.normal(size=len(kinds)) * 10.0 ** rng.uniform(-1, 1, len(kinds))
    with np.errstate(over="ignore", under="ignore"):  # of single precision
        return [kind(rng.choice(SPECIAL) if s else u) for kind, s, u in zip(kinds, special, usual, strict=True)]


def training_step(weights):
    """A step of gradient descent on the sum of the squares of some variables, which returns the loss."""

    def step():
        for w in weights:
            w.grad = None
        loss = sum(w * w * 0.5 for w in weights)
        loss.backward()
        for w in weights:
            w.data = w.data - 0.25 * w.grad
        return loss.item()

    return step
