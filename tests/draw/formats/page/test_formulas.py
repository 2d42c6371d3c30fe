"""The formula of a rule is an expression, as it stands in the source."""

import ast

import numpy as np

from autodiff.draw.formats.page.formulas import formula, formulas
from autodiff.primitive import Primitive, registry
from tests.blocks import of_each

ENTRIES = [entry for entry in registry.values() if isinstance(entry, Primitive)]


@of_each("entry", ENTRIES)
def test_every_rule_of_the_table_is_shown_as_an_expression(entry):
    for text in formulas([entry.name])[entry.name].values():
        assert ast.parse(text, mode="eval").body


def test_each_of_several_rules_in_one_line_is_shown():
    assert formulas(["divide"])["divide"]["a"] == "g / b"
    first, second = lambda g, b: g * b, lambda g, a: g * a
    assert (formula(first), formula(second)) == ("g * b", "g * a")


def test_a_function_is_shown_by_its_name_and_nothing_by_0():
    def rule(g, x):
        return g * x

    assert formula(rule) == "rule(g, x)"
    assert formula(None) == "0"


def test_a_rule_without_source_says_so():
    assert formula(eval("lambda g: g * 2.0", {"np": np})) == "(no source)"
