/* c = a b, for small matrices: a is m by k, b is k by n, and each has its two strides. */
#define MATMUL(type, t) \
    PURE void matmul_##t(long m, long n, long k, const type *restrict a, long ai, long ak, const type *restrict b, \
                         long bk, long bj, type *restrict c, long ci, long cj) { \
        for (long i = 0; i < m; i++) { \
            if (bj == 1 || n == 1) { \
                for (long j = 0; j < n; j++) c[i * ci + j * cj] = 0; \
                for (long l = 0; l < k; l++) { \
                    const type x = a[i * ai + l * ak]; \
                    _Pragma("omp simd") \
                    for (long j = 0; j < n; j++) \
                        c[i * ci + j * cj] = FMA_##t(x, b[l * bk + j * bj], c[i * ci + j * cj]); \
                } \
            } else { \
                for (long j = 0; j < n; j++) { \
                    type sum = 0; \
                    _Pragma("omp simd reduction(+:sum)") \
                    for (long l = 0; l < k; l++) sum += a[i * ai + l * ak] * b[l * bk + j * bj]; \
                    c[i * ci + j * cj] = sum; \
                } \
            } \
        } \
    }
MATMUL(float, f32)
MATMUL(double, f64)
