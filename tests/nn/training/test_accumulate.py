"""Several batches for one step are one batch of all their examples; an optimizer with a line search; joint ones."""

import itertools
import pickle

import numpy as np
import pytest

import nn
from autodiff import Tensor, jit
from nn import DivergenceError, Learner, TrainingStep, optim
from tests.interruption import interrupted_at

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(24, 3)), RNG.normal(size=(24, 2))


def model(dtype=np.float64):
    return nn.Sequential(nn.Linear(3, 5, rng=0, dtype=dtype), nn.Tanh(), nn.Linear(5, 2, rng=1, dtype=dtype))


def values(network):
    return np.concatenate([p.data.ravel() for p in network.parameters()])


def step_of(network, **options):
    return TrainingStep(network, nn.mse_loss, optim.AdamW(network.parameters(), lr=0.05), clip_norm=0.5, **options)


@pytest.mark.parametrize("jit", [False, True])
def test_three_batches_are_one_of_three_times_the_size(jit):
    whole, parts = model(), model()
    one, three = step_of(whole, jit=jit), step_of(parts, accumulate=3, jit=jit)
    for _ in range(5):
        one.update(X, Y)
        before = values(parts)
        for start, stop in ((0, 8), (8, 13), (13, 24)):  # of any sizes
            assert np.array_equal(values(parts), before)
            three.update(X[start:stop], Y[start:stop])
        np.testing.assert_allclose(values(parts), values(whole), rtol=1e-10)
    one.update(X[:13], Y[:13])
    three.update(X[:8], Y[:8])
    three.update(X[8:13], Y[8:13])
    assert three.flush()
    assert not three.flush()
    np.testing.assert_allclose(values(parts), values(whole), rtol=1e-10)


def test_recorded_parts_have_the_same_bits():
    recorded, eager = model(np.float32), model(np.float32)
    one, other = step_of(recorded, accumulate=2, jit=True), step_of(eager, accumulate=2, jit=False)
    for i in range(100):  # fifty steps
        x, y = X[i % 3 : i % 3 + 8], Y[i % 5 : i % 5 + 8]
        assert one.update(x, y)[0] == other.update(x, y)[0]
    assert values(recorded).tobytes() == values(eager).tobytes()
    assert sum(p.calls for s in one._recorded._signatures.values() for p in s.paths) >= 90
    assert one.explain().startswith("step: 2 signatures")


def test_a_learner_makes_a_step_of_what_is_left():
    network = model()
    seen = []
    optimizer = optim.SGD(network.parameters(), lr=0.1)
    schedule = nn.schedule.StepLR(optimizer, 1, gamma=0.5)
    learner = Learner(network, nn.mse_loss, optimizer, accumulate=2, scheduler=schedule, schedule="step")
    learner.fit(X[:20], Y[:20], 2, 4, progress=False, on_step=lambda step, loss: seen.append(step))
    assert seen == [2, 4, 5, 7, 9, 10]
    assert schedule.steps == 6
    assert np.isfinite(values(network)).all()
    single = model()
    Learner(single, nn.mse_loss, optim.SGD(single.parameters(), lr=0.1)).fit(X, Y, 3, 12, shuffle=False)
    parts = model()
    Learner(parts, nn.mse_loss, optim.SGD(parts.parameters(), lr=0.1), accumulate=3).fit(X, Y, 3, 4, shuffle=False)
    np.testing.assert_allclose(values(parts), values(single), rtol=1e-10)


def test_after_an_error_the_parts_begin_anew():
    network, twin = model(), model()
    step, other = step_of(network, accumulate=2), step_of(twin, accumulate=2)
    step.update(X[:8], Y[:8])
    with pytest.raises(DivergenceError):
        step.update(X[:8] * np.nan, Y[:8])
    pickle.loads(pickle.dumps(step)).update(X[:8], Y[:8])
    for it in (step, other):
        it.update(X[8:16], Y[8:16])
        it.update(X[16:], Y[16:])
    assert np.array_equal(values(network), values(twin))
    with pytest.raises(TypeError, match="TrainingStep: accumulate must be a whole number"):
        step_of(network, accumulate=1.5)
    with pytest.raises(ValueError, match="accumulate is 2; LBFGS takes all data at once"):
        TrainingStep(network, nn.mse_loss, optim.LBFGS(network.parameters()), accumulate=2)


