"""``scipy.sparse``, differentiated."""
