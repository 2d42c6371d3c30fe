"""How far does rounding move values and gradients?"""
