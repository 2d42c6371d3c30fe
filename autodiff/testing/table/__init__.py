"""The entries of the table of operations: how they are called, how calls are written, and what is true of them."""
