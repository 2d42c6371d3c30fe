"""The entries of the table of operations: calls of them, their text, and what is true of them."""
