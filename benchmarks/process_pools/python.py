"""Python's process pools, and those of its packages: does one of tandem-bench's process workloads once and prints its figures.

usage: python3 python.py WORKLOAD LIBRARY WORKERS full|quick
mpi4py: mpiexec -n WORKERS+1 python3 -m mpi4py.futures python.py WORKLOAD mpi4py WORKERS full|quick

Each library is a class with submit(f, x) that returns something with result(), and run(f, inputs), which is the library's
own way of many small tasks with a result each.
"""

import os
import signal
import statistics
import sys
import time


def add_one(x):
    return x + 1


def echo(x):
    return x


def begin(seconds):
    began = time.monotonic()
    time.sleep(seconds)
    return began, os.getpid()


class Executor:
    """concurrent.futures.ProcessPoolExecutor"""

    least_workers = 1

    def __init__(self, workers, **options):
        from concurrent.futures import ProcessPoolExecutor

        self.pool = ProcessPoolExecutor(workers, **options)

    def submit(self, f, x):
        return self.pool.submit(f, x)

    def run(self, f, inputs):
        return [future.result() for future in [self.pool.submit(f, x) for x in inputs]]

    def map(self, f, inputs):
        return list(self.pool.map(f, inputs, chunksize=10000))

    def close(self):
        self.pool.shutdown()


class Pool:
    """multiprocessing.Pool"""

    least_workers = 1

    class Result:
        def __init__(self, result):
            self.result = result.get

    def __init__(self, workers, **options):
        from multiprocessing import Pool as pool

        self.pool = pool(workers, **options)

    def submit(self, f, x):
        return self.Result(self.pool.apply_async(f, (x,)))

    def run(self, f, inputs):
        return list(self.pool.imap_unordered(f, inputs))

    def map(self, f, inputs):
        return self.pool.map(f, inputs)

    def close(self):
        self.pool.terminate()
        self.pool.join()


class Joblib:
    """joblib.Parallel with its default backend, loky"""

    least_workers = 2  # one would be no process but a loop in this one

    class Result:
        def __init__(self, parallel, f, x):
            self.call = (parallel, f, x)

        def result(self):
            from joblib import delayed

            parallel, f, x = self.call
            return parallel([delayed(f)(x)])[0]

    def __init__(self, workers):
        from joblib import Parallel

        self.parallel = Parallel(n_jobs=workers)
        self.parallel.__enter__()

    def submit(self, f, x):
        return self.Result(self.parallel, f, x)

    def run(self, f, inputs):
        from joblib import delayed

        return self.parallel(delayed(f)(x) for x in inputs)

    def map(self, f, inputs):
        return self.run(f, inputs)

    def close(self):
        from joblib.externals.loky import get_reusable_executor

        self.parallel.__exit__(None, None, None)
        get_reusable_executor().shutdown()


class Mpi:
    """mpi4py.futures.MPIPoolExecutor, its processes started by mpiexec"""

    def __init__(self, workers):
        from mpi4py.futures import MPIPoolExecutor

        self.pool = MPIPoolExecutor(workers)
        self.pool.bootup()

    submit = Executor.submit
    run = Executor.run
    map = Executor.map
    close = Executor.close


def warm(library, workers):
    pool = library(workers)
    pool.run(begin, [0.05] * workers)
    pool.run(add_one, range(100))
    return pool


def submit_get(library, workers, quick):
    tasks = 200 if quick else 20_000
    pool = warm(library, workers)
    start = time.perf_counter_ns()
    results = pool.run(add_one, range(tasks))
    took = time.perf_counter_ns() - start
    assert sum(results) == tasks * (tasks + 1) // 2
    pool.close()
    return [took / tasks]


