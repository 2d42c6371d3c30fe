"""A loop is a frame that opens: its steps are folded, and the first is drawn."""

import numpy as np

from autodiff import Tensor, checkpoint, draw, scan

W = np.eye(3)


def step(h, x):
    h = np.tanh(h @ W + x)
    return h, np.sum(h)


def total(xs):
    last, sums = scan(step, np.zeros((2, 3)), xs)
    return np.sum(last) + np.sum(sums)


def test_a_scan_is_a_frame_with_its_steps_folded():
    text = str(draw(total, np.ones((50, 2, 3))))
    assert "▾ scan   " in text
    assert "step × 49" in text
    assert text.count("tanh(") == 2
    assert "inputs of scan" not in text


def test_a_loop_in_a_loop_is_a_frame_in_a_frame():
    def outer(h, x):
        return 2.0 * scan(step, h, x)[0], None

    text = str(draw(lambda xs: np.sum(scan(outer, np.zeros((2, 3)), xs)[0]), np.ones((2, 3, 2, 3))))
    assert text.count("▾ scan ") == 3
    assert "\n  ▾ outer" in text


def test_a_finished_graph_opens_and_gradients_are_drawn():
    x = Tensor(np.ones((4, 2, 3)))
    result = total(x)
    assert "▾ scan   " in str(draw(result))
    assert "tanh(" in str(draw(result, gradients=True))
    result.backward()
    assert "scan(" in str(draw(result))  # what it kept is freed


def test_a_checkpointed_part_stays_one_node():
    text = str(draw(lambda xs: checkpoint(total)(xs), np.ones((4, 2, 3))))
    assert "checkpoint(" in text
