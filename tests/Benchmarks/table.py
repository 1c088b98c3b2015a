#!/usr/bin/env python3
"""Prints the runs that bench.sh has kept as a table: least and median of each program, and the ratio of the medians, ours to client-go's."""
import statistics
import sys

FIGURES = ["seconds", "cpuSeconds", "rssMiB", "privateMiB", "peakMiB", "heapMiB"]
runs = {}
for line in open(sys.argv[1], encoding="utf-8"):
    run = dict(pair.split("=") for pair in line.split())
    what = f"{run['kind']}, {run['policies']} × {run['buckets']}"
    for figure in FIGURES:
        if figure in run:
            runs.setdefault((what, figure), {}).setdefault(run["program"], []).append(float(run[figure]))

print("| what | figure | runs | ours: least | median | client-go: least | median | ratio |")
print("|---|---|---|---|---|---|---|---|")
for (what, figure), of in runs.items():
    ours, peer = of["ours"], of["client-go"]
    median, other = statistics.median(ours), statistics.median(peer)
    print(f"| {what} | {figure} | {len(ours)} | {min(ours):.2f} | {median:.2f} | {min(peer):.2f} | {other:.2f} | {median / other:.2f} |")
