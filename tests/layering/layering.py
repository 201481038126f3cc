#!/usr/bin/env python3
"""Checks who may include whom: the arrows of the design; that only src/posix/ makes system calls; that every public
header is listed to be installed.

    layering.py PROJECT        lists every violation; exit code 1 if there is one
    layering.py --self-test    shows that each kind of violation is found

A file belongs to the first room below whose pattern it matches; a room may include itself and what it names.
A new file that no pattern matches is an error too: say where it belongs.
"""
import argparse
import fnmatch
import pathlib
import re
import sys
import tempfile

# room: (files, rooms it may include). From the bottom to the top.
ROOMS = {
    "config": (["include/tandem/config.hpp"], []),
    "error": (["include/tandem/error.hpp", "src/future/error.cpp"], ["config"]),
    "posix": (["src/posix/*"], ["config", "error"]),
    "timer": (["src/timer/*"], ["posix"]),
    # How a callable crosses to another process: the only one that knows both tasks and codecs.
    "remote": (
        ["include/tandem/detail/remote.hpp", "src/codec/portability.cpp"],
        ["config", "error", "codec", "future"],
    ),
    # Stands alone: how values, and the names of functions, are written and read.
    "codec": (
        ["include/tandem/codec.hpp", "include/tandem/by_value.hpp", "include/tandem/shared_buffer.hpp",
         "include/tandem/detail/codec*",
         "include/tandem/detail/function_name.hpp", "src/codec/*"],
        ["config", "error", "posix"],
    ),
    "wait": (
        ["include/tandem/wait.hpp", "include/tandem/as_completed.hpp", "include/tandem/when_*.hpp",
         "include/tandem/detail/gathering.hpp", "src/future/wait.cpp",
         "src/future/as_completed.cpp"],
        ["config", "error", "future", "executor", "posix"],
    ),
    "future": (
        ["include/tandem/future.hpp", "include/tandem/task_options.hpp", "include/tandem/this_task.hpp",
         "include/tandem/detail/access.hpp", "include/tandem/detail/continuation.hpp",
         "include/tandem/detail/block_cache.hpp", "include/tandem/detail/branch.hpp",
         "include/tandem/detail/core.hpp", "include/tandem/detail/context.hpp", "include/tandem/detail/result.hpp",
         "include/tandem/detail/completion_queue.hpp", "include/tandem/detail/future_range.hpp",
         "include/tandem/detail/stop_link.hpp", "include/tandem/detail/task_call.hpp",
         "include/tandem/detail/task_sink.hpp", "src/future/*"],
        ["config", "error", "posix", "timer"],
    ),
    "inline_executor": (
        ["include/tandem/inline_executor.hpp", "src/executor/inline_executor.cpp"],
        ["config", "error", "future", "executor", "posix"],
    ),
    "worker_local": (
        ["include/tandem/worker_local.hpp", "include/tandem/detail/local_values.hpp", "src/worker_local/*"],
        ["config"],
    ),
    "thread_pool": (
        ["include/tandem/thread_pool.hpp", "include/tandem/detail/fork_*.hpp", "src/thread_pool/*"],
        ["config", "error", "future", "executor", "dispatch", "posix"],
    ),
    "task_group": (
        ["include/tandem/task_group.hpp", "include/tandem/parallel_*.hpp", "include/tandem/detail/invoke.hpp",
         "include/tandem/detail/loop_parts.hpp", "include/tandem/detail/run_on.hpp", "include/tandem/detail/split.hpp",
         "include/tandem/detail/submitted_tasks.hpp", "src/task_group/*"],
        ["config", "error", "future", "executor", "thread_pool", "posix"],
    ),
    "executor": (
        ["include/tandem/executor.hpp", "include/tandem/map*.hpp", "include/tandem/imap*.hpp",
         "include/tandem/detail/*", "src/executor/*"],
        ["config", "error", "codec", "future", "remote", "posix", "timer"],
    ),
    "dispatch": (["src/dispatch/*"], ["config", "error", "future", "executor", "posix"]),
    "tbb_pool": (
        ["include/tandem/tbb_pool.hpp", "src/tbb_pool/*"],
        ["config", "error", "future", "executor", "dispatch", "posix"],
    ),
    "process_pool": (
        ["include/tandem/process_pool.hpp", "include/tandem/init.hpp", "include/tandem/preload.hpp",
         "include/tandem/worker_hook.hpp", "src/process_pool/*"],
        ["config", "error", "codec", "future", "executor", "remote", "dispatch", "posix"],
    ),
    # The only one that shows another library's futures; not part of "everything".
    "interop": (["include/tandem/interop.hpp"], ["config", "error", "future", "executor"]),
    "everything": (["include/tandem/tandem.hpp"], ["*"]),
    # A program's main, not a part of the library.
    "gtest_main": (["src/gtest_main.cpp"], ["process_pool"]),
}

