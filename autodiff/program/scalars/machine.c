/* A machine for calls of numbers: each step is one operation on many numbers, which lie on a tape of doubles.

   A step is eight integers: the operation, how many numbers it makes, of how many terms each is, where they are put, and
   for each of two operands whether it is gathered, and where its numbers, or their positions, begin.  The order of a sum
   is that of its terms.  The result says which floating-point errors there were, if that is asked for. */
#include <fenv.h>
#include <math.h>

enum { ADD, SUB, MUL, DIV, MAX, MIN, POW, LT, LE, GT, GE, EQ, NE, NEG, ABS, SQRT, SQUARE, EXP, LOG, TANH, SIN, COS,
       LOG1P, EXPM1, DOT };

#define FOR _Pragma("GCC ivdep") for (int i = 0; i < n; i++)
#define TWO(e)                                                                                                         \
    if (!ga && !gb) FOR { const double x = a[i], y = b[i]; out[i] = (e); }                                             \
    else if (ga && !gb) FOR { const double x = t[pa[i]], y = b[i]; out[i] = (e); }                                     \
    else if (!ga) FOR { const double x = a[i], y = t[pb[i]]; out[i] = (e); }                                           \
    else FOR { const double x = t[pa[i]], y = t[pb[i]]; out[i] = (e); }                                                \
    break;
#define ONE(e)                                                                                                         \
    if (!ga) FOR { const double x = a[i]; out[i] = (e); }                                                              \
    else FOR { const double x = t[pa[i]]; out[i] = (e); }                                                              \
    break;
#define ROWS(e)                                                                                                        \
    if (!ga) {                                                                                                         \
        FOR out[i] = a[i];                                                                                             \
        for (int k = 1; k < terms; k++) FOR { const double x = out[i], y = a[(long)k * n + i]; out[i] = (e); }         \
    } else {                                                                                                           \
        FOR out[i] = t[pa[i]];                                                                                         \
        for (int k = 1; k < terms; k++) FOR { const double x = out[i], y = t[pa[(long)k * n + i]]; out[i] = (e); }     \
    }                                                                                                                  \
    break;
#define AT(array, positions, gathered) (gathered ? t[positions[j]] : array[j])
#define DOTS(ga, gb)                                                                                                   \
    for (int i = 0; i < n; i++) { const long j = i; out[i] = AT(a, pa, ga) * AT(b, pb, gb); }                          \
    for (int k = 1; k < terms; k++)                                                                                    \
        FOR { const long j = (long)k * n + i; out[i] = out[i] + AT(a, pa, ga) * AT(b, pb, gb); }
#define LARGER (isgreater(x, y) || isnan(x) ? x : y)
#define SMALLER (isless(x, y) || isnan(x) ? x : y)

int run_tape(double *t, const int *steps, int count, const int *positions, int watch)
{
    if (watch) feclearexcept(FE_ALL_EXCEPT);
    __asm__ volatile("" ::: "memory");
    for (const int *s = steps; s < steps + 8L * count; s += 8) {
        const int n = s[1], terms = s[2], ga = s[4], gb = s[6];
        double *out = t + s[3];
        const double *a = t + (ga ? 0 : s[5]), *b = t + (gb ? 0 : s[7]);
        const int *pa = positions + (ga ? s[5] : 0), *pb = positions + (gb ? s[7] : 0);
        if (terms) {
            switch (s[0]) {
            case ADD: ROWS(x + y)
            case MAX: ROWS(LARGER)
            case MIN: ROWS(SMALLER)
            case DOT:
                if (ga && gb) { DOTS(1, 1) } else if (ga) { DOTS(1, 0) } else if (gb) { DOTS(0, 1) } else { DOTS(0, 0) }
            }
            continue;
        }
        switch (s[0]) {
        case ADD: TWO(x + y)
        case SUB: TWO(x - y)
        case MUL: TWO(x * y)
        case DIV: TWO(x / y)
        case MAX: TWO(LARGER)
        case MIN: TWO(SMALLER)
        case POW: TWO(pow(x, y))
        case LT: TWO(isless(x, y))
        case LE: TWO(islessequal(x, y))
        case GT: TWO(isgreater(x, y))
        case GE: TWO(isgreaterequal(x, y))
        case EQ: TWO(x == y)
        case NE: TWO(x != y)
        case NEG: ONE(-x)
        case ABS: ONE(fabs(x))
        case SQRT: ONE(sqrt(x))
        case SQUARE: ONE(x * x)
        case EXP: ONE(exp(x))
        case LOG: ONE(log(x))
        case TANH: ONE(tanh(x))
        case SIN: ONE(sin(x))
        case COS: ONE(cos(x))
        case LOG1P: ONE(log1p(x))
        case EXPM1: ONE(expm1(x))
        }
    }
    __asm__ volatile("" ::: "memory");
    if (!watch) return 0;
    return (fetestexcept(FE_DIVBYZERO) ? 1 : 0) | (fetestexcept(FE_OVERFLOW) ? 2 : 0) |
           (fetestexcept(FE_UNDERFLOW) ? 4 : 0) | (fetestexcept(FE_INVALID) ? 8 : 0);
}