def round_trip(library, workers, quick):
    pool = warm(library, workers)

    def times(trips, pause):
        all_of_them = []
        for i in range(trips):
            if pause:
                time.sleep(pause)
            start = time.perf_counter_ns()
            assert pool.submit(add_one, i).result() == i + 1
            all_of_them.append((time.perf_counter_ns() - start) / 1000)
        return sorted(all_of_them)

    hot = times(50 if quick else 2000, 0)
    rested = times(20 if quick else 500, 0.001)
    pool.close()
    return [hot[len(hot) // 2], hot[len(hot) * 99 // 100], rested[len(rested) // 2], rested[len(rested) * 99 // 100]]


def map_ints(library, workers, quick):
    items = 20_000 if quick else 100_000 if library is Joblib else 1_000_000
    pool = warm(library, workers)
    inputs = list(range(items))
    start = time.perf_counter_ns()
    results = pool.map(add_one, inputs)
    took = time.perf_counter_ns() - start
    assert results[0] == 1 and results[-1] == items
    pool.close()
    return [took / items]


def large_echo(library, workers, quick):
    text = b"x" * (16 << 20)
    pool = warm(library, workers)

    def trip():
        start = time.perf_counter_ns()
        result = pool.submit(echo, text).result()
        took = (time.perf_counter_ns() - start) / 1e6
        assert len(result) == len(text)
        return took

    first = trip()
    later = statistics.median(trip() for _ in range(1 if quick else 10))
    pool.close()
    return [later, first]


def start(library, workers, quick):
    runs = 1 if quick else 5
    few, many = library.least_workers, library.least_workers + 8

    def first_result():
        begun = time.perf_counter()
        pool = library(few)
        pool.submit(add_one, 1).result()
        took = time.perf_counter() - begun
        pool.close()
        return took * 1000

    def until_all_work(workers):
        busy = 2.0 if library is Joblib else 0.2  # until the last one is there, lest one of them takes two tasks
        begun = time.monotonic()
        pool = library(workers)
        began = pool.run(begin, [busy] * workers)
        pool.close()
        assert len({pid for _, pid in began}) == workers, "a worker took two tasks"
        return (max(moment for moment, _ in began) - begun) * 1000

    first = statistics.median(first_result() for _ in range(runs))
    further = (until_all_work(many) - until_all_work(few)) / (many - few)
    return [first, further, replacement(library, quick)]


def replacement(library, quick):
    tasks = 5 if quick else 50
    if library is not Pool:  # ProcessPoolExecutor has max_tasks_per_child, but not with fork; joblib has nothing like it
        return None
    pool = library(1, maxtasksperchild=1)
    pool.submit(add_one, 1).result()
    begun = time.perf_counter()
    for i in range(tasks):
        assert pool.submit(add_one, i).result() == i + 1
    took = time.perf_counter() - begun
    pool.close()
    return took / tasks * 1000


def recovery(library, workers, quick):
    """ms from SIGKILL of a worker that runs a task, and of an idle one, until the next task begins."""
    runs = 2 if quick else 10

    def killed_in_a_task():
        if library is Joblib:
            from joblib.externals.loky import get_reusable_executor

            make = lambda: get_reusable_executor(1)
        elif library is Pool:
            make = lambda: Pool(1)
        else:
            make = lambda: Executor(1)
        pool = make()
        pid = pool.submit(begin, 0).result()[1]
        lost = pool.submit(begin, 100)
        time.sleep(0.05)  # until it runs
        killed = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        if library is not Pool:  # the pool is broken and has to be made anew; multiprocessing.Pool never tells
            try:
                lost.result()
            except Exception:
                pass
            if library is Executor:
                pool.close()
            pool = make()
        began = pool.submit(begin, 0).result()[0]
        (pool.shutdown if library is Joblib else pool.close)()
        return (began - killed) * 1000

    # An idle worker is not killed here: multiprocessing.Pool hangs if that happens, as the worker holds a lock.
    return [statistics.median(killed_in_a_task() for _ in range(runs)), None]


def cpu_ns(pids):
    """CPU time of processes: clock_getcpuclockid() by hand."""
    return sum(time.clock_gettime_ns((~pid << 3) | 2) for pid in pids)


def family(root):
    """`root` and all that descend from it."""
    parents = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as stat:
                parents[int(name)] = int(stat.read().rpartition(")")[2].split()[1])
        except OSError:
            pass  # ended meanwhile
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def idle(library, workers, quick):
    pool = warm(library, workers)
    time.sleep(0.2)  # for those that look for work a while before they sleep
    pids = family(os.getppid() if library is Mpi else os.getpid())
    before = cpu_ns(pids)
    time.sleep(1 if quick else 10)
    used = cpu_ns(pids) - before
    pool.close()
    return [used / 1e6]


if __name__ == "__main__":
    workloads = {
        "process_submit_get": submit_get,
        "process_round_trip": round_trip,
        "process_map": map_ints,
        "process_echo": large_echo,
        "process_start": start,
        "process_recovery": recovery,
        "process_idle": idle,
    }
    libraries = {"executor": Executor, "pool": Pool, "joblib": Joblib, "mpi4py": Mpi}
    if len(sys.argv) != 5 or sys.argv[1] not in workloads or sys.argv[2] not in libraries:
        sys.exit(__doc__)
    for figure in workloads[sys.argv[1]](libraries[sys.argv[2]], int(sys.argv[3]), sys.argv[4] == "quick"):
        print("-" if figure is None else figure)
