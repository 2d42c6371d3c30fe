import math

import numpy as np
import pytest

from autodiff import Tensor
from nn import optim
from nn.schedule import CosineAnnealingLR, LinearWarmup, OneCycleLR, ReduceLROnPlateau, SequentialLR, StepLR


@pytest.fixture
def optimizer():
    return optim.SGD([Tensor(1.0)], lr=0.4)


def rates(scheduler, steps):
    found = [scheduler.optimizer.lr]
    for _ in range(steps):
        scheduler.step()
        found.append(scheduler.optimizer.lr)
    return found


def test_step(optimizer):
    assert rates(StepLR(optimizer, 2, gamma=0.5), 5) == [0.4, 0.4, 0.2, 0.2, 0.1, 0.1]


def test_cosine(optimizer):
    found = rates(CosineAnnealingLR(optimizer, T_max=4, eta_min=0.1), 6)
    expected = [0.1 + 0.3 * (1 + math.cos(math.pi * k / 4)) / 2 for k in range(7)]
    assert found == pytest.approx(expected, rel=1e-12)
    assert found[4] == pytest.approx(0.1)
    assert found[6] > found[5] > found[4]  # past its end it rises again


def test_warm_up(optimizer):
    assert rates(LinearWarmup(optimizer, 4, start_factor=0.0), 5) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.4])


def test_warm_up_then_cosine(optimizer):
    warm = LinearWarmup(optimizer, 2, start_factor=0.5)
    cosine = CosineAnnealingLR(optimizer, 4)  # made while the rate is that of the warm-up
    both = SequentialLR(optimizer, [warm, cosine], milestones=[2])
    half = [0.4 * (1 + math.cos(math.pi * k / 4)) / 2 for k in range(5)]
    assert rates(both, 6) == pytest.approx([0.2, 0.3, *half], abs=1e-15)


def test_going_on_from_a_state(optimizer):
    scheduler = StepLR(optimizer, 1, gamma=0.5)
    rates(scheduler, 2)
    state = scheduler.state_dict()
    other = StepLR(optim.SGD([Tensor(1.0)], lr=7.0), 1, gamma=0.5)
    other.load_state_dict(state)
    assert other.optimizer.lr == 0.1
    other.step()
    assert other.optimizer.lr == 0.05
    fresh = optim.SGD([Tensor(1.0)], lr=7.0)
    both = SequentialLR(fresh, [LinearWarmup(fresh, 2, 0.5), StepLR(fresh, 1, 0.5)], [2])
    both.load_state_dict({"steps": 4, "base_lr": 0.4})
    assert fresh.lr == pytest.approx(0.1)
    with pytest.raises(ValueError, match="StepLR: expected the entries 'steps' and 'base_lrs'"):
        other.load_state_dict({"step": 1})


def test_wrong_arguments(optimizer):
    with pytest.raises(TypeError, match="StepLR: expected an optimizer, got Tensor"):
        StepLR(Tensor(1.0), 2)
    with pytest.raises(ValueError, match="StepLR: step_size is 0; it must be an integer of at least 1"):
        StepLR(optimizer, 0)
    with pytest.raises(ValueError, match=r"CosineAnnealingLR: T_max is 2\.5"):
        CosineAnnealingLR(optimizer, 2.5)
    with pytest.raises(ValueError, match="LinearWarmup: start_factor is 2"):
        LinearWarmup(optimizer, 3, start_factor=2)
    with pytest.raises(ValueError, match="SequentialLR: 1 schedulers and 1 milestones"):
        SequentialLR(optimizer, [StepLR(optimizer, 1)], [3])
    with pytest.raises(ValueError, match=r"milestones \[3, 2\] must be positive and increase"):
        SequentialLR(optimizer, [StepLR(optimizer, 1)] * 3, [3, 2])
    with pytest.raises(ValueError, match="all schedulers must be made with this optimizer"):
        SequentialLR(optimizer, [StepLR(optim.SGD([Tensor(1.0)], lr=1.0), 1)], [])
    with pytest.raises(ValueError, match="StepLR: gamma is -1"):
        StepLR(optimizer, 1, gamma=-1)
    with pytest.raises(ValueError, match="CosineAnnealingLR: eta_min is nan"):
        CosineAnnealingLR(optimizer, 1, eta_min=float("nan"))
    assert StepLR(optimizer, np.int64(2)).step_size == 2


