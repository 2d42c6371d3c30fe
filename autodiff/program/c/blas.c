/* c = a b by BLAS; a matrix whose columns do not lie side by side is one whose rows do, transposed. */
typedef void (*sgemm_function)(int, int, int, int64_t, int64_t, int64_t, float, const float *, int64_t, const float *,
                               int64_t, float, float *, int64_t);
typedef void (*dgemm_function)(int, int, int, int64_t, int64_t, int64_t, double, const double *, int64_t,
                               const double *, int64_t, double, double *, int64_t);
static sgemm_function sgemm;
static dgemm_function dgemm;
void use_blas(void *single, void *of_double) {
    sgemm = (sgemm_function)single;
    dgemm = (dgemm_function)of_double;
}
static inline int64_t leading(long row, long column, long rows, long columns) {
    long step = column == 1 ? row : column, least = column == 1 ? columns : rows;
    return step > least ? step : least;
}
#define GEMM(type, t, function) \
    __attribute__((unused)) static void gemm_##t(long m, long n, long k, const type *a, long ai, long ak, \
                                                 const type *b, long bk, long bj, type *c, long ci, long cj) { \
        (void)cj; \
        function(101, ak == 1 ? 111 : 112, bj == 1 ? 111 : 112, m, n, k, 1, a, leading(ai, ak, m, k), b, \
                 leading(bk, bj, k, n), 0, c, ci > n ? ci : n); \
    }
GEMM(float, f32, sgemm)
GEMM(double, f64, dgemm)
