"""How fast this machine reads memory: `{"sizes": [bytes], "threads": n}` from standard input, `{"rates": [bytes/s]}` to
standard output. Every thread reads its own part of the buffer again and again; the rate is the best of several trials."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

TRIALS = 7
# Each thread's share of a trial, so that starting the threads is a small part of it.
BYTES_PER_TRIAL = 2**30


def measure(size, threads, pool):
    parts = [np.ones(size // threads // 8, dtype=np.float64) for _ in range(threads)]
    repeats = max(1, BYTES_PER_TRIAL // parts[0].nbytes)

    def read(part):
        for _ in range(repeats):
            part.max()

    best = float("inf")
    for _ in range(TRIALS):
        started = time.perf_counter()
        list(pool.map(read, parts))
        best = min(best, time.perf_counter() - started)
    return threads * repeats * parts[0].nbytes / best


job = json.load(sys.stdin)
with ThreadPoolExecutor(job["threads"]) as pool:
    rates = [measure(size, job["threads"], pool) for size in job["sizes"]]
print(json.dumps({"rates": rates}))
