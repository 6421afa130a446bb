"""Ground truth by NumPy on one thread, as one would write it: a product of matrices by blocks of
queries, argpartition, a sort. Reads what bench_truth left in a directory, prints the seconds of the
products alone and of all, and how many of the ids differ from those of vbench."""
import os
import sys
import time

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np

directory, dimensions, neighbors = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def read(name, dtype, width):
    return np.fromfile(os.path.join(directory, name), dtype).reshape(-1, width)


records, queries = read("records", np.float32, dimensions), read("queries", np.float32, dimensions)
records[:8] @ queries[:8].T  # what a library does once
start, products, found = time.perf_counter(), 0, []
squares = (records * records).sum(1)
for first in range(0, len(queries), 100):
    before = time.perf_counter()
    scores = queries[first:first + 100] @ records.T
    products += time.perf_counter() - before
    scores *= -2
    scores += squares
    best = np.argpartition(scores, neighbors, axis=1)[:, :neighbors]
    order = np.argsort(np.take_along_axis(scores, best, 1), axis=1)
    found.append(np.take_along_axis(best, order, 1))
total = time.perf_counter() - start
different = (np.concatenate(found) != read("ids", np.uint64, neighbors)).mean()
print("%.3f %.3f %.2e" % (products, total, different))
