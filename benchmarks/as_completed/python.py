"""Prints the ns per future that concurrent.futures takes for empty tasks taken as they finish.

usage: python3 python.py TASKS WORKERS
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed


def nothing():
    pass


def run(pool, tasks):
    futures = [pool.submit(nothing) for _ in range(tasks)]
    for future in as_completed(futures):
        future.result()


def main():
    tasks, workers = int(sys.argv[1]), int(sys.argv[2])
    with ThreadPoolExecutor(workers) as pool:
        run(pool, 100)
        begin = time.perf_counter_ns()
        run(pool, tasks)
        print((time.perf_counter_ns() - begin) / tasks)


main()
