"""Watching operations as they are recorded: arguments, results, lines of the user, backward passes."""
