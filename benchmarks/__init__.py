"""pullback beside hand-written NumPy and its peers: ``python -m benchmarks`` measures and rewrites the tables.

Every module here with a function ``tables()`` is a benchmark, and can be run alone: ``python -m benchmarks.steps``.
Python imports this file before any module beside it, hence before NumPy: it gives all libraries the same threads.
"""

import os

THREADS = int(os.environ.get("BENCHMARK_THREADS", "2"))

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = str(THREADS)
os.environ["NPROC"] = str(THREADS)  # how XLA sizes its pool, whatever the flags below say
os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads={THREADS}"
os.environ["JAX_PLATFORMS"] = "cpu"
