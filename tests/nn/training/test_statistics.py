"""BatchNorm over a batch that several processes have parts of: threads stand for them, which sum as MPI does."""

from __future__ import annotations

import contextvars
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from autodiff import Tensor, checkpoint
from nn import BatchNorm1d, BatchNorm2d, Linear, Sequential, TrainingStep, mse_loss, optim
from nn.training.processes import Processes
from nn.training.shared import Shared
from nn.training.statistics import Statistics


def together(count, act):
    """The results of ``act(processes)`` in so many threads, each of which is one process of the group."""
    barrier, slots, results = threading.Barrier(count), [None] * count, [None] * count

    def run(rank):
        def total(array):
            slots[rank] = np.array(array)
            barrier.wait(20)
            out = sum(slots[1:], slots[0])
            barrier.wait(20)
            return out

        def start(array):
            array[...] = total(array)
            return SimpleNamespace(Test=lambda: True)

        try:
            results[rank] = act(SimpleNamespace(rank=rank, size=count, total=total, start=start, wait=lambda _: None))
        except Exception as error:
            results[rank] = error

    threads = [threading.Thread(target=contextvars.copy_context().run, args=(run, i)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def shares(count, size):
    """The parts of a batch, and how many examples of each count."""
    for rank in range(size):
        one = SimpleNamespace(rank=rank, size=size)
        yield Processes.part(one, np.arange(count))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("count", "size"), [(7, 2), (6, 3), (2, 3)])
@pytest.mark.parametrize("layer", [BatchNorm1d, BatchNorm2d])
def test_parts_have_the_statistics_the_gradients_and_the_running_mean_of_the_whole(rng, layer, count, size, dtype):
    shape = (count, 3) if layer is BatchNorm1d else (count, 3, 4, 2)
    x, weights = (rng.normal(3.0, 2.0, shape).astype(dtype) for _ in range(2))

    def calculated(module, x, weights, counted):
        variable = Tensor(x)
        y = module(variable)
        np.sum(np.tanh(y) * weights * (counted > 0)).backward()
        buffers = [module.running_mean, module.running_var, module.num_batches_tracked]
        return y.data, variable.grad, [module.weight.grad, module.bias.grad], buffers

    y, gradient, of_parameters, buffers = calculated(layer(3, dtype=dtype), x, weights, 1)
    parts = list(shares(count, size))

    def act(processes):
        (chosen, counted), module = parts[processes.rank], layer(3, dtype=dtype)
        with Statistics(processes, Sequential(module)).of(counted):
            return calculated(module, x[chosen], weights[chosen], counted)

    found, close = together(size, act), {"rtol": 2000 * np.finfo(dtype).eps, "atol": 100 * np.finfo(dtype).eps}
    for (chosen, counted), (mine, mine_gradient, _, mine_buffers) in zip(parts, found, strict=True):
        np.testing.assert_allclose(mine, y[chosen], **close)
        np.testing.assert_allclose(mine_gradient, gradient[chosen] if counted else 0 * gradient[chosen], **close)
        assert mine_gradient.dtype == dtype
        for buffer, expected in zip(mine_buffers, buffers, strict=True):
            np.testing.assert_allclose(buffer, expected, **close)
    for i, expected in enumerate(of_parameters):
        np.testing.assert_allclose(sum(one[2][i] for one in found), expected, **close)


def test_a_batch_of_one_number_a_channel_is_refused_by_all():
    def act(processes):
        module = BatchNorm1d(3)
        with Statistics(processes, module).of(processes.rank == 0):
            module(np.ones((1, 3), np.float32))

    for error in together(2, act):
        assert isinstance(error, ValueError)
        assert "1 number for each channel" in str(error)


def test_processes_at_different_layers_are_refused_and_so_is_a_layer_of_no_model():
    def act(processes):
        model = Sequential(BatchNorm1d(3), BatchNorm1d(3))
        with Statistics(processes, model).of(1):
            model.layers[processes.rank](np.ones((2, 3), np.float32))

    assert all("at different BatchNorm layers" in str(error) for error in together(2, act))

    def other(processes):
        with Statistics(processes, BatchNorm1d(3)).of(1):
            BatchNorm1d(3)(np.ones((2, 3), np.float32))

    assert all("belongs to no model of the Learner" in str(error) for error in together(2, other))


def test_a_pass_that_would_be_repeated_in_one_process_ends_the_step_of_all():
    """There a zero that was selected wins over an infinite slope; here the other processes do not repeat theirs."""
    x, y = np.array([[0.0], [4.0], [1.0], [2.0]]), np.zeros((4, 1))

    def act(processes):
        first, last = Linear(1, 1, dtype=np.float64), BatchNorm1d(1, dtype=np.float64)
        first.weight.data, first.bias.data = np.ones((1, 1)), np.zeros(1)
        model = Sequential(first, lambda x: np.where(x.data > 0, np.sqrt(x), 0.0), last)
        shared = Shared(processes, "fit", model, mse_loss, optim.SGD(model.parameters(), lr=0.1), None, None)
        mine = slice(0, 2) if processes.rank == 0 else slice(2, 4)
        with np.errstate(all="ignore"):
            return shared(x[mine], y[mine], 2), [p.data.item() for p in model.parameters()]

    for done, parameters in together(2, act):
        assert done.fault == "gradient"
        assert np.isfinite(done.loss)
        assert parameters == [1.0, 0.0, 1.0, 0.0]


def test_layers_that_a_backward_pass_calculates_again_have_the_statistics_of_all(rng):
    x, y = rng.normal(size=(6, 2)), rng.normal(size=(6, 3))

    def model():
        return Sequential(Linear(2, 3, rng=0, dtype=np.float64), BatchNorm1d(3, dtype=np.float64), lambda x: np.tanh(x))

    whole, parts = model(), [model(), model()]
    mse_loss(whole(x), y).backward()

    def act(processes):
        mine, net = slice(3 * processes.rank, 3 * processes.rank + 3), parts[processes.rank]
        again = Sequential(lambda x: checkpoint(net)(x))
        again.inside = net
        shared = Shared(processes, "fit", again, mse_loss, optim.SGD(net.parameters(), lr=0.0), None, None)
        assert not shared(x[mine], y[mine], 3).fault

    assert together(2, act) == [None, None]
    for net in parts:
        for found, expected in zip(net.parameters(), whole.parameters(), strict=True):
            np.testing.assert_allclose(found.grad, expected.grad, rtol=1e-12, atol=1e-15)


def test_a_step_with_statistics_of_all_is_not_recorded_and_says_so():
    def act(processes):
        model = Sequential(Linear(2, 3, rng=0), BatchNorm1d(3))
        step = TrainingStep(model, mse_loss, optim.SGD(model.parameters(), lr=0.1), jit=True)
        step._kind = lambda: lambda *parts: Shared(processes, *parts)
        step._step(np.ones((4, 2), np.float32), np.ones((4, 3), np.float32), step._calculation(), None, 0, 4)
        return step.explain()

    assert set(together(2, act)) == {"step: not recorded: BatchNorm's sums are those of all processes"}
