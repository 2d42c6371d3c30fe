/* NumPy's functions of one number, without branches, so that a compiler makes vectors of them.
   Each is within a few units in the last place, for NaN, infinities, signed zeros and subnormals too. */

#include <math.h>
#include <stdint.h>

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define FMA_f64(a, b, c) __builtin_fma(a, b, c)
#define FMA_f32(a, b, c) __builtin_fmaf(a, b, c)
#else
#define FMA_f64(a, b, c) ((a) * (b) + (c))
#define FMA_f32(a, b, c) ((a) * (b) + (c))
#endif
#define PURE static inline __attribute__((always_inline, unused))

PURE int32_t bits_f32(float x) { union { float x; int32_t k; } u = {x}; return u.k; }
PURE float from_bits_f32(int32_t k) { union { int32_t k; float x; } u = {k}; return u.x; }
PURE int64_t bits_f64(double x) { union { double x; int64_t k; } u = {x}; return u.k; }
PURE double from_bits_f64(int64_t k) { union { int64_t k; double x; } u = {k}; return u.x; }

PURE float maximum_f32(float a, float b) { return ((a > b) | (a != a)) ? a : b; }
PURE float minimum_f32(float a, float b) { return ((a < b) | (a != a)) ? a : b; }
PURE double maximum_f64(double a, double b) { return ((a > b) | (a != a)) ? a : b; }
PURE double minimum_f64(double a, double b) { return ((a < b) | (a != a)) ? a : b; }
PURE float fmax_f32(float a, float b) { return ((a >= b) | (b != b)) ? a : b; }
PURE float fmin_f32(float a, float b) { return ((a <= b) | (b != b)) ? a : b; }
PURE double fmax_f64(double a, double b) { return ((a >= b) | (b != b)) ? a : b; }
PURE double fmin_f64(double a, double b) { return ((a <= b) | (b != b)) ? a : b; }
PURE float sign_f32(float x) { return x != x ? x : (float)((x > 0) - (x < 0)); }
PURE double sign_f64(double x) { return x != x ? x : (double)((x > 0) - (x < 0)); }
PURE float heaviside_f32(float x, float y) { return x != x ? x : x == 0 ? y : (float)(x > 0); }
PURE double heaviside_f64(double x, double y) { return x != x ? x : x == 0 ? y : (double)(x > 0); }
PURE float remainder_f32(float a, float b) {
    float m = fmodf(a, b);
    return m == 0 ? copysignf(0, b) : ((m < 0) != (b < 0)) ? m + b : m;
}
PURE double remainder_f64(double a, double b) {
    double m = fmod(a, b);
    return m == 0 ? copysign(0, b) : ((m < 0) != (b < 0)) ? m + b : m;
}

