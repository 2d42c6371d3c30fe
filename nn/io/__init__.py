"""What is kept in files: parameters, and the folder of a run."""
