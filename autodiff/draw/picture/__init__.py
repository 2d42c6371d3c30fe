"""Pictures as plain data, and functions that make one picture from another."""
