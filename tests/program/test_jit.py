"""jit is right, records again, or says so."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff import CaptureError, PathError, Tensor, capture, grad, jit, no_grad, vmap
from tests.program.samples import failures_in_threads, gradient
from tests.program.test_replay import same

X = np.array([0.25, 0.5, 1.0])


def paths(function):
    """How many programs there are."""
    return sum(len(signature.paths) for signature in function._signatures.values())


def test_what_changes_at_each_call_is_not_recorded():
    calls, again = iter(range(100)), iter(range(100))
    function = jit(lambda x: np.sum(x * (1.0 + next(calls))))
    for _ in range(9):
        same(function(np.ones(3)), np.sum(np.ones(3) * (1.0 + next(again))))
    assert "not recorded: the number 1.0 at" in function.explain()


def test_another_shape_dtype_or_option_is_another_program():
    def f(x, *, axis=0):
        return np.sum(x, axis=axis)

    function = jit(f)
    for x in (np.ones((2, 3)), np.ones((3, 2)), np.ones((2, 3), np.float32), np.asfortranarray(np.ones((2, 3)))):
        for axis in (0, 1):
            same(function(x, axis=axis), f(x, axis=axis))
            same(function(x * 2, axis=axis), f(x * 2, axis=axis))
    assert paths(function) == 8


def test_a_way_that_a_value_decides():
    def f(x):
        return np.sum(x) if np.max(x) > 1 else np.prod(x)

    function = jit(f)
    for value in (0.5, 2.0, 0.25, 3.0, 0.5):
        same(function(np.full(3, value)), f(np.full(3, value)))
    assert paths(function) == 2


def test_a_number_that_is_taken_out_again_and_again():
    function = jit(lambda x: x * float(np.max(x)))

    def go_on():
        for i in range(40):
            same(function(np.arange(3.0) + i), (np.arange(3.0) + i) * (i + 2.0))

    with pytest.raises(PathError, match="decide with"):
        go_on()
    assert paths(function) > 3


def test_what_cannot_be_recorded_is_called():
    def f(x):
        return np.sum(np.linalg.norm(np.asarray(x)) * x)

    function = jit(f)
    for _ in range(3):
        same(function(np.ones(3)), f(np.ones(3)))
    assert "not recorded: capture: a plain array was asked for" in function.explain()


TABLE = np.arange(9.0).reshape(3, 3)


def test_a_plain_array_of_what_is_computed_from_constants_alone_is_checked(monkeypatch):
    """A function asks for one, of a table that it sees; another table is another way."""

    def f(x):
        return x @ np.asarray(TABLE[:2, 1:] * 2.0)

    function = jit(f)
    for n in range(3):
        same(function(np.ones(2) * n), f(np.ones(2) * n))
    assert paths(function) == 1
    monkeypatch.setitem(globals(), "TABLE", TABLE + 1.0)
    same(function(np.ones(2)), f(np.ones(2)))
    with pytest.raises(CaptureError, match="a plain array was asked for"):
        capture(lambda x: np.asarray(TABLE * x[0]), np.ones(2))


def test_elements_of_an_argument_are_added_into_one_array():
    """Not into an array of zeros each, which would make n additions of n elements."""

    def f(x):
        return sum(np.sin(x[i]) * x[i + 1] for i in range(7)) + np.sum(x[2:4])

    for slope, x in ((grad(f), np.arange(8.0)), (vmap(grad(f)), np.arange(16.0).reshape(2, 8))):
        program = capture(slope, x)
        same(program(x * 0.5), slope(x * 0.5))
        assert [i.function for i in program.instructions].count(np.zeros_like) == 1


def test_what_was_done_before_a_refusal_is_undone():
    w, history, table = Tensor(np.ones(2)), [], {}

    def f(x):
        history.append(1)
        table["a"] = 1
        w.data = w.data + x
        w.data[...] = w.data * 2
        return np.asarray(x).sum()

    jit(f)(np.ones(2))
    assert history == [1]
    assert table == {"a": 1}
    assert w.data.tolist() == [4.0, 4.0]


def test_what_was_drawn_and_kept_elsewhere_before_a_refusal_is_undone():
    old, legacy, local, kept = random.Random(0), np.random.RandomState(0), threading.local(), threading.Event()
    local.rate = 3.0

    def f(x):
        return x * old.random() * legacy.random_sample() * local.rate * kept.is_set()

    assert jit(f)(np.ones(1)) == 0.0
    again = random.Random(0)
    assert local.rate == 3.0
    assert [again.random(), again.random()][1] == old.random()
    assert not kept.is_set()


def test_under_other_modes_and_inside_of_transforms_the_function_is_called():
    function = jit(lambda x: np.sum(x**2))
    with no_grad():
        same(function(np.ones(3)), 3.0 * np.float64(1))
    same(ad.grad(function)(np.ones(3)), np.full(3, 2.0))
    same(ad.vmap(function)(np.ones((2, 3))), np.full(2, 3.0))
    assert paths(function) == 0
    assert "calls of the function itself" in function.explain()


def test_an_exception_leaves_what_the_function_would_have_left():
    w = Tensor(np.ones(2))

    def f(x):
        w.data = w.data * 2
        if np.max(x) > 1:
            raise ValueError("too large")
        return np.sum(x * w).item()

    function = jit(f)
    function(np.ones(2))
    function(np.ones(2))
    with pytest.raises(ValueError, match="too large"):
        function(np.full(2, 3.0))
    assert w.data.tolist() == [8.0, 8.0]


def test_a_guard_that_fails_late_leaves_the_state_to_the_function():
    w, rng = Tensor(np.ones(2)), np.random.default_rng(0)
    v, other = Tensor(np.ones(2)), np.random.default_rng(0)

    def step(w, rng, x):
        w.data[...] = w.data * x
        noise = rng.normal()
        return noise if np.sum(w.data) > 3 else -noise

    function = jit(lambda x: step(w, rng, x))
    for x in (1.0, 1.5, 2.0, 0.25, 0.5, 4.0, 1.0):
        same(function(np.float64(x)), step(v, other, np.float64(x)))
        assert w.data.tobytes() == v.data.tobytes()


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_a_training_step_with_a_schedule(optimizer):
    def trainer():
        model = nn.Sequential(nn.Linear(4, 8, rng=0), nn.ReLU(), nn.Dropout(0.2, rng=1), nn.Linear(8, 3, rng=2))
        chosen = getattr(nn.optim, optimizer)(model.parameters(), lr=0.05)
        loss = nn.CrossEntropyLoss()

        def step(x, y):
            value = loss(model(x), y)
            chosen.zero_grad()
            value.backward()
            chosen.step()
            return value

        return model, chosen, step

    rng = np.random.default_rng(3)
    (model, chosen, step), (theirs, other, eager) = trainer(), trainer()
    fast = jit(step)
    for i in range(50):
        x, y = rng.normal(size=(16, 4)).astype(np.float32), rng.integers(0, 3, 16)
        chosen.lr = other.lr = 0.05 * 0.9**i
        same(fast(x, y).data, eager(x, y).data)
    for one, two in zip(model.parameters(), theirs.parameters(), strict=True):
        assert one.data.tobytes() == two.data.tobytes()
        assert one.grad.tobytes() == two.grad.tobytes()
    assert len(fast._signatures) == 1
    assert paths(fast) <= 3  # the first step makes the optimizer's means


def test_threads():
    assert failures_in_threads(jit(gradient), gradient) == []


def test_threads_that_train_one_model_and_threads_that_look_at_it():
    def trainer():
        model = nn.Sequential(nn.Linear(4, 8, rng=0, dtype=float), nn.Tanh(), nn.Linear(8, 1, rng=1, dtype=float))
        chosen = nn.optim.Adam(model.parameters(), lr=0.05)

        def step(x, y):
            chosen.zero_grad()
            loss = nn.mse_loss(model(x), y)
            loss.backward()
            chosen.step()
            return loss.data

        return model, step

    (model, step), (twin, eager) = trainer(), trainer()
    x, y, train = np.ones((5, 4)), np.zeros((5, 1)), jit(step)
    look = jit(lambda x: model(x).data * 1.0)
    wrong = []

    def run(act, count):
        try:
            for n in range(count):
                found = act(np.ones((3 + n % 5, 4)))
                if type(found) not in (np.ndarray, np.float64) or not np.isfinite(found).all():
                    wrong.append(found)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(lambda _: train(x, y), 30)) for _ in range(3)]
    threads += [threading.Thread(target=run, args=(look, 60)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    for _ in range(90):
        eager(x, y)
    for one, two in zip(model.parameters(), twin.parameters(), strict=True):
        assert one.data.tobytes() == two.data.tobytes()  # each step was made as a whole, one after another


def test_a_function_that_calls_itself_and_others():
    @jit
    def inner(x):
        return np.sin(x)

    @jit
    def f(x, n):
        return inner(x) if n == 0 else f(x * 0.5, n - 1) + inner(x)

    def g(x, n):
        return np.sin(x) if n == 0 else g(x * 0.5, n - 1) + np.sin(x)

    for _ in range(5):
        for n in (0, 3):
            same(f(X, n), g(X, n))


def test_a_thread_that_the_function_starts_is_refused():
    def f(x):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(np.sin, x).result() * 2

    function = jit(f)
    for _ in range(3):
        same(function(X), np.sin(X) * 2)
    assert "another thread" in function.explain()


def test_a_decorated_method():
    class Model:
        def __init__(self):
            self.w = np.ones(3)

        @jit
        def loss(self, x):
            """The loss."""
            return np.sum(self.w * x)

    one, two = Model(), Model()
    two.w = np.arange(3.0)
    for _ in range(3):
        same(one.loss(np.ones(3)), np.float64(3.0))
        same(two.loss(np.ones(3)), np.float64(3.0))
    two.w = np.zeros(3)
    same(two.loss(np.ones(3)), np.float64(0.0))
    assert Model.loss.__doc__ == "The loss."


@pytest.mark.parametrize("wrong", [3, "f", np.ones(2)])
def test_what_is_no_function(wrong):
    with pytest.raises(TypeError, match="jit: the first argument must be a function"):
        jit(wrong)


def test_capture_says_what_it_cannot_do():
    with pytest.raises(CaptureError, match="pass its array"):
        ad.capture(lambda t: t * 2, Tensor(1.0))


def test_an_error_that_the_function_catches():
    def f(x):
        try:
            return np.linalg.inv(x)
        except np.linalg.LinAlgError:
            return np.linalg.pinv(x)

    function = jit(f)
    for x in (np.eye(2), np.zeros((2, 2)), 2 * np.eye(2), np.ones((2, 2))):
        same(function(x), f(x))
    assert "an error was caught" in function.explain()


def test_a_generator_among_the_arguments():
    function = jit(lambda x, rng: x * rng.random(3))
    rng, other = np.random.default_rng(0), np.random.default_rng(0)
    for _ in range(5):
        same(function(np.ones(3), rng), np.ones(3) * other.random(3))


def test_ways_in_turn():
    def f(x):
        return x * 2 if np.sum(x) > 0 else x * 3

    function = jit(f)
    for i in range(20):
        x = np.ones(2) * (-1) ** i
        same(function(x), f(x))
    assert paths(function) == 2


@pytest.mark.parametrize("draw", [random.random, np.random.random])
def test_draws_that_no_program_makes(draw):
    function = jit(lambda x: x * draw())
    for seed in range(5):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        got = function(np.ones(2))
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        same(got, np.ones(2) * draw())


def test_gradients_that_were_none_at_first():
    """The second record finds gradients where the first left new ones: in the same places, in another order."""
    variables = [Tensor(1.0), Tensor(2.0)]

    def step():
        for v in variables:
            v.grad = None
        (variables[0] * variables[1]).backward()
        for v in variables:
            v.data = v.data - 0.5 * v.grad

    step = jit(step)
    for _ in range(3):
        step()
    assert "not recorded" not in step.explain()
    assert [float(v.data) for v in variables] == [-1.5, 1.875]


def test_a_variable_of_one_number_that_is_read_after_it_is_set():
    number = Tensor(1.0)

    def step(x):
        number.data = number.data - x
        return float(number.data * 1.0 >= -100.0) + number.data

    fast = jit(step)
    assert [float(fast(0.5)) for _ in range(9)] == [1.5 - 0.5 * n for n in range(9)]


def test_many_arguments_are_counted():
    fast = jit(lambda x: x[0] + x[-1])
    fast([1.0] * 40)
    assert "float, float and 28 more)" in fast.explain()


def test_the_derivative_of_a_recorded_function_can_be_captured():
    def f(x):
        return np.sum(np.tanh(x) ** 2)

    fast = jit(f)
    x = np.array([0.5, 1.0])
    fast(x)
    same(ad.capture(ad.grad(fast), x)(x), ad.grad(f)(x))


def test_a_table_from_outside_is_looked_up_at_positions_that_are_computed():
    table, column = np.arange(9.0).reshape(3, 3), np.array([2, 0, 1])

    def f(x):
        row = np.floor(x).astype(int) % 3
        return np.sum(x * table[row, column] + table[row][0])

    step = jit(ad.value_and_grad(f))
    for x in np.random.default_rng(0).uniform(0, 9, (9, 3)):  # the audits among them
        same(step(x), ad.value_and_grad(f)(x))
    assert paths(step) == 1
