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

/* exp(x) = 4^k exp(r), |r| <= log(2): x / log(4), added to a large number, is rounded to k in the last bits of the sum,
   where k + 127 (or 1023) stands, the exponent of 2^k.  Multiplied by twice, it gives subnormal results, and infinity. */
PURE float power_of_two_f32(int32_t k) { return from_bits_f32((int32_t)((uint32_t)k << 23)); }
PURE double power_of_two_f64(int64_t k) { return from_bits_f64((int64_t)((uint64_t)k << 52)); }
PURE float exp_f32(float x) {
    x = x < -104.0f ? -104.0f : x;
    int32_t k = bits_f32(FMA_f32(x, 0.72134752f, 0x1.8p23f + 127));
    k = k > 0x4b4000bf ? 0x4b4000bf : k; /* of whole numbers: a compiler makes two of x one, which is slower */
    float n = from_bits_f32(k) - (0x1.8p23f + 127), r = FMA_f32(n, -1.38671875f, x);
    r = FMA_f32(n, 4.24388880e-4f, r);
    float p = 1.96103249e-4f;
    p = FMA_f32(p, r, 1.41055050e-3f);
    p = FMA_f32(p, r, 8.33613163e-3f);
    p = FMA_f32(p, r, 4.16612174e-2f);
    p = FMA_f32(p, r, 1.66666134e-1f);
    p = FMA_f32(p, r, 5.00000351e-1f);
    p = FMA_f32(p, r, 1.0f);
    p = FMA_f32(p, r, 1.0f);
    return p * power_of_two_f32(k) * power_of_two_f32(k);
}
PURE double exp_f64(double x) {
    x = x < -746.0 ? -746.0 : x;
    int64_t k = bits_f64(FMA_f64(x, 0.7213475204444817, 0x1.8p52 + 1023));
    k = k > 0x43380000000005ff ? 0x43380000000005ff : k;
    double n = from_bits_f64(k) - (0x1.8p52 + 1023), r = FMA_f64(n, -0x1.62e42fefa0000p+0, x);
    r = FMA_f64(n, -0x1.cf79abc9e3b3ap-39, r);
    double p = 1.616985477526355e-10;
    p = FMA_f64(p, r, 2.1043047011165e-09);
    p = FMA_f64(p, r, 2.5051507599056558e-08);
    p = FMA_f64(p, r, 2.755641751648755e-07);
    p = FMA_f64(p, r, 2.7557320724436276e-06);
    p = FMA_f64(p, r, 2.4801589553731987e-05);
    p = FMA_f64(p, r, 0.00019841269839576415);
    p = FMA_f64(p, r, 0.0013888888886347003);
    p = FMA_f64(p, r, 0.008333333333334032);
    p = FMA_f64(p, r, 0.041666666666677156);
    p = FMA_f64(p, r, 0.16666666666666666);
    p = FMA_f64(p, r, 0.5);
    p = FMA_f64(p * r, r, r) + 1.0;
    return p * power_of_two_f64(k) * power_of_two_f64(k);
}

/* exp(r) - 1, |r| <= log(2) / 2 */
PURE float near_f32(float r) {
    float p = 1.38825e-3f;
    p = FMA_f32(p, r, 8.36671e-3f);
    p = FMA_f32(p, r, 4.166721e-2f);
    p = FMA_f32(p, r, 1.6666542e-1f);
    p = FMA_f32(p, r, 0.5f);
    return FMA_f32(p * r, r, r);
}
PURE double near_f64(double r) {
    double p = 2.5100472505694996e-08;
    p = FMA_f64(p, r, 2.7620201591031547e-07);
    p = FMA_f64(p, r, 2.7557268276905696e-06);
    p = FMA_f64(p, r, 2.4801521057868204e-05);
    p = FMA_f64(p, r, 0.00019841269863171557);
    p = FMA_f64(p, r, 0.0013888888917367081);
    p = FMA_f64(p, r, 0.008333333333330039);
    p = FMA_f64(p, r, 0.041666666666623824);
    p = FMA_f64(p, r, 0.16666666666666669);
    p = FMA_f64(p, r, 0.5);
    return FMA_f64(p * r, r, r);
}
/* exp(x) - 1 = 2^k (exp(r) - 1) + (2^k - 1), of half of it: 2^1024 is no number */
PURE float expm1_f32(float x) {
    float y = x < -30.0f ? -30.0f : x;
    int32_t k = bits_f32(FMA_f32(y, 1.44269504f, 0x1.8p23f + 126));
    k = k > 0x4b4000fe ? 0x4b4000fe : k;
    float n = from_bits_f32(k) - (0x1.8p23f + 126), r = FMA_f32(n, -0.693359375f, y);
    r = FMA_f32(n, 2.12194440e-4f, r);
    float half = power_of_two_f32(k), result = FMA_f32(half, near_f32(r), half - 0.5f) * 2.0f;
    return x == 0.0f ? x : result;
}
PURE double expm1_f64(double x) {
    double y = x < -60.0 ? -60.0 : x;
    int64_t k = bits_f64(FMA_f64(y, 1.4426950408889634, 0x1.8p52 + 1022));
    k = k > 0x43380000000007fe ? 0x43380000000007fe : k;
    double n = from_bits_f64(k) - (0x1.8p52 + 1022), r = FMA_f64(n, -0x1.62e42fefa0000p-1, y);
    r = FMA_f64(n, -0x1.cf79abc9e3b3ap-40, r);
    double half = power_of_two_f64(k), result = FMA_f64(half, near_f64(r), half - 0.5) * 2.0;
    return x == 0.0 ? x : result;
}

