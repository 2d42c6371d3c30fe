"""The names that the leaves of a nested argument have in a picture."""

import numpy as np

from autodiff.draw import draw


def names(drawing):
    return [box.name for box in drawing.picture.boxes if not box.operation]


def test_entries_have_the_keys_that_they_have_in_the_program():
    p = {"w": np.ones((3, 2)), "layers": [np.ones(2), (np.ones(2), 2.0)]}
    drawing = draw(lambda p: np.sum(np.ones(3) @ p["w"] * p["layers"][0] * p["layers"][1][0] * p["layers"][1][1]), p)
    assert names(drawing) == ["p['w']", "p['layers'][0]", "p['layers'][1][0]", "p['layers'][1][1]"]


def test_a_single_leaf_has_the_name_of_its_argument():
    assert names(draw(lambda p: p["w"] * 2.0, {"w": 1.0})) == ["p"]