# Only src/posix/ may include these. <csignal>, <cerrno>, <link.h> and <elf.h> name constants and tables.
SYSTEM_HEADERS = re.compile(
    r"(sys|linux|asm|arpa|netinet)/.*|unistd\.h|fcntl\.h|poll\.h|sched\.h|signal\.h|spawn\.h|syscall\.h|pthread\.h"
    r"|dirent\.h|mqueue\.h|semaphore\.h|sysexits\.h|time\.h"
)
# What users' own code is made to include, however indirectly.
PUBLIC_LIBRARIES = re.compile(r"boost/pfr(/.*|\.hpp)?|boost/pfr\.hpp|cereal/.*")
INTEROP_LIBRARIES = re.compile(r"boost/thread/future\.hpp")
# A name in /dev/shm outlives a killed process, so not even src/posix/ makes one.
FORBIDDEN_CALLS = re.compile(r"\b(shm_open|sem_open|mq_open|shmget)\s*\(")
# Not members of that name: `void kill();`
RAW_CALLS = re.compile(r"(?<![\w:])(?<!void )(::)?(syscall|fork|vfork|mmap|waitpid|execve|kill)\s*\(")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    for room, (patterns, _) in ROOMS.items():
        if any(fnmatch.fnmatch(path, pattern) for pattern in patterns):
            return room
    return None


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def target_of(root, quote, name):
    """The project's file that an include names, or None for a library's."""
    if name.startswith("tandem/"):
        return "include/" + name
    if quote == '"' or (root / "src" / name).is_file():
        return "src/" + name
    return None


def listing_mistakes(root):
    """Headers below include/ that are not installed, and the other way round."""
    listed = re.findall(r"\$\{PROJECT_SOURCE_DIR\}/(include/\S+\.hpp)", (root / "src/CMakeLists.txt").read_text())
    there = [file.relative_to(root).as_posix() for file in sorted((root / "include").rglob("*.hpp"))]
    return ([f"{path}: not listed in src/CMakeLists.txt, so it is not installed" for path in there if path not in listed] +
            [f"src/CMakeLists.txt: lists {path}, which does not exist" for path in listed if path not in there] +
            [f"src/CMakeLists.txt: lists {path} twice" for path in set(listed) if listed.count(path) > 1])


def violations(root):
    found = listing_mistakes(root)
    files = sorted(p for top in ("include", "src") for p in (root / top).rglob("*") if p.suffix in (".hpp", ".cpp"))
    for file in files:
        path = file.relative_to(root).as_posix()
        room = room_of(path)
        if room is None:
            found.append(f"{path}: belongs to no room; add it to ROOMS in tests/layering/layering.py")
            continue
        is_public = path.startswith("include/")
        text = file.read_text()
        for number, line in enumerate(text.splitlines(), 1):
            match = INCLUDE.match(line)
            if match is None:
                continue
            quote, name = match.groups()
            where = f"{path}:{number}: "
            target = target_of(root, quote, name)
            if target is None:
                if room != "posix" and SYSTEM_HEADERS.fullmatch(name):
                    found.append(where + f"<{name}> is a system call header; only src/posix/ may include it")
                shown = PUBLIC_LIBRARIES.fullmatch(name) or (room == "interop" and INTEROP_LIBRARIES.fullmatch(name))
                if is_public and "/" in name and not shown:
                    found.append(where + f"a public header includes <{name}>; only Boost.PFR and cereal may show")
            elif not (root / target).is_file():
                found.append(where + f"'{name}' does not exist as {target}")
            elif is_public and target.startswith("src/"):
                found.append(where + f"a public header includes '{name}', which is not installed")
            else:
                other = room_of(target)
                allowed = ROOMS[room][1]
                if other not in (room, None) and other not in allowed and "*" not in allowed:
                    found.append(where + f"{room} must not include {other} ('{name}')")
        code = without_comments(text)
        for match in FORBIDDEN_CALLS.finditer(code):
            found.append(f"{path}: calls {match.group(1)}, which leaves a name behind when killed")
        if room != "posix":
            for match in RAW_CALLS.finditer(code):
                found.append(f"{path}: calls {match.group(2)}(); only src/posix/ makes system calls")
    return found


