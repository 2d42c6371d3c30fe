"""Parts of a model: Module and the layers."""
