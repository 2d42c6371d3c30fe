"""Are the rules pure functions, linear in their cotangents?"""
