#!/usr/bin/env python3
"""Checks that docs/python.md speaks of every public name of Python's modules for concurrency.

    python_names.py PROJECT      exit code 1 if a name is missing, 77 with another Python than the page is about
"""
import pathlib
import re
import sys

VERSION = (3, 11)
MODULES = ["threading", "queue", "concurrent.futures", "multiprocessing", "multiprocessing.pool",
           "multiprocessing.queues", "multiprocessing.shared_memory", "multiprocessing.managers",
           "multiprocessing.connection", "multiprocessing.sharedctypes", "asyncio"]
# Where the methods matter as much as the name.
CLASSES = ["threading.Condition", "queue.Queue", "concurrent.futures.Executor", "concurrent.futures.Future",
           "multiprocessing.Process", "multiprocessing.pool.Pool", "multiprocessing.pool.AsyncResult",
           "multiprocessing.shared_memory.SharedMemory"]
# Old spellings, and what is told by another word.
OTHERWISE = {"notifyAll", "name", "size", "done", "Process", "ShareableList"}


def public_names():
    for module in MODULES:
        yield from ((module, n) for n in __import__(module, fromlist=["_"]).__all__ if not n.startswith("_"))
    for path in CLASSES:
        module, _, name = path.rpartition(".")
        yield from ((path, n) for n in dir(getattr(__import__(module, fromlist=["_"]), name)) if n[0] != "_")


def main():
    if sys.version_info[:2] != VERSION:
        print(f"this is Python {sys.version.split()[0]}; the page is about {VERSION[0]}.{VERSION[1]}")
        sys.exit(77)
    page = (pathlib.Path(sys.argv[1]) / "docs" / "python.md").read_text()
    told = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", page))))
    missing = sorted(f"{where}.{name}" for where, name in public_names() if name not in told | OTHERWISE)
    print("\n".join(f"docs/python.md does not tell of {m}" for m in missing) or "every name is there")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
