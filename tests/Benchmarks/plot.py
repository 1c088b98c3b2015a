#!/usr/bin/env python3
"""Draws time, CPU and resident memory against the number of policies, from the runs of the scene `growth`: plot.py RUNS.jsonl > docs/growth.svg"""
import json
import statistics
import sys

WIDTH, HEIGHT, LEFT, TOP, GAP = 260, 220, 56, 40, 76
PANELS = (("seconds", "seconds until all are Ready"), ("cpuSeconds", "CPU seconds"), ("rssMiB", "resident MiB"))
COLORS = {"ours": "#1f6feb", "client-go": "#8250df"}


def ticks(most):
    step = next(s * 10**e for e in range(-2, 6) for s in (1, 2, 5) if most / (s * 10**e) <= 5)
    return [i * step for i in range(int(most / step) + 1)]


def panel(at, title, series):
    xs, ys = [x for s in series.values() for x, _ in s], [y for s in series.values() for _, y in s]
    x_most, y_most = max(xs), max(ys) * 1.05
    x = lambda v: at + v / x_most * WIDTH
    y = lambda v: TOP + HEIGHT - v / y_most * HEIGHT
    yield f'<text x="{at}" y="{TOP - 14}" class="title">{title}</text>'
    for value in ticks(y_most):
        yield f'<line x1="{at}" x2="{at + WIDTH}" y1="{y(value):.1f}" y2="{y(value):.1f}" class="grid"/>'
        yield f'<text x="{at - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>'
    for value in sorted(set(xs)):
        if value * 20 >= x_most:
            yield f'<text x="{x(value):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{value:,}</text>'
    for name, points in series.items():
        yield f'<polyline fill="none" stroke="{COLORS[name]}" stroke-width="2" points="{" ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points)}"/>'
        yield from (f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{COLORS[name]}"/>' for a, b in points)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        runs = [run for run in map(json.loads, file) if run["scene"] == "growth"]
    whole = LEFT + len(PANELS) * (WIDTH + GAP), TOP + HEIGHT + 56
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole[0]} {whole[1]}" role="img" font-family="sans-serif" font-size="12" fill="#57606a">')
    print("<title>Cost against the number of policies of one bucket each</title>")
    print("<style>.title{font-weight:bold}.grid{stroke:#d0d7de}</style><rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>")
    for i, (figure, title) in enumerate(PANELS):
        series = {name: [(n, statistics.median(r[figure] for r in runs if r["program"] == name and r["policies"] == n))
                         for n in sorted({r["policies"] for r in runs if r["program"] == name})] for name in COLORS}
        print("\n".join(panel(LEFT + i * (WIDTH + GAP), title, series)))
    for i, (name, color) in enumerate(COLORS.items()):
        print(f'<circle cx="{LEFT + 4 + i * 90}" cy="{whole[1] - 16}" r="4" fill="{color}"/><text x="{LEFT + 14 + i * 90}" y="{whole[1] - 12}">{name}</text>')
    print("</svg>")


main()
