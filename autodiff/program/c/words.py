"""Names that a text of C may not give to something else."""

from __future__ import annotations

from .prelude import names_of_functions

_MATHEMATICS = (
    "acos asin atan atan2 cos sin tan acosh asinh atanh cosh sinh tanh exp exp2 expm1 frexp ilogb ldexp log log10 "
    "log1p log2 logb modf scalbn scalbln cbrt fabs hypot pow sqrt erf erfc lgamma tgamma ceil floor nearbyint "
    "rint lrint llrint round lround llround trunc fmod remainder remquo copysign nan nextafter nexttoward fdim fmax "
    "fmin fma gamma drem significand exp10 pow10 sincos j0 j1 jn y0 y1 yn scalb finite isinf isnan"
)
WORDS = {
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float",
    "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof",
    "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "asm", "typeof", "unix",
    "linux", "i", "j", "k", "room", "given", "main", "errno", "index", "abs", "labs", "div", "bool", "outside",
    "within", "isfinite", "isnormal", "isinf", "isnan", "signbit", "fpclassify", "signgam", "INFINITY", "NAN", "ITEM",
    "ARRAY", "NUMBER", "FLAGS", "PURE", "MATMUL", "GEMM", "sgemm", "dgemm", "leading", "use_blas",
    "share", "from", "to",
    *[f"i{n}" for n in range(2, 65)],
    *[word + ending for word in _MATHEMATICS.split() for ending in ("", "f", "l")], *names_of_functions(),
}  # fmt: skip
"""Names that C, its library, or a file beside this one has already."""
