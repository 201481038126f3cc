#!/usr/bin/env python3
"""Checks that Doxygen has nothing to complain of in the public headers: names without a docstring, wrong commands.

    docstrings.py --doxygen PROGRAM PROJECT               exit code 1 if there is anything
    docstrings.py --doxygen PROGRAM --self-test PROJECT   shows that missing and wrong docstrings are found
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

# (header, text with a docstring, the same without or with a wrong one, what is told)
MISTAKES = [
    ("future.hpp", "  /// Gives the state to a shared_future; this future is left without one.\n", "", "share"),  # a member
    ("executor.hpp", "  /// Tasks that wait.\n", "", "queued"),  # a field
    ("thread_pool.hpp", "}  // namespace tandem", "struct added {\n  int x;\n};\n}  // namespace tandem", "added"),
    ("init.hpp", "}  // namespace tandem", "void added(int how);\n}  // namespace tandem", "added"),
    ("init.hpp", "@param argc, argv", "@param argx", "argx"),
]


def complaints(doxygen, project):
    """What Doxygen says of the project's headers, told by the project's own settings."""
    with tempfile.TemporaryDirectory() as output:
        settings = (project / "docs" / "Doxyfile").read_text()
        settings += f'\nOUTPUT_DIRECTORY = "{output}"\nGENERATE_HTML = YES\n'
        run = subprocess.run([doxygen, "-"], input=settings, cwd=project, capture_output=True, text=True)
    if run.returncode == 0:
        return ""
    return run.stdout + run.stderr or f"doxygen ended with {run.returncode}"


def self_test(doxygen, project):
    wrong = []
    for header, before, after, told in MISTAKES:
        with tempfile.TemporaryDirectory() as directory:
            copy = pathlib.Path(directory)
            shutil.copytree(project / "include", copy / "include")
            shutil.copytree(project / "docs", copy / "docs")
            file = copy / "include" / "tandem" / header
            text = file.read_text()
            if before not in text:
                wrong.append(f"{header} has no longer '{before.strip()}': mend the self-test")
                continue
            file.write_text(text.replace(before, after, 1))
            found = complaints(doxygen, copy)
            if told not in found:
                wrong.append(f"{header}, '{before.strip()}' changed: nothing is said of {told}:\n{found}")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--doxygen", required=True)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("project", type=pathlib.Path)
    arguments = parser.parse_args()
    project = arguments.project.resolve()
    if arguments.self_test:
        wrong = self_test(arguments.doxygen, project)
        print("\n".join(wrong) if wrong else f"{len(MISTAKES)} kinds of mistakes are found")
    else:
        wrong = complaints(arguments.doxygen, project)
        print(wrong if wrong else "every public name is documented")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
