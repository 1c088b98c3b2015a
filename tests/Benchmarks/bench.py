#!/usr/bin/env python3
"""Runs scenes, and prints what they came to: bench.py [--rounds N] [SCENE …]. bench.sh prepares what it needs."""
import argparse
import json
import os
import signal
import sys
import time

import report
from scenes import EVERYDAY, SCENES, Failed
from world import ROOT, World


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"of {', '.join(SCENES)}; without any: {', '.join(EVERYDAY)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", default=str(ROOT / "artifacts/benchmarks.jsonl"), help="keeps every run, one JSON object per line")
    options = parser.parse_args()
    if unknown := set(options.scenes) - set(SCENES):
        parser.error(f"no scene {', '.join(unknown)}: there are {', '.join(SCENES)}")
    World.kubectl, World.operator, World.peer = (os.environ[name] for name in ("KUBECTL", "OPERATOR", "PEER"))
    began, runs = time.monotonic(), []
    with open(options.output, "w", encoding="utf-8") as output:
        for name in options.scenes or EVERYDAY:
            for run in SCENES[name](options.rounds):
                runs.append(run)
                print(json.dumps(run), file=output, flush=True)
                shown = " ".join(f"{k}={v:.3f}" for k, v in run.items() if isinstance(v, float))
                print(f"[{time.monotonic() - began:4.0f} s] {report.what(run)}, {run['program']}: {shown}", flush=True)
    print(report.text(runs))
    if unequal := report.differences(runs):
        sys.exit("bench: the programs did not do the same work:\n" + "\n".join(unequal))


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what it has started ends too
try:
    main()
except Failed as e:
    sys.exit(f"bench: FAILED: {e}")