/* exp(x) = 2^k exp(r), |r| <= log(2) / 2; 2^k in two steps, for results that are subnormal. */
PURE float scaled_f32(float p, int32_t k) {
    int32_t half = k >> 1;
    return p * from_bits_f32((half + 127) << 23) * from_bits_f32((k - half + 127) << 23);
}
PURE double scaled_f64(double p, int64_t k) {
    int64_t half = (int32_t)k >> 1;
    return p * from_bits_f64((half + 1023) << 52) * from_bits_f64((k - half + 1023) << 52);
}
/* (exp(r) - 1 - r) / r^2 */
PURE float tail_f32(float r) {
    float p = 1.9875691500e-4f;
    p = FMA_f32(p, r, 1.3981999507e-3f);
    p = FMA_f32(p, r, 8.3334519073e-3f);
    p = FMA_f32(p, r, 4.1665795894e-2f);
    p = FMA_f32(p, r, 1.6666665459e-1f);
    return FMA_f32(p, r, 5.0000001201e-1f);
}
PURE double tail_f64(double r) {
    double p = 1.0 / 6227020800;
    p = FMA_f64(p, r, 1.0 / 479001600);
    p = FMA_f64(p, r, 1.0 / 39916800);
    p = FMA_f64(p, r, 1.0 / 3628800);
    p = FMA_f64(p, r, 1.0 / 362880);
    p = FMA_f64(p, r, 1.0 / 40320);
    p = FMA_f64(p, r, 1.0 / 5040);
    p = FMA_f64(p, r, 1.0 / 720);
    p = FMA_f64(p, r, 1.0 / 120);
    p = FMA_f64(p, r, 1.0 / 24);
    p = FMA_f64(p, r, 1.0 / 6);
    return FMA_f64(p, r, 0.5);
}
PURE float exp_f32(float x) {
    x = x < -104.0f ? -104.0f : x;
    x = x > 89.0f ? 89.0f : x;
    float shifted = FMA_f32(x, 1.44269504f, 0x1.8p23f), n = shifted - 0x1.8p23f;
    float r = FMA_f32(n, -0.693359375f, x);
    r = FMA_f32(n, 2.12194440e-4f, r);
    float p = FMA_f32(tail_f32(r) * r, r, r) + 1.0f;
    return scaled_f32(p, bits_f32(shifted) - 0x4b400000);
}
PURE double exp_f64(double x) {
    x = x < -746.0 ? -746.0 : x;
    x = x > 710.0 ? 710.0 : x;
    double shifted = FMA_f64(x, 1.4426950408889634, 0x1.8p52), n = shifted - 0x1.8p52;
    double r = FMA_f64(n, -0x1.62e42fefa0000p-1, x);
    r = FMA_f64(n, -0x1.cf79abc9e3b3ap-40, r);
    double p = FMA_f64(tail_f64(r) * r, r, r) + 1.0;
    return scaled_f64(p, bits_f64(shifted) - 0x4338000000000000);
}
PURE float expm1_f32(float x) {
    float y = x < -30.0f ? -30.0f : x;
    y = y > 89.0f ? 89.0f : y;
    float shifted = FMA_f32(y, 1.44269504f, 0x1.8p23f), n = shifted - 0x1.8p23f;
    float r = FMA_f32(n, -0.693359375f, y);
    r = FMA_f32(n, 2.12194440e-4f, r);
    float p = FMA_f32(tail_f32(r) * r, r, r);
    int32_t k = bits_f32(shifted) - 0x4b400000;
    float half = from_bits_f32((k - 1 + 127) << 23);
    float result = (FMA_f32(half, p, half - 0.5f)) * 2.0f;
    return x == 0.0f ? x : result;
}
PURE double expm1_f64(double x) {
    double y = x < -60.0 ? -60.0 : x;
    y = y > 710.0 ? 710.0 : y;
    double shifted = FMA_f64(y, 1.4426950408889634, 0x1.8p52), n = shifted - 0x1.8p52;
    double r = FMA_f64(n, -0x1.62e42fefa0000p-1, y);
    r = FMA_f64(n, -0x1.cf79abc9e3b3ap-40, r);
    double p = FMA_f64(tail_f64(r) * r, r, r);
    int64_t k = bits_f64(shifted) - 0x4338000000000000;
    double half = from_bits_f64((k - 1 + 1023) << 52);
    double result = (FMA_f64(half, p, half - 0.5)) * 2.0;
    return x == 0.0 ? x : result;
}

