"""Which calls are made together: of one kind, when they are ready, and no earlier than what they need."""

import numpy as np

from autodiff import capture
from autodiff.program.scalars.listing import Listing
from autodiff.program.scalars.regions import Regions
from autodiff.program.scalars.scheduling import calls_of, depths, groups_of, needs_of, scheduled


def scheduling(program):
    """The listing, and the groups of its only region."""
    listing = Listing(program)
    regions = Regions(program, listing)
    assert len(regions.places) == 1
    asked = [cell for cell, needed in enumerate(regions.needed) if needed]
    calls = calls_of(listing, regions.members(0), asked)
    count = len(listing.codes)
    needs = needs_of(calls, count)
    depth = depths(needs, count + 1)
    assert depths(needs, int(depth.max())) is None
    order = scheduled(calls, needs, depth)
    return listing, groups_of(calls, order, dict.fromkeys(range(len(listing.operations)), count))


def named(listing, groups):
    return [(listing.operations[g.code].name, *g.operands.shape) for g in groups]


def test_calls_of_one_kind_are_one_group():
    program = capture(lambda *x: [np.exp(a * a) for a in x], *map(np.float64, range(5)))
    assert named(*scheduling(program)) == [("multiply", 2, 5), ("exp", 1, 5)]


def test_a_sum_is_one_call_in_its_order():
    def f(*x):
        total = x[0] * x[1]
        for a in x[2:]:
            total = total + a
        return total

    listing, groups = scheduling(capture(f, *map(np.float64, range(6))))
    assert named(listing, groups) == [("multiply", 2, 1), ("add", 5, 1)]
    order = groups[1].operands[:, 0].tolist()
    assert order == [groups[0].cells[0], *[listing.cells[listing.given[c]] for c in sorted(listing.given)[2:]]]


def test_a_sum_that_is_used_in_between_is_not_one_call():
    def f(a, b, c, d):
        part = a + b + c
        return part + d, part * part

    listing, groups = scheduling(capture(f, *map(np.float64, range(4))))
    assert sorted(named(listing, groups)) == [("add", 2, 1), ("add", 3, 1), ("multiply", 2, 1)]


def test_sums_of_nearly_one_length_are_one_group():
    def f(*x):
        return [sum(x[i + 1 : i + n], x[i]) for i, n in enumerate((9, 10, 11))]

    listing, groups = scheduling(capture(f, *map(np.float64, range(13))))
    assert named(listing, groups) == [("add", 10, 2), ("add", 12, 1)]
    neutral = len(listing.codes)
    assert (groups[0].operands == neutral).sum() == 1


def test_what_is_needed_comes_first():
    def f(x, y):
        for _ in range(10):
            x, y = x * y + x, y - x * x
        return x, y

    listing, groups = scheduling(capture(f, np.float64(0.5), np.float64(0.25)))
    known = {*listing.given, *listing.constants}
    for group in groups:
        assert known.issuperset(group.operands.ravel().tolist())
        known.update(group.cells.tolist())
    assert known.issuperset(listing.cells.values())


def test_the_same_call_is_listed_once_and_what_nobody_needs_is_not_made():
    def f(x):
        np.exp(x)
        return x * x + x * x

    program = capture(f, np.float64(2.0))
    listing, groups = scheduling(program)
    assert listing.calls == 4
    assert named(listing, groups) == [("multiply", 2, 1), ("add", 2, 1)]


def test_places_of_regions():
    def f(x, number):
        a = number * number  # needed by the array, and what is ready beside it comes with it
        b = number + 1.0
        y = x * a
        return np.sum(y) * b + y[0] * a

    program = capture(f, np.arange(3.0), np.float64(2.0))
    listing = Listing(program)
    regions = Regions(program, listing)
    assert [i.function.__name__ for i in regions.others] == ["mul", "sum", "getitem"]
    assert regions.places == [0, 3]
    assert [len(regions.members(r)) for r in (0, 1)] == [2, 3]
