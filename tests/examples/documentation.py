#!/usr/bin/env python3
"""Checks that README.md and docs/ do not say what is not so.

    documentation.py PROJECT       lists what is wrong; exit code 1 if there is anything
    documentation.py --self-test   shows that each kind of mistake is found

- A block of C++ stands behind `<!-- from examples/NAME.cpp -->` and is found there, line by line; behind
  `<!-- all of examples/NAME.cpp -->` it is the whole file. The tests compile and run the examples.
- A link to a file or to a heading leads somewhere.
- `./dev COMMAND` is a command of ./dev.
- Each example is named in README.md.
"""
import argparse
import pathlib
import re
import sys
import tempfile
import textwrap

SOURCE = re.compile(r"<!-- (from|all of) (examples/\w+\.cpp) -->")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def pages(project):
    return [project / "README.md", *sorted((project / "docs").glob("*.md"))]


def blocks(text):
    """Yields (line before, language, lines of the block) for each fenced block."""
    before, fence, body = "", None, []
    for line in text.splitlines():
        if fence is not None and line.strip() == "```":
            yield before, fence, body
            before, fence, body = "", None, []
        elif fence is not None:
            body.append(line)
        elif line.startswith("```"):
            fence = line[3:].strip()
        elif line.strip():
            before = line


def prose(text):
    """The text without code, in which brackets and number signs mean other things."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def anchors(text):
    """The names that GitHub gives to the headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def found_in(block, source):
    """True if the lines stand in the source one after the other, whatever their indentation."""
    wanted = textwrap.dedent("\n".join(block))
    lines = source.splitlines()
    windows = ("\n".join(lines[i:i + len(block)]) for i in range(len(lines) - len(block) + 1))
    return any(textwrap.dedent(window) == wanted for window in windows)


def wrong_code(project, text):
    for before, language, body in blocks(text):
        if language not in ("cpp", "c++"):
            continue
        source = SOURCE.fullmatch(before.strip())
        first = body[0] if body else ""
        if not source:
            yield f"the C++ that begins with '{first}' does not say from which example it is"
            continue
        path = project / source[2]
        if not path.is_file():
            yield f"{source[2]} does not exist"
        elif source[1] == "all of" and path.read_text().splitlines() != body:
            yield f"the C++ that begins with '{first}' is not all of {source[2]}"
        elif not found_in(body, path.read_text()):
            yield f"the C++ that begins with '{first}' does not stand in {source[2]}"


def wrong_links(project, page, text):
    for target in LINK.findall(prose(text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists():
            yield f"the link to {target} leads nowhere"
        elif anchor and (path.suffix != ".md" or anchor not in anchors(path.read_text())):
            yield f"there is no heading for the link to {target}"


def wrong_commands(project, text):
    commands = (project / "dev").read_text() if (project / "dev").is_file() else ""
    for command in sorted(set(re.findall(r"\./dev ([a-z]\w*)", text))):
        if not re.search(rf"^  {command}\b", commands, flags=re.M):
            yield f"./dev has no command {command}"


def check(project):
    findings = []
    for page in pages(project):
        if not page.is_file():
            findings.append(f"{page.name}: is missing")
            continue
        text = page.read_text()
        problems = [*wrong_code(project, text), *wrong_links(project, page, text), *wrong_commands(project, text)]
        findings += [f"{page.relative_to(project)}: {problem}" for problem in problems]
    readme = (project / "README.md").read_text() if (project / "README.md").is_file() else ""
    for example in sorted((project / "examples").glob("*.cpp")):
        if f"examples/{example.name}" not in readme:
            findings.append(f"README.md: does not name examples/{example.name}")
    return findings


GOOD = {
    "README.md": "# A\n## What to do\n<!-- all of examples/a.cpp -->\n```cpp\nint f() {\n  return 1;\n}\n```\n"
                 "<!-- from examples/a.cpp -->\n```cpp\nreturn 1;\n```\n[self](#what-to-do) [b](docs/b.md#b-c) "
                 "[web](https://example.com) `[x](y)`\n```console\n$ ./dev test\n```\n",
    "docs/b.md": "# B: C\n[up](../README.md)\n",
    "examples/a.cpp": "int f() {\n  return 1;\n}\n",
    "dev": "usage\n  test [ARGS]   run\n",
}
BAD = {
    "does not say from which example": ("README.md", "```cpp\nint i;\n```\n"),
    "does not stand in": ("README.md", "<!-- from examples/a.cpp -->\n```cpp\nreturn 2;\n```\n"),
    "is not all of": ("README.md", "<!-- all of examples/a.cpp -->\n```cpp\n  return 1;\n```\n"),
    "does not exist": ("README.md", "<!-- from examples/none.cpp -->\n```cpp\nint i;\n```\n"),
    "leads nowhere": ("docs/b.md", "[x](c.md)\n"),
    "no heading": ("docs/b.md", "[x](../README.md#nothing)\n"),
    "no command": ("docs/b.md", "`./dev dance`\n"),
    "does not name": ("examples/z.cpp", "int i;\n"),
}


def self_test():
    def findings(extra):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            for name, text in [*GOOD.items(), *extra]:
                (root / name).parent.mkdir(exist_ok=True)
                with open(root / name, "a") as file:
                    file.write(text)
            return check(root)

    failed = [f"good pages: {finding}" for finding in findings([])]
    for message, extra in BAD.items():
        found = findings([extra])
        if len(found) != 1 or message not in found[0]:
            failed.append(f"'{message}': expected one such finding, got {found}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", nargs="?", type=pathlib.Path)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if not arguments.self_test and arguments.project is None:
        parser.error("name the project's directory")
    findings = self_test() if arguments.self_test else check(arguments.project.resolve())
    for finding in findings:
        print(finding, file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
