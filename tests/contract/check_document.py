#!/usr/bin/env python3
"""Checks that every test that docs/contract.md names exists, and that it names every test of the contract.

    check_document.py PROJECT
"""
import pathlib
import re
import sys

project = pathlib.Path(sys.argv[1])
declared = re.compile(r"^(?:TYPED_TEST|TEST|TEST_P|TEST_F)\((\w+),\s*(\w+)\)", re.MULTILINE)


def tests_below(directory):
    found = set()
    for file in (project / "tests" / directory).rglob("*.cpp"):
        found.update(f"{suite}.{fact}" for suite, fact in declared.findall(file.read_text()))
    return found


text = (project / "docs" / "contract.md").read_text()
named = set(re.findall(r"`([A-Z]\w+\.[A-Z]\w+)`", text))
refusals = set(re.findall(r"`([a-z_]+_to_[a-z_]+)`", text))
wrong = [f"docs/contract.md names {name}, which does not exist" for name in sorted(named - tests_below("."))]
wrong += [f"docs/contract.md names compile_fail/{name}, which does not exist"
          for name in sorted(refusals) if not (project / "tests" / "compile_fail" / f"{name}.cpp").is_file()]
wrong += [f"{name} is in tests/contract/, but not in docs/contract.md" for name in sorted(tests_below("contract") - named)]
print("\n".join(wrong) if wrong else f"{len(named)} tests are named and exist")
sys.exit(1 if wrong else 0)
