#!/usr/bin/env python3
"""Proves that a user's project can use tandem: installs it for real, then configures, builds and runs consumers.

    run.py install --linkage L ...   makes a prefix, from the current build if that has the linkage, else by
                                     building it once; checks what was installed
    run.py consume --how H --linkage L ...
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
HOWS = ("find_package", "add_subdirectory", "fetch_content", "pkg_config")


def run(*command, **options):
    command = [str(part) for part in command]
    print("+", " ".join(command), flush=True)
    result = subprocess.run(command, **options)
    if result.returncode != 0:
        sys.exit(f"failed with {result.returncode}: {' '.join(command)}")


def configure(arguments, source, build, *settings):
    """Configures without optimization, which is all that linking needs, and is fastest to build."""
    shared = "ON" if arguments.linkage == "shared" else "OFF"
    launcher = f"-DCMAKE_CXX_COMPILER_LAUNCHER={arguments.launcher}"
    run(arguments.cmake, "-S", source, "-B", build, "-G", arguments.generator, "--no-warn-unused-cli",
        f"-DCMAKE_CXX_COMPILER={arguments.compiler}", launcher, "-DCMAKE_BUILD_TYPE=",
        f"-DBUILD_SHARED_LIBS={shared}", *settings)


def build(arguments, directory):
    run(arguments.cmake, "--build", directory, "-j", os.cpu_count() or 1)


def installed_headers(root):
    return {path.relative_to(root).as_posix() for path in root.rglob("*.hpp")}


def check_prefix(arguments, prefix, first_prefix):
    missing = installed_headers(arguments.source / "include") - installed_headers(prefix / "include")
    if missing:
        sys.exit(f"not installed, since not listed in src/CMakeLists.txt: {', '.join(sorted(missing))}")
    for path in [*prefix.rglob("*.cmake"), *prefix.rglob("*.pc")]:
        text = path.read_text()
        for place in (arguments.source, arguments.work, first_prefix):
            if re.search(re.escape(str(place)) + r"\b", text):
                sys.exit(f"{path} names {place}, which its user does not have")
    suffix = ".so" if arguments.linkage == "shared" else ".a"
    if not list(prefix.rglob("libtandem" + suffix)):
        sys.exit(f"no libtandem{suffix} was installed")


def install(arguments):
    directory = arguments.current
    if arguments.linkage != arguments.current_linkage:
        directory = arguments.work / f"build-{arguments.linkage}"
        configure(arguments, arguments.source, directory, "-DTANDEM_BUILD_TESTS=OFF", "-DTANDEM_BUILD_EXAMPLES=OFF",
                  "-DTANDEM_BUILD_BENCHMARKS=OFF", "-DTANDEM_BUILD_GTEST_MAIN=ON", "-DTANDEM_INSTALL=ON")
        build(arguments, directory)
    prefix = prefix_of(arguments)
    first_prefix = arguments.work / f"first-prefix-{arguments.linkage}"
    for old in (prefix, first_prefix):
        shutil.rmtree(old, ignore_errors=True)
    run(arguments.cmake, "--install", directory, "--prefix", first_prefix, stdout=subprocess.DEVNULL)
    first_prefix.rename(prefix)  # an installed tree can be moved
    check_prefix(arguments, prefix, first_prefix)


def prefix_of(arguments):
    return arguments.work / f"prefix-{arguments.linkage}"


def consume(arguments):
    directory = arguments.work / f"{arguments.how}-{arguments.linkage}"
    # A build that finds everything already there proves nothing.
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    source = HERE / arguments.how
    environment = dict(os.environ)
    if arguments.how == "pkg_config":
        prefix = prefix_of(arguments)
        library = next(prefix.rglob("pkgconfig")).parent
        environment["PKG_CONFIG_PATH"] = str(library / "pkgconfig")
        environment["LD_LIBRARY_PATH"] = str(library)
        linkage = "LINKAGE=--static" if arguments.linkage == "static" else "LINKAGE="
        run("make", "-C", source, f"OUTPUT={directory}", f"CXX={arguments.compiler}", linkage, env=environment)
    else:
        setting = {
            "find_package": f"-DCMAKE_PREFIX_PATH={prefix_of(arguments)}",
            "add_subdirectory": f"-DTANDEM_SOURCE={arguments.source}",
            "fetch_content": f"-DFETCHCONTENT_SOURCE_DIR_TANDEM={arguments.source}",
        }[arguments.how]
        configure(arguments, source, directory, setting)
        build(arguments, directory)
    programs = [directory / "consumer"]
    if arguments.how == "find_package" and arguments.has_gtest:
        programs.append(directory / "consumer_test")
    for program in programs:
        run(program, env=environment, timeout=60)
        linked = subprocess.run(["ldd", program], capture_output=True, text=True, env=environment).stdout
        if ("libtandem.so" in linked) != (arguments.linkage == "shared"):
            sys.exit(f"{program} is not linked to the {arguments.linkage} libtandem:\n{linked}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("install", "consume"))
    parser.add_argument("--how", choices=HOWS)
    parser.add_argument("--linkage", choices=("static", "shared"), required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True, help="this project")
    parser.add_argument("--current", type=pathlib.Path, required=True, help="the current build directory")
    parser.add_argument("--current-linkage", choices=("static", "shared"), required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True, help="where to build and install")
    parser.add_argument("--cmake", required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--generator", required=True)
    parser.add_argument("--launcher", default="", help="ccache, if any")
    parser.add_argument("--has-gtest", action="store_true")
    arguments = parser.parse_args()
    # Objects of the same sources built in different directories are the same to ccache.
    os.environ.setdefault("CCACHE_NOHASHDIR", "1")
    arguments.work.mkdir(parents=True, exist_ok=True)
    install(arguments) if arguments.step == "install" else consume(arguments)


if __name__ == "__main__":
    main()
