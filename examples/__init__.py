"""Programs to read and to run: each is one file of at most 100 lines.  See README.md."""