/* log(2^k (1 + f)), sqrt(1/2) <= 1 + f < sqrt(2), after FreeBSD's e_log.c: no branch but selections. */
PURE float log_f32(float x) {
    float y = x < 0x1p-126f ? x * 0x1p23f : x;
    int32_t shift = x < 0x1p-126f ? 23 : 0;
    int32_t k = bits_f32(y) + (0x3f800000 - 0x3f3504f3);
    float n = (float)((k >> 23) - 127 - shift);
    float f = from_bits_f32((k & 0x007fffff) + 0x3f3504f3) - 1.0f;
    float s = f / (2.0f + f), z = s * s, w = z * z;
    float t = w * FMA_f32(w, 0.24279078841f, 0.40000972152f) + z * FMA_f32(w, 0.28498786688f, 0.66666662693f);
    float square = 0.5f * f * f;
    float result = FMA_f32(n, 9.0580006145e-06f, s * (square + t)) - square + f + n * 6.9313812256e-01f;
    result = x == INFINITY ? x : result;
    result = x == 0.0f ? -INFINITY : result;
    return x < 0.0f ? NAN : x != x ? x : result;
}
PURE double log_f64(double x) {
    double y = x < 0x1p-1022 ? x * 0x1p54 : x;
    int64_t shift = x < 0x1p-1022 ? 54 : 0;
    int64_t k = bits_f64(y) + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd);
    /* an exponent as a number, by its bits: not every processor converts vectors of them */
    int64_t exponent = (int64_t)((uint64_t)k >> 52) - 1023 - shift;
    double n = from_bits_f64(exponent + 0x4338000000000000) - 0x1.8p52;
    double f = from_bits_f64((k & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd) - 1.0;
    double s = f / (2.0 + f), z = s * s, w = z * z;
    double a = w * FMA_f64(w, FMA_f64(w, 1.531383769920937332e-01, 2.222219843214978396e-01), 3.999999999940941908e-01);
    double b = FMA_f64(w, FMA_f64(w, 1.479819860511658591e-01, 1.818357216161805012e-01), 2.857142874366239149e-01);
    double t = a + z * FMA_f64(w, b, 6.666666666666735130e-01);
    double square = 0.5 * f * f;
    double result = FMA_f64(n, 1.90821492927058770002e-10, s * (square + t)) - square + f + n * 6.93147180369123816490e-01;
    result = x == INFINITY ? x : result;
    result = x == 0.0 ? -INFINITY : result;
    return x < 0.0 ? NAN : x != x ? x : result;
}
/* log(1 + x): what was lost in 1 + x = u comes back as x / (u - 1) */
PURE float log1p_f32(float x) {
    float u = 1.0f + x, d = u - 1.0f;
    float result = log_f32(u) * (x / d);
    result = d == 0.0f ? x : result;
    return u == INFINITY ? u : x < -1.0f ? NAN : x == -1.0f ? -INFINITY : result;
}
PURE double log1p_f64(double x) {
    double u = 1.0 + x, d = u - 1.0;
    double result = log_f64(u) * (x / d);
    result = d == 0.0 ? x : result;
    return u == INFINITY ? u : x < -1.0 ? NAN : x == -1.0 ? -INFINITY : result;
}

/* tanh(x): a polynomial, or a quotient of two, near 0; else 1 - 2 / (exp(2 |x|) + 1) */
PURE float tanh_f32(float x) {
    float z = x * x, p = -5.70498872745e-3f;
    p = FMA_f32(p, z, 2.06390887954e-2f);
    p = FMA_f32(p, z, -5.37397155531e-2f);
    p = FMA_f32(p, z, 1.33314422036e-1f);
    p = FMA_f32(p, z, -3.33332819422e-1f);
    float a = fabsf(x), near = FMA_f32(p * z, a, a);
    float far = 1.0f - 2.0f / (exp_f32(2.0f * a) + 1.0f);
    return copysignf(a < 0.625f ? near : far, x);
}
PURE double tanh_f64(double x) {
    double z = x * x;
    double p = FMA_f64(FMA_f64(-9.64399179425052238628e-1, z, -9.92877231001918586564e1), z, -1.61468768441708447952e3);
    double q = FMA_f64(FMA_f64(z + 1.12811678491632931402e2, z, 2.23548839060100448583e3), z, 4.84406305325125486048e3);
    double a = fabs(x), near = FMA_f64(a * z, p / q, a);
    double far = 1.0 - 2.0 / (exp_f64(2.0 * a) + 1.0);
    return copysign(a < 0.625 ? near : far, x);
}

PURE double logaddexp_f64(double a, double b) {
    double d = a - b;
    double result = maximum_f64(a, b) + log1p_f64(exp_f64(-fabs(d)));
    return a == b ? a + 0.693147180559945309 : result;
}
/* In double precision: the two terms may cancel. */
PURE float logaddexp_f32(float a, float b) { return (float)logaddexp_f64(a, b); }
PURE double logaddexp2_f64(double a, double b) {
    return a == b ? a + 1.0 : maximum_f64(a, b) + log1p_f64(exp2(-fabs(a - b))) * 1.44269504088896341;
}
PURE float logaddexp2_f32(float a, float b) { return (float)logaddexp2_f64(a, b); }

/* An index, counted from the end if it is negative; 0 and a note if there is no such element. */
PURE long within(int64_t k, long n, int *outside) {
    k += k < 0 ? n : 0;
    int is_within = (k >= 0) & (k < n);
    *outside |= !is_within;
    return is_within ? (long)k : 0;
}
