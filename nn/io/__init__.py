"""Files: parameters, and the folder of a run."""
