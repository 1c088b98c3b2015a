#!/usr/bin/env python3
"""Holds the cost of each hot path against tests/Benchmarks/hot-paths.tsv, and fails where one costs more than is noted there.

  hot_paths.py PROGRAM [--write]     PROGRAM is what compile.sh prints; --write notes what is found now

Instructions are counted by callgrind, bytes by the collector: both are nearly the same on every machine and at every load, as times are not. Instructions
are of the x64 code; on other machines the bytes alone are held against the file."""
import collections
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

BUDGET = pathlib.Path(__file__).with_name("hot-paths.tsv")
MORE = {"instructions": 0.05, "bytes": 0.02}  # a path may cost this much more than is noted
LESS = 0.15  # and this much less, before the note is out of date
CALLER = "HotPathCounts__Measure"


def instructions(counts):
    """By method of HotPaths: what its calls by Measure cost in all. The format: https://valgrind.org/docs/manual/cl-format.html"""
    found, caller, callee, is_cost = collections.Counter(), "", "", False
    for line in counts.splitlines():
        if is_cost:  # the line after calls=: position, cost with all that is below
            found[callee] += int(line.split()[1]) if CALLER in caller else 0
            is_cost = False
        elif line.startswith("fn="):
            caller = line[3:]
        elif line.startswith("cfn="):
            callee = line.rsplit("HotPaths__", 1)[-1] if "HotPaths__" in line else ""
        else:
            is_cost = line.startswith("calls=")
    return found


def measure(program):
    with tempfile.TemporaryDirectory(prefix="bucket-encryption-hot-paths.") as work:
        counts = pathlib.Path(work) / "counts"
        valgrind = ["valgrind", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no", f"--callgrind-out-file={counts}"]
        done = subprocess.run([*valgrind, program, "hot-paths"], capture_output=True, text=True, timeout=1200, check=False)
        if done.returncode:
            sys.exit(f"hot-paths: {done.stdout} {done.stderr}")
        total = instructions(counts.read_text(encoding="utf-8"))
    paths = {}
    for method, operations, size, name in (line.split("\t") for line in done.stdout.splitlines()):
        if not total[method]:
            sys.exit(f"hot-paths: callgrind has seen no call of {method}; it has seen {', '.join(total)}")
        paths[name] = {"instructions": round(total[method] / int(operations)), "bytes": int(size)}
    return paths


def main():
    program, write = sys.argv[1], "--write" in sys.argv[2:]
    found = measure(program)
    if write:
        BUDGET.write_text("".join(f"{name}\t{cost['instructions']}\t{cost['bytes']}\n" for name, cost in found.items()), encoding="utf-8")
    noted = {name: {"instructions": int(i), "bytes": int(b)} for name, i, b in (line.split("\t") for line in BUDGET.read_text(encoding="utf-8").splitlines())}
    kinds = ["instructions", "bytes"] if platform.machine() == "x86_64" else ["bytes"]
    good, problems = 0, [f"{name}: noted, and not measured" for name in noted.keys() - found.keys()]
    print(f"{'hot path':<36} {'instructions':>12} {'noted':>10} {'bytes':>9} {'noted':>9}")
    for name, cost in found.items():
        known = noted.get(name)
        if not known:
            problems.append(f"{name}: measured, and not noted")
            continue
        print(f"{name:<36} {cost['instructions']:>12,} {known['instructions']:>10,} {cost['bytes']:>9,} {known['bytes']:>9,}")
        wrong = [f"{name}: {cost[k]:,} {k}, noted are {known[k]:,}" for k in kinds if not known[k] * (1 - LESS) <= cost[k] <= known[k] * (1 + MORE[k])]
        problems += wrong
        good += not wrong
    for problem in problems:
        print(f"hot-paths: {problem}", file=sys.stderr)
    if problems:
        print(f"hot-paths: is it meant? Then {sys.argv[0]} {program} --write, and say why in the commit", file=sys.stderr)
    print(f"hot-paths: {good} passed, {len(problems)} failed")
    sys.exit(1 if problems else 0)


main()
