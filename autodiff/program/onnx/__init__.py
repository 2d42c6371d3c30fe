"""A forward program as an ONNX model."""

from .model import converted as converted