def test_a_state_that_does_not_fit_changes_nothing(optimizer):
    schedule = StepLR(optimizer, 1)
    schedule.step()
    before = schedule.state_dict()
    for state in ({"steps": "a", "base_lr": 1.0}, {"steps": -1, "base_lr": 1.0}, {"steps": 1, "base_lr": None}):
        with pytest.raises(ValueError, match=r"StepLR.load_state_dict: (steps|base_lr) is"):
            schedule.load_state_dict(state)
        assert schedule.state_dict() == before


def test_each_group_follows_from_its_own_rate():
    groups = [{"params": [Tensor(1.0)], "lr": 0.4}, {"params": [Tensor(1.0)]}]
    optimizer = optim.SGD(groups, lr=0.1)
    both = SequentialLR(optimizer, [LinearWarmup(optimizer, 2, 0.5), StepLR(optimizer, 1, gamma=0.5)], milestones=[2])
    for _ in range(3):
        both.step()
    assert [group.lr for group in optimizer.groups] == pytest.approx([0.2, 0.05])
    optimizer.add_param_group({"params": [Tensor(1.0)], "lr": 8.0})
    both.step()
    assert [group.lr for group in optimizer.groups] == pytest.approx([0.1, 0.025, 2.0])
    with pytest.raises(ValueError, match=r"base_lrs are \[1.0\]; the optimizer has 3 groups"):
        both.load_state_dict({"steps": 1, "base_lrs": [1.0]})


def test_one_cycle_of_betas_and_what_it_refuses(optimizer):
    adam = optim.Adam([Tensor(1.0)])
    cycle = OneCycleLR(adam, max_lr=1.0, total_steps=4, pct_start=0.5)
    assert adam.betas == (0.95, 0.999)
    cycle.step()
    assert adam.betas == (0.85, 0.999)
    assert adam.lr == 1.0
    for _ in range(3):
        cycle.step()
    with pytest.raises(ValueError, match="OneCycleLR: step 5 of 4"):
        cycle.step()
    for options, match in [
        ({}, "give total_steps, or epochs and steps_per_epoch"),
        ({"total_steps": 0}, "total_steps is 0"),
        ({"total_steps": 5, "pct_start": "a"}, r"pct_start is 'a'; it must lie in \[0, 1\]"),
        ({"total_steps": 5, "pct_start": 2}, r"pct_start is 2; it must lie in \[0, 1\]"),
        ({"total_steps": 5, "anneal_strategy": "cosine"}, "anneal_strategy is 'cosine'; it must be"),
        ({"total_steps": 5, "div_factor": 0}, "div_factor is 0"),
        ({"total_steps": 5, "max_lr": [1.0, 2.0]}, "max_lr has 2 numbers; the optimizer has 1 groups"),
    ]:
        with pytest.raises(ValueError, match=f"OneCycleLR: {match}"):
            OneCycleLR(optimizer, **{"max_lr": 1.0, **options})
    with pytest.raises(ValueError, match="OneCycleLR: Adagrad has no momentum to change; cycle_momentum=False"):
        OneCycleLR(optim.Adagrad([Tensor(1.0)]), max_lr=1.0, total_steps=5)
    with pytest.raises(TypeError, match="OneCycleLR: expected an optimizer"):
        OneCycleLR(None, max_lr=1.0, total_steps=5)


def test_a_plateau_counts_what_is_no_number_as_no_improvement(optimizer):
    plan = ReduceLROnPlateau(optimizer, patience=0)
    plan.step(1.0)
    plan.step(math.nan)
    assert optimizer.lr == pytest.approx(0.04)
    for options, match in [
        ({"mode": "least"}, "mode is 'least'"), ({"factor": 1.0}, "factor is 1.0; it must be below 1"),
        ({"threshold_mode": "log"}, "threshold_mode is 'log'"), ({"min_lr": [0.1, 0.1]}, "min_lr has 2 numbers"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=f"ReduceLROnPlateau: {match}"):
            ReduceLROnPlateau(optimizer, **options)
    with pytest.raises(ValueError, match="expected the entries 'best', 'bad_steps' and 'cooling'"):
        plan.load_state_dict({"steps": 1})