/* log(2^k (1 + f)), sqrt(1/2) <= 1 + f < sqrt(2), after Cephes' logf.c and FreeBSD's e_log.c: no branch but selections. */
PURE float log_f32(float x) {
    int is_tiny = x < 0x1p-126f;
    float y = is_tiny ? x * 0x1p23f : x;
    int32_t k = (int32_t)((uint32_t)bits_f32(y) - 0x3f3504f3);
    float n = (float)((k >> 23) - (is_tiny ? 23 : 0));
    float f = from_bits_f32((k & 0x007fffff) + 0x3f3504f3) - 1.0f, z = f * f, p = 7.0376836292e-2f;
    p = FMA_f32(p, f, -1.1514610310e-1f);
    p = FMA_f32(p, f, 1.1676998740e-1f);
    p = FMA_f32(p, f, -1.2420140846e-1f);
    p = FMA_f32(p, f, 1.4249322787e-1f);
    p = FMA_f32(p, f, -1.6668057665e-1f);
    p = FMA_f32(p, f, 2.0000714765e-1f);
    p = FMA_f32(p, f, -2.4999993993e-1f);
    p = FMA_f32(p, f, 3.3333331174e-1f);
    float low = FMA_f32(z, -0.5f, FMA_f32(n, -2.12194440e-4f, p * (z * f)));
    float result = FMA_f32(n, 0.693359375f, f + low);
    result = x < INFINITY ? result : x;
    return x > 0.0f ? result : x == 0.0f ? -INFINITY : NAN;
}
PURE double log_f64(double x) {
    double y = x < 0x1p-1022 ? x * 0x1p54 : x;
    int64_t shift = x < 0x1p-1022 ? 54 : 0;
    int64_t k = (int64_t)((uint64_t)bits_f64(y) + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd));
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
    float result = d == 0.0f ? x : log_f32(u) * (x / d);
    return u == INFINITY ? u : result;
}
PURE double log1p_f64(double x) {
    double u = 1.0 + x, d = u - 1.0;
    double result = d == 0.0 ? x : log_f64(u) * (x / d);
    return u == INFINITY ? u : result;
}

/* tanh(|x|) = t / (t + 2), t = exp(2 |x|) - 1 */
PURE float tanh_f32(float x) {
    float a = fabsf(x);
    a = a > 10.0f ? 10.0f : a;
    float shifted = FMA_f32(a, 2.88539008f, 0x1.8p23f + 127), n = shifted - (0x1.8p23f + 127);
    float r = FMA_f32(n, -0.3466796875f, a);
    r = FMA_f32(n, 1.06097220e-4f, r);
    float power = power_of_two_f32(bits_f32(shifted)), t = FMA_f32(power, near_f32(r + r), power - 1.0f);
    return copysignf(t / (t + 2.0f), x);
}
PURE double tanh_f64(double x) {
    double a = fabs(x);
    a = a > 20.0 ? 20.0 : a;
    double shifted = FMA_f64(a, 2.8853900817779268, 0x1.8p52 + 1023), n = shifted - (0x1.8p52 + 1023);
    double r = FMA_f64(n, -0x1.62e42fefa0000p-2, a);
    r = FMA_f64(n, -0x1.cf79abc9e3b3ap-41, r);
    double power = power_of_two_f64(bits_f64(shifted)), t = FMA_f64(power, near_f64(r + r), power - 1.0);
    return copysign(t / (t + 2.0), x);
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