GOOD = {
    "src/CMakeLists.txt": "".join(f"${{PROJECT_SOURCE_DIR}}/include/tandem/{header}.hpp\n" for header in
                                  ("config", "error", "executor", "thread_pool", "process_pool")),
    "include/tandem/config.hpp": "",
    "include/tandem/error.hpp": "#include <tandem/config.hpp>\n#include <stdexcept>\n",
    "include/tandem/executor.hpp": "#include <tandem/error.hpp>\n",
    "include/tandem/thread_pool.hpp": "#include <tandem/executor.hpp>\n// kill(pid) is told about, not called\n",
    "include/tandem/process_pool.hpp": "#include <tandem/executor.hpp>\n",
    "src/posix/futex.hpp": "#include <sys/syscall.h>\n",
    "src/thread_pool/pool.cpp": '#include <tandem/thread_pool.hpp>\n#include "posix/futex.hpp"\n',
}
BAD = [
    ("include/tandem/error.hpp", "#include <tandem/executor.hpp>", "error must not include executor"),
    ("include/tandem/process_pool.hpp", "#include <tandem/thread_pool.hpp>",
     "process_pool must not include thread_pool"),
    ("src/posix/futex.hpp", "#include <tandem/executor.hpp>", "posix must not include executor"),
    ("src/thread_pool/pool.cpp", "#include <unistd.h>", "system call header"),
    ("src/thread_pool/pool.cpp", "#include <linux/futex.h>", "system call header"),
    ("src/thread_pool/pool.cpp", "int f() { return ::syscall(1); }", "only src/posix/ makes system calls"),
    ("src/posix/futex.hpp", 'int f() { return shm_open("/x", 0, 0); }', "leaves a name behind"),
    ("include/tandem/executor.hpp", "#include <boost/thread/thread.hpp>", "only Boost.PFR and cereal"),
    ("include/tandem/executor.hpp", '#include "posix/futex.hpp"', "not installed"),
    ("include/tandem/novel.hpp", "", "belongs to no room"),
    ("include/tandem/error.hpp", "#include <tandem/gone.hpp>", "does not exist"),
    ("include/tandem/wait.hpp", "", "not listed in src/CMakeLists.txt"),
    ("src/CMakeLists.txt", "${PROJECT_SOURCE_DIR}/include/tandem/gone.hpp", "lists include/tandem/gone.hpp, which does not"),
    ("src/CMakeLists.txt", "${PROJECT_SOURCE_DIR}/include/tandem/error.hpp", "twice"),
]


def self_test():
    for change in [None, *BAD]:
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            files = dict(GOOD)
            if change is not None:
                files[change[0]] = files.get(change[0], "") + change[1] + "\n"
            for path, text in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            found = violations(root)
            if change is None and found:
                sys.exit(f"found in a good tree: {found}")
            if change is not None and not any(change[2] in line for line in found):
                sys.exit(f"not found: {change}; only {found}")
    print(f"{len(BAD)} kinds of violation are found")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", nargs="?", type=pathlib.Path)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        self_test()
        return
    if arguments.project is None:
        parser.error("which project?")
    found = violations(arguments.project)
    print("\n".join(found) if found else "every include follows the design, every public header is installed")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
