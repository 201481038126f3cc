"""The Python side of the contest: prints nanoseconds per task for one way of doing it."""

import concurrent.futures
import multiprocessing
import sys
import time


def add_one(x):
    return x + 1


def executor_submit(count):
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        pool.submit(add_one, 0).result()
        begin = time.perf_counter()
        futures = [pool.submit(add_one, i) for i in range(count)]
        for i, f in enumerate(futures):
            assert f.result() == i + 1
        return time.perf_counter() - begin


def pool_map(count):
    with multiprocessing.Pool(2) as pool:
        pool.apply(add_one, (0,))
        begin = time.perf_counter()
        assert pool.map(add_one, range(count))[-1] == count
        return time.perf_counter() - begin


def round_trip(count):
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        pool.submit(add_one, 0).result()
        begin = time.perf_counter()
        for i in range(count):
            assert pool.submit(add_one, i).result() == i + 1
        return time.perf_counter() - begin


def echo(text):
    return text


def large_echo(count):
    text = "x" * (16 << 20)
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        pool.submit(add_one, 0).result()
        begin = time.perf_counter()
        for _ in range(count):
            assert len(pool.submit(echo, text).result()) == len(text)
        return time.perf_counter() - begin


def start(count):
    begin = time.perf_counter()
    for i in range(count):
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            assert pool.submit(add_one, i).result() == i + 1
    return time.perf_counter() - begin


if __name__ == "__main__":
    ways = {
        "submit": executor_submit,
        "map": pool_map,
        "round_trip": round_trip,
        "echo": large_echo,
        "start": start,
    }
    if len(sys.argv) != 3 or sys.argv[1] not in ways:
        sys.exit("usage: python_pools.py {%s} COUNT" % ",".join(ways))
    number = int(sys.argv[2])
    print(ways[sys.argv[1]](number) / number * 1e9)