# -- a line search -------------------------------------------------------------------------------------------------


def test_a_learner_with_a_line_search():
    network = model()
    learner = Learner(network, nn.mse_loss, optim.LBFGS(network.parameters(), line_search_fn="strong_wolfe"))
    losses = learner.fit(X, Y, 10, 24, progress=False)
    assert losses[-1] < 0.4 * losses[0]
    assert optim.LBFGS([Tensor(1.0)]).max_eval == 25
    with pytest.raises(DivergenceError, match="the loss became nan at step"):
        learner.fit(X * np.nan, Y, 1, 24, progress=False)
    step = TrainingStep(network, nn.mse_loss, learner.optimizer)
    step.update(X, Y)
    before, step.loss = values(network), lambda outputs, y: Tensor(2.0) ** 2.0
    loss, _ = step.update(X, Y)
    assert loss == 4.0  # a later step may depend on no parameter
    assert np.array_equal(values(network), before)


def test_a_search_that_is_interrupted_at_any_line_was_made_or_not():
    def made():
        locked = np.array([3.0, -1.0])
        locked.flags.writeable = False
        tensors = [Tensor(np.array([1.0, 2.0])), Tensor(locked), Tensor(np.float32(0.5))]
        optimizer = optim.LBFGS(tensors, max_iter=3, line_search_fn="strong_wolfe")

        def closure():
            optimizer.zero_grad()
            loss = np.sum((tensors[0] * tensors[1] - tensors[2]) ** 2.0) + np.sum(tensors[0] ** 4.0)
            loss.backward()
            return loss

        return tensors, optimizer, lambda: optimizer.step(closure)

    def state(tensors, optimizer):
        return [t.data.tolist() for t in tensors], repr(optimizer.state)

    tensors, optimizer, step = made()
    old = state(tensors, optimizer)
    step()
    new = state(tensors, optimizer)
    assert not any(one == other for one, other in zip(old[0], new[0], strict=True))
    arrays = [t.data for t in made()[0]]
    for line in itertools.count(0, 9):
        tensors, optimizer, step = made()
        arrays = [t.data for t in tensors]
        if not interrupted_at(line, step):
            break
        found = state(tensors, optimizer)
        assert found in (old, new), line
        assert tensors[0].data is arrays[0]
    assert line > 200


def test_a_search_that_finds_no_number():
    w = Tensor(np.array([1.0]))
    optimizer = optim.LBFGS([w], lr=10.0)

    def closure():
        optimizer.zero_grad()
        loss = np.sum(np.sqrt(w)) if w.data[0] >= 0 else np.sum(w * np.nan)
        loss.backward()
        return loss

    with pytest.raises(FloatingPointError, match="LBFGS: the loss is nan at call 2 of the closure; the par"):
        optimizer.step(closure)
    assert w.data.tolist() == [1.0]
    assert optimizer.state == [{}]
    optimizer = optim.LBFGS([w], lr=10.0, line_search_fn="strong_wolfe")
    optimizer.step(closure)
    assert 0 <= w.data[0] < 1
    for act, match in [
        (lambda: optimizer.step(), "step needs a function"),
        (lambda: optim.LBFGS([{"params": [Tensor(1.0)]}, {"params": [Tensor(1.0)]}]), "it has one group"),
        (lambda: optimizer.add_param_group({"params": [Tensor(1.0)]}), "it has one group"),
        (lambda: optim.LBFGS([Tensor(1j)]), "a parameter is complex"),
        (lambda: optim.LBFGS([w], line_search_fn="armijo"), "line_search_fn is 'armijo'"),
        (lambda: optim.LBFGS([w], max_iter=0), "max_iter is 0"),
    ]:
        with pytest.raises((TypeError, ValueError), match=f"LBFGS: {match}"):
            act()
    state = optimizer.state_dict()
    with pytest.raises(ValueError, match=r"'d' has shape \(1,\); the parameters are 2 numbers"):
        optim.LBFGS([Tensor(np.ones(2))]).load_state_dict(state)


