#!/usr/bin/env python3
"""Weakens the library's protocols one by one and checks that a test notices each time. README.md says why.

    run.py [--only NAME]... [--jobs N] [--directory DIR]    all mutants, or some; exit code 1 if one survives
    run.py --list                                           what there is
    run.py --check                                          does the table still fit the sources? Builds nothing

Works on a copy of the project (what git knows and what is new), by default in build/mutants: the sources that you edit
are never touched. The copy and its builds stay, so that a second run builds little.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import future_mutants  # noqa: E402
import hostile_mutants  # noqa: E402
import model_mutants  # noqa: E402
import policy_mutants  # noqa: E402
import pool_mutants  # noqa: E402
import process_mutants  # noqa: E402
import queue_mutants  # noqa: E402
import slab_mutants  # noqa: E402
import stop_mutants  # noqa: E402

PROJECT = pathlib.Path(__file__).resolve().parents[2]
MUTANTS = (future_mutants.MUTANTS + stop_mutants.MUTANTS + pool_mutants.MUTANTS + queue_mutants.MUTANTS +
           process_mutants.MUTANTS + policy_mutants.MUTANTS + hostile_mutants.MUTANTS + slab_mutants.MUTANTS +
           model_mutants.MUTANTS)

# A mutant may hang: it gets this many times what its tests need unmutated, and some seconds.
PATIENCE, GRACE = 6, 10
# The unmutated tests' own limit.
LONGEST = 600

# How a mutant ends that proves nothing.
NOT_BUILT, RAN_NOTHING = "not built", "ran nothing"

SANITIZERS = {
    "tsan": {"TSAN_OPTIONS": "halt_on_error=1"},
    "asan": {"ASAN_OPTIONS": "detect_stack_use_after_return=1"},
}


def die(message):
    sys.exit(f"mutants: {message}")


# --- the table against the sources ---------------------------------------------------------------------------------

def check():
    """Every text occurs once, every test exists, no name is taken twice."""
    wrong = []
    declared = re.compile(r"^(?:TYPED_TEST|TEST|TEST_P|TEST_F)\((\w+),\s*(\w+)\)", re.MULTILINE)
    tests = set()
    for file in (PROJECT / "tests").rglob("*.cpp"):
        tests.update(declared.findall(file.read_text()))
    programs = (PROJECT / "tests" / "CMakeLists.txt").read_text()
    names = set()
    for m in MUTANTS:
        if m.name in names:
            wrong.append(f"two mutants are named {m.name}")
        names.add(m.name)
        try:
            m.put_into((PROJECT / m.file).read_text())
        except (OSError, ValueError) as error:
            wrong.append(str(error))
        stamped = re.sub("_(inline|thread|tbb|process)$", "_${backend}", m.program)
        declared_by = rf"(NAME ({re.escape(m.program)}|{re.escape(stamped)})|tandem_add_model\({re.escape(m.program)})[\s)]"
        if not re.search(declared_by, programs):
            wrong.append(f"mutant {m.name}: tests/CMakeLists.txt has no program {m.program}")
        for pattern in m.tests.split(":"):
            suite, _, fact = pattern.replace("*/", "").replace("/*", "").partition(".")
            fits = re.compile(re.escape(fact).replace(r"\*", ".*"))
            if not any(s == suite and fits.fullmatch(f) for s, f in tests):
                wrong.append(f"mutant {m.name}: no test fits {pattern}")
    return wrong


# --- the copy ------------------------------------------------------------------------------------------------------

def sources():
    """The project's files as they are now, new ones included."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=PROJECT,
                            capture_output=True)
    if listed.returncode == 0:
        files = {pathlib.Path(os.fsdecode(f)) for f in listed.stdout.split(b"\0") if f}
    else:  # an unpacked archive
        files = {f.relative_to(PROJECT) for f in PROJECT.rglob("*") if f.is_file()}
        files = {f for f in files if f.parts[0] not in ("build", ".git")}
    return {f for f in files if (PROJECT / f).is_file()}


def copy_project(tree):
    """Makes `tree` the same as the project. Files that are the same keep their times: they are not built again."""
    files = sources()
    for file in files:
        here, there = PROJECT / file, tree / file
        if there.is_file() and there.read_bytes() == here.read_bytes():
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(here, there)
    for there in tree.rglob("*"):
        relative = there.relative_to(tree)
        if there.is_file() and relative.parts[0] != "build" and relative not in files:
            there.unlink()


# --- building and running ------------------------------------------------------------------------------------------

