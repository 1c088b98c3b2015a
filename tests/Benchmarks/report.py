"""Makes tables of runs: medians, least and most of each program, ratios, and requests by verb. Also the run's verdict: both programs did the same work."""
import collections
import statistics

from world import OURS, PEER

FIGURES = ("seconds", "sinceAsked", "cpuSeconds", "millicores", "rssMiB", "privateMiB", "peakMiB", "heapMiB", "allocatedMiB")
SAME = 0.05  # the programs' requests of one kind may differ by this much of all requests of that side,
FEW = 5  # or by this many, for what a process asks once as it starts


def what(run):
    return f"{run['scene']}, {run['policies']} × {run['buckets']}" + (f", {run['part']}" if "part" in run else "")


def grouped(runs):
    groups = collections.defaultdict(lambda: collections.defaultdict(list))
    for run in runs:
        groups[what(run)][run["program"]].append(run)
    return groups


def values(runs, figure):
    return [r[figure] for r in runs if r.get(figure) is not None]


def spread(found):
    return f"{statistics.median(found):.2f} ({min(found):.2f} – {max(found):.2f})" if found else ""


def compared(ours, peer, scene):
    """The ratio of the medians, and the least and most of the rounds' ratios. The minutes of `settled` are no rounds."""
    ratio = f"{statistics.median(ours) / statistics.median(peer):.2f}"
    rounds = [a / b for a, b in zip(ours, peer)]
    if scene.startswith("settled") or len(rounds) == 1:
        return ratio
    return f"{ratio} ({min(rounds):.2f} – {max(rounds):.2f})"


def figures(runs):
    lines = ["| scene | figure | runs | ours: median (least – most) | client-go: median (least – most) "
             "| ours / client-go (of a round: least – most) |", "|---|---|---|---|---|---|"]
    for scene, programs in grouped(runs).items():
        for figure in FIGURES:
            ours, peer = values(programs[OURS], figure), values(programs[PEER], figure)
            if not ours and not peer:
                continue
            ratio = compared(ours, peer, scene) if ours and peer and min(peer) else ""
            lines.append(f"| {scene} | {figure} | {max(len(ours), len(peer))} | {spread(ours)} | {spread(peer)} | {ratio} |")
    return lines


def counts(runs, kind):
    """Medians by verb; a lease is renewed by the clock, and not by the work."""
    names = sorted({verb for run in runs for verb in run.get(kind, ()) if "leases" not in verb})
    return {verb: statistics.median(run[kind][verb] for run in runs) for verb in names}


def requests(runs):
    lines = ["| scene | requests | ours | client-go |", "|---|---|---|---|"]
    for scene, programs in grouped(runs).items():
        for kind in ("vendor", "kubernetes"):
            found = {name: counts(programs[name], kind) for name in (OURS, PEER)}
            for verb in sorted({*found[OURS], *found[PEER]}):
                lines.append(f"| {scene} | {kind}: {verb} | {found[OURS].get(verb, 0):.0f} | {found[PEER].get(verb, 0):.0f} |")
    return lines if len(lines) > 2 else []


def differences(runs):
    """Where the two programs did not do the same work. In an outage each tries as often as it likes."""
    found = []
    for scene, programs in grouped(runs).items():
        if scene.startswith("vendor back") or not (programs[OURS] and programs[PEER]):
            continue
        for kind in ("vendor", "kubernetes"):
            ours, peer = (counts(programs[name], kind) for name in (OURS, PEER))
            for verb in sorted({*ours, *peer}):
                a, b = ours.get(verb, 0), peer.get(verb, 0)
                if abs(a - b) > max(SAME * sum(peer.values()), FEW):
                    found.append(f"{scene}: {a:.0f} {kind} requests of ours, {b:.0f} of client-go: {verb}")
    return found


def slope(points):
    """The cost of one more, by least squares."""
    xs, ys = zip(*points)
    x, y = statistics.mean(xs), statistics.mean(ys)
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a in xs)


def slopes(runs):
    lines = []
    for name in (OURS, PEER):
        grown = [r for r in runs if r["scene"] == "growth" and r["program"] == name]
        if len({r["policies"] for r in grown}) > 2:
            for figure in ("seconds", "cpuSeconds", "rssMiB"):
                lines.append(f"growth, {name}: {slope([(r['policies'], r[figure]) for r in grown]) * 1000:.3f} {figure} per 1000 policies")
        settled = [r for r in runs if r["scene"] == "settled" and r["program"] == name]
        if len(settled) > 2:
            lines.append(f"settled, {name}: {slope([(r['minute'], r['rssMiB']) for r in settled]) * 60:+.2f} MiB resident per hour")
    return lines


def text(runs):
    return "\n".join(filter(None, ("\n".join(figures(runs)), "\n".join(requests(runs)), "\n".join(slopes(runs)))))