# -- means and joint optimizers ------------------------------------------------------------------------------------


def test_means_are_there_inside_and_gone_after():
    network = model(np.float32)
    ema = optim.EMA(network, decay=0.5)
    update = jit(ema.update)
    for i in range(6):
        for p in network.parameters():
            p.data += 1.0
        update() if i % 2 else ema.update()
    own = values(network)
    with ema.applied():
        inside = values(network)
        for p in network.parameters():
            p.data -= 100.0
    assert np.array_equal(values(network), own)
    np.testing.assert_allclose(inside, own - 1.0 + 2.0**-5, rtol=1e-5, atol=1e-5)
    other = optim.EMA(optim.SGD(model(np.float32).parameters()), decay=0.9)
    other.load_state_dict(ema.state_dict())
    assert (other.decay, int(other.updates)) == (0.5, 6)
    assert all(np.array_equal(*pair) for pair in zip(other.means, ema.means, strict=True))
    state = ema.state_dict()
    for wrong in ({}, {**state, "means": []}, {**state, "decay": 1.5}, {**state, "updates": -1}):
        with pytest.raises(ValueError, match=r"EMA.load_state_dict: (expected|the means have|decay is|updates is)"):
            ema.load_state_dict(wrong)
    assert repr(ema.state_dict()) == repr(state)
    for decay in (-0.1, 1.5, None):
        with pytest.raises(ValueError, match="EMA: decay is"):
            optim.EMA(network, decay=decay)


def test_joint_optimizers_are_their_members():
    def made():
        network = model()
        matrices, rest = ([p for p in network.parameters() if (p.ndim == 2) == flat] for flat in (True, False))
        return network, [optim.Muon(matrices, lr=0.1), optim.AdamW(rest, lr=0.01)]

    (network, members), (twin, apart) = made(), made()
    joint = optim.Joint(members)
    schedule = nn.schedule.StepLR(joint, 1, gamma=0.5)
    learner = Learner(network, nn.mse_loss, joint, scheduler=schedule)
    learner.fit(X, Y, 3, 24, shuffle=False, progress=False)
    for factor in (1.0, 0.5, 0.5):
        for optimizer in apart:
            optimizer.lr *= factor
            optimizer.zero_grad()
        nn.mse_loss(twin(X), Y).backward()
        for optimizer in apart:
            optimizer.step()
    assert np.array_equal(values(network), values(twin))
    assert repr(joint).startswith("Joint([Muon(2 parameters, lr=0.0125")
    assert not hasattr(joint, "lr")  # it differs
    alike = optim.Joint([optim.SGD([Tensor(1.0)], lr=0.5), optim.Adam([Tensor(1.0)], lr=0.5)])
    alike.lr *= 0.5
    assert [group.lr for group in alike.groups] == [0.25, 0.25] == [alike.lr] * 2
    other = optim.Joint(made()[1])
    other.load_state_dict(joint.state_dict())
    assert repr(other.state_dict()) == repr(joint.state_dict())
    for act, match in [
        (lambda: optim.Joint([]), "expected a list of optimizers"),
        (lambda: optim.Joint(members[0]), "expected a list of optimizers"),
        (lambda: optim.Joint([members[0], members[0]]), "are the same Tensor"),
        (lambda: optim.Joint([optim.LBFGS([Tensor(1.0)])]), "an optimizer with a line search makes its steps alone"),
        (lambda: joint.add_param_group({"params": []}), "add the group to the optimizer that it is for"),
        (lambda: joint.load_state_dict({}), "expected the entries"),
    ]:
        with pytest.raises((TypeError, ValueError), match=match):
            act()
