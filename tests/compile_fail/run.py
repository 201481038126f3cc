#!/usr/bin/env python3
"""Compiles one case of what must not compile, and reads the message.

A case is a .cpp file with lines `// expect: <regular expression>`, and code under `#ifdef MUST_FAIL` that is wrong.
Without MUST_FAIL the file must compile (so it fails for the reason it names), with it it must not, and every
expected expression must be in what the compiler says.

    run.py CASE.cpp -- COMPILER FLAGS...
"""
import re
import subprocess
import sys


def compile_case(command, case, *flags):
    # Not -fsyntax-only: the message may come from a template that is instantiated at the end of the file.
    return subprocess.run([*command, *flags, "-c", case, "-o", "/dev/null"], capture_output=True, text=True)


def main():
    case, separator, *command = sys.argv[1:]
    if separator != "--" or not command:
        sys.exit(__doc__)
    with open(case) as file:
        expected = re.findall(r"^// expect: (.*)$", file.read(), re.MULTILINE)
    if not expected:
        sys.exit(f"{case} has no line '// expect: <regular expression>'")

    right = compile_case(command, case)
    if right.returncode != 0:
        sys.exit(f"the right version of {case} does not compile:\n{right.stderr}")
    wrong = compile_case(command, case, "-DMUST_FAIL")
    if wrong.returncode == 0:
        sys.exit(f"the wrong version of {case} compiles")
    errors = [line for line in wrong.stderr.splitlines() if "error:" in line]
    print("\n".join(errors))
    for expression in expected:
        if not any(re.search(expression, line) for line in errors):
            sys.exit(f"no error of {case} matches '{expression}'; the compiler said:\n{wrong.stderr}")


if __name__ == "__main__":
    main()