class Workshop:
    """The copy, its builds, and what the tests need when nothing is wrong."""

    def __init__(self, tree, jobs):
        self.tree = tree
        self.jobs = jobs
        self.seconds = {}  # by Mutant.command
        self.environment = dict(os.environ)
        if shutil.which("ccache"):
            self.environment.update(CMAKE_CXX_COMPILER_LAUNCHER="ccache", CCACHE_NOHASHDIR="1",
                                    CCACHE_BASEDIR=str(tree))

    def configure(self, preset):
        made = subprocess.run(["cmake", "--preset", preset, "-DTANDEM_BUILD_BENCHMARKS=OFF", "-DTANDEM_BUILD_EXAMPLES=OFF"],
                              cwd=self.tree, env=self.environment, capture_output=True, text=True)
        if made.returncode != 0:
            die(f"could not configure {self.tree}/build/{preset}:\n{made.stdout}{made.stderr}")

    def build(self, preset, programs):
        """What the compiler said, if it failed."""
        built = subprocess.run(["cmake", "--build", f"build/{preset}", f"-j{self.jobs}", "--target", *programs],
                               cwd=self.tree, env=self.environment, capture_output=True, text=True)
        return "" if built.returncode == 0 else built.stdout + built.stderr

    def run(self, mutant, limit):
        """How it ended ('passed', 'failed', 'crashed', 'hung'), the seconds, and what it wrote."""
        environment = {**self.environment, **SANITIZERS.get(mutant.preset, {}), **dict(mutant.environment)}
        environment["TANDEM_TEST_TIMEOUT"] = str(10 * LONGEST)  # the limit here is ours
        program = self.tree / "build" / mutant.preset / "tests" / mutant.program
        command = [program, f"--gtest_filter={mutant.tests}", f"--gtest_repeat={mutant.repeat}",
                   "--gtest_break_on_failure", "--gtest_brief=0"]
        begin = time.monotonic()
        log = self.tree.parent / "test.log"
        with open(log, "wb") as output:
            # The first failure is a SIGTRAP, so that no further round is run.
            test = subprocess.Popen(command, cwd=self.tree.parent, env=environment, stdout=output,
                                    stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
            try:
                code = test.wait(limit)
            except subprocess.TimeoutExpired:
                code = None
            try:
                os.killpg(test.pid, signal.SIGKILL)  # whatever it has started in its group
            except ProcessLookupError:
                pass
            test.wait()
        seconds = time.monotonic() - begin
        text = log.read_text(errors="replace")
        if code is None:
            return "hung", seconds, text
        if code == 0:
            ran = "[       OK ]" in text
            return ("passed" if ran else RAN_NOTHING), seconds, text
        if "Sanitizer: " in text or ": runtime error: " in text:
            return "sanitizer", seconds, text
        if code in (1, -signal.SIGTRAP):
            return "failed", seconds, text
        return f"signal {-code}" if code < 0 else f"exit {code}", seconds, text

    def prepare(self, mutants):
        """Builds everything unmutated; every killing test must pass there."""
        for preset in sorted({m.preset for m in mutants}):
            programs = sorted({m.program for m in mutants if m.preset == preset})
            say(f"building {preset}: {' '.join(programs)}")
            self.configure(preset)
            if error := self.build(preset, programs):
                die(f"the unmutated build failed:\n{error[-4000:]}")
        for m in mutants:
            if m.command in self.seconds:
                continue
            how, seconds, text = self.run(m, LONGEST)
            say(f"unmutated: {m.program} {m.tests} x {m.repeat} ({m.preset}): {how}, {seconds:.1f} s")
            if how != "passed":
                die(f"the tests that shall kill {m.name} do not pass without it ({how}):\n{text[-4000:]}")
            self.seconds[m.command] = seconds

    def try_mutant(self, mutant):
        """How the tests ended with the mutant in the source."""
        file = self.tree / mutant.file
        original = file.read_text()
        file.write_text(mutant.put_into(original))
        try:
            if error := self.build(mutant.preset, [mutant.program]):
                say(f"mutant {mutant.name} does not compile:\n{error[-4000:]}")
                return NOT_BUILT, 0.0
            how, seconds, _ = self.run(mutant, PATIENCE * self.seconds[mutant.command] + GRACE)
            return how, seconds
        finally:
            file.write_text(original)


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--directory", type=pathlib.Path, default=PROJECT / "build" / "mutants")
    arguments = parser.parse_args()

    wrong = check()
    if wrong or arguments.check:
        print("\n".join(wrong) if wrong else f"{len(MUTANTS)} mutants fit the sources")
        sys.exit(1 if wrong else 0)
    if arguments.list:
        for m in MUTANTS:
            print(f"{m.name:34} {m.file:44} {m.weakens}")
        return
    if unknown := set(arguments.only) - {m.name for m in MUTANTS}:
        die(f"no mutant is named {', '.join(sorted(unknown))}; --list tells them all")

    chosen = [m for m in MUTANTS if not arguments.only or m.name in arguments.only]
    tree = arguments.directory.resolve() / "tree"
    tree.mkdir(parents=True, exist_ok=True)
    copy_project(tree)
    workshop = Workshop(tree, arguments.jobs)
    workshop.prepare(chosen)
    survivors = broken = 0
    print(f"{'mutant':34} {'preset':6} {'ended':12} {'s':>6}  weakens")
    for m in chosen:
        how, seconds = workshop.try_mutant(m)
        survivors += how == "passed"
        broken += how in (NOT_BUILT, RAN_NOTHING)
        print(f"{m.name:34} {m.preset:6} {'SURVIVED' if how == 'passed' else how:12} {seconds:6.1f}  {m.weakens}",
              flush=True)
    print(f"{len(chosen) - survivors - broken} of {len(chosen)} mutants killed")
    if broken:
        print(f"{broken} of them show nothing: they do not compile, or their tests do not exist in this build")
    sys.exit(1 if survivors or broken else 0)


if __name__ == "__main__":
    main()
