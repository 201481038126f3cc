#!/usr/bin/env python3
"""Between the corpora that are kept as text (corpus/*.hex: one input a line, hexadecimal; '#' begins a comment) and the
directories of files that libFuzzer reads and writes.

    corpus.py unpack FILE.hex DIRECTORY    a file for each line
    corpus.py pack DIRECTORY FILE.hex      adds what is new in DIRECTORY to the lines
"""
import hashlib
import pathlib
import sys


def lines_of(file):
    return [line for line in file.read_text().splitlines() if line and not line.startswith("#")] if file.exists() else []


def unpack(file, directory):
    directory.mkdir(parents=True, exist_ok=True)
    for line in lines_of(file):
        data = bytes.fromhex(line)
        (directory / hashlib.sha1(data).hexdigest()).write_bytes(data)


def pack(directory, file):
    known = set(lines_of(file))
    found = {entry.read_bytes().hex() for entry in directory.iterdir() if entry.is_file()} - known - {""}
    with file.open("a") as out:
        out.writelines(line + "\n" for line in sorted(found, key=lambda line: (len(line), line)))
    print(f"{len(found)} new inputs in {file}")


def main():
    commands = {"unpack": unpack, "pack": pack}
    if len(sys.argv) != 4 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))


main()
