"""Weights stand where they are used, many for one use as one."""

from autodiff.draw import draw
from tests.draw.picture.scalars.numbers import reader, weights


def test_a_matrix_of_numbers_is_one_box_with_its_name():
    w = weights()
    loss = reader(w)
    loss.backward(retain_graph=True)
    drawing = draw(loss, gradients=True, values=True)
    text = str(drawing)
    for name in w:
        assert f"w['{name}'] × 36   36 parameters" in text
    matrix = next(g for g in drawing.picture.groups if g.name == "w['key']")
    assert matrix.operations == 0
    assert not matrix.open


def test_numbers_without_names_are_told_by_their_use():
    def make():
        return reader(weights())

    picture = draw(make()).picture
    sizes = [g.copies for g in picture.groups if g.of_leaves and g.parent == 0]
    assert sizes == [36, 36, 36, 36]


def test_what_one_part_uses_stands_in_it():
    picture = draw(reader(weights())).picture
    inputs = [g for g in picture.groups if g.of_leaves and picture.groups[g.parent].kind == "part"]
    assert [g.copies for g in inputs] == [6] * 6
