"""Programs in C: fused loops as one readable file, compiled once, kept, and called instead of NumPy."""
