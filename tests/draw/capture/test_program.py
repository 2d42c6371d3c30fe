"""The picture of a program: calls in sections, state by name and place, memory, and a summary of a long one."""

import json
from dataclasses import replace

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff import capture, jit
from autodiff.draw import draw
from tests.draw.examples import sight
from tests.program.samples import normal, small_step


def loss(w, b, x, y):
    h = np.tanh(x @ w + b)
    return np.mean((h - y) ** 2)


def training():
    return small_step(nn.Dropout(0.5, rng=2))


def boxes(drawing):
    """Each box by its title."""
    return {box.title: box for box in drawing.picture.boxes}


def test_a_gradient_as_text():
    program = capture(ad.value_and_grad(loss, argnums=(0, 1)), normal(3, 1), normal(1), normal(8, 3), normal(8, 1))
    expected = """\
loss
  15 calls, 4 arguments, longest path 8
  not drawn: 2 checks that a gradient is not NaN
  3 buffers of 192 B for intermediate arrays
w           input             (3, 1) float64
b           input             (1,) float64
x           input             (8, 3) float64
y           input             (8, 1) float64
▾ forward   6 operations
  %1        x @ w             (8, 1) float64  buffer 0
  %2        %1 + b            (8, 1) float64  buffer 0, over its operand
  h         tanh(%2)          (8, 1) float64  buffer 0, over its operand
  %3        h - y             (8, 1) float64  buffer 1
  %4        %3 ** 2           (8, 1) float64  buffer 2
  %5        mean(%4)          () float64
▾ backward   8 operations
  %6        2 * %3            (8, 1) float64  buffer 1, over its operand
  %7        0.125 * %6        (8, 1) float64  buffer 1, over its operand
  %8        h * h             (8, 1) float64  buffer 0, over its operand
  %9        1.0 - %8          (8, 1) float64  buffer 0, over its operand
  %10       %7 * %9           (8, 1) float64  buffer 1, over its operand
  d_b       sum(%10, axis=0)  (1,) float64
  %11       x.T               (3, 8) float64  a view
  d_w       %11 @ %10         (3, 1) float64
▾ result   1 operation
  output 0  %5.item()         () float64"""
    assert str(draw(program)) == expected


def test_what_a_step_reads_writes_and_draws_is_named_with_its_place():
    step, args = training()
    drawing = draw(capture(step, *args))
    found = boxes(drawing)
    assert found["layers_0_weight"].message == "model.layers[0].weight"
    assert found["layers_0_weight"].kind == "variable"
    assert found["rng"].dtype == "generator"
    assert found["layers_0_weight -= ·"].message == "written into model.layers[0].weight"
    assert "left in model.layers[2].bias.grad" in found["d_layers_2_bias = sum(·, axis=0)"].message
    written = found["layers_0_weight -= ·"]
    assert drawing.picture.boxes[written.parents[0]].title == "layers_0_weight"
    assert written.line.partition(":")[0].endswith("samples.py")
    assert [group.name for group in drawing.picture.groups if group.kind == "pass"] == ["forward", "backward", "update"]


def test_later_calls_use_what_was_written():
    def fill(x):
        room = np.zeros_like(x, shape=3)
        room[1:] = x
        return room * 2.0

    drawing = draw(capture(fill, np.ones(2)))
    last = drawing.picture.boxes[-1]
    assert [drawing.picture.boxes[p].label for p in last.parents] == ["·[1:] = ·"]
    assert last.title == "output = room * 2.0"


@pytest.mark.parametrize("ending", ["svg", "html", "dot", "json", "mmd", "txt"])
def test_every_format(ending, tmp_path):
    step, args = training()
    text = draw(capture(step, *args)).save(tmp_path / f"step.{ending}").read_text(encoding="utf-8")
    assert "layers_0_weight" in text


def test_the_frames_fold():
    program = capture(ad.value_and_grad(loss), normal(3, 1), normal(1), normal(8, 3), normal(8, 1))
    text = str(draw(program, depth=0))
    assert "▸ forward   6 operations" in text
    assert "▸ backward   7 operations" in text
    facts = json.loads(draw(program).json())
    assert {group["name"] for group in facts["groups"]} >= {"forward", "backward"}


def test_a_function_that_keeps_programs_is_drawn_without_arguments():
    step, args = training()
    fast = jit(step)
    with pytest.raises(ValueError, match="has recorded no program yet; call it first"):
        draw(fast)
    fast(*args)
    assert "layers_0_weight" in boxes(draw(fast))
    assert draw(fast).picture.title == "step"


def test_what_a_program_does_not_show_is_refused():
    program = capture(loss, normal(3, 1), normal(1), normal(8, 3), normal(8, 1))
    with pytest.raises(TypeError, match="a program is drawn without arguments"):
        draw(program, normal(3, 1))
    with pytest.raises(ValueError, match="a program has no values"):
        draw(program, values=True)


def test_a_long_program_is_a_few_frames():
    numbers = [ad.Tensor(float(n)) for n in range(40)]

    def step():
        total = numbers[0] * numbers[1]
        for _ in range(3):
            for number in numbers:
                total = np.sin(total * number)
        total.backward()
        return total.item()

    drawing = draw(capture(step))
    text = str(drawing)
    assert "▸ numbers × 40   40 numbers" in text
    assert sight(drawing) <= 40
    assert drawing.picture.operations > 400


def test_many_arguments_are_a_frame():
    assert "▸ arguments   40 arrays and numbers" in str(draw(capture(sum, [np.ones(2) for _ in range(40)])))


def test_calls_that_are_made_as_one_are_a_frame():
    class Fused:
        __name__ = "fused"

        def __init__(self, instructions):
            self.instructions = instructions

    program = capture(lambda x: np.tanh(np.exp(x) + 1.0), np.ones(3)).readable()
    whole = replace(program.instructions[0], function=Fused(program.instructions), result=program.outputs[0])
    picture = draw(program.with_instructions([whole])).picture
    assert [box.call for box in picture.boxes] == ["", "exp(x)", "· + 1.0", "tanh(·)"]
    assert [group.name for group in picture.groups] == ["", "fused, one call"]


def test_what_c_makes_at_once_is_a_frame():
    program = capture(ad.value_and_grad(loss), normal(3, 1), normal(1), normal(8, 3), normal(8, 1)).compiled("c")
    picture = draw(program).picture
    frames = [group for group in picture.groups if group.name.endswith("one call")]
    assert frames
    assert sum(group.operations for group in frames) > picture.operations / 2
    tanh = next(box for box in picture.boxes if box.operation == "tanh")
    assert picture.groups[tanh.group] in frames
    assert any("that a gradient is not NaN" in fact for fact in picture.facts)
    assert not any(box.operation == "no_nan" for box in picture.boxes)


def test_a_call_with_several_results_is_one_box():
    program = capture(lambda x: sum(np.split(x, 2)), np.ones(4))
    split, *_ = (box for box in draw(program).picture.boxes if box.operation == "split")
    assert split.type == "(2,) (2,) float64 float64"


def test_a_function_that_no_text_can_name_is_drawn():
    program = capture(lambda x: np.apply_along_axis(lambda row: row * 2.0, 0, x), np.ones(3))
    assert "apply_along_axis" in str(draw(program))
    assert "no function of a module" in str(program)
    with pytest.raises(ValueError, match="no function of a module"):
        program.source()
