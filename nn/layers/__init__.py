"""Parts of a model: Module, and what it is made of."""
