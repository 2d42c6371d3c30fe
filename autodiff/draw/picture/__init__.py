"""A picture as plain data, and the functions that make one picture of another."""
