"""Measures the commands of a program against a simulated store: how long a start takes, and how much memory 10 000 buckets need.

    python3 tests/Benchmarks/commands.py PROGRAM

Needs what `make build` has built. Prints one line per command. Exit code 1: a target is missed, or a command does not do what it is here for.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

SIMULATOR = pathlib.Path(__file__).resolve().parents[2] / "tests/ObjectStoreSimulator/bin/Release/net10.0/object-store-simulator"
PATIENCE = 60  # seconds for the simulator's start
STARTS = 20
BUCKETS = 10_000
PER_POLICY = 250
MAX_START_MS = 100
MAX_RESIDENT_MIB = 120

STORE = """apiVersion: bucketencryption.io/v1alpha1
kind: BucketStore
metadata: {name: oss}
spec:
  vendor: AlibabaOSS
  region: cn-hangzhou
  endpoint: %s
  rateLimit: {requestsPerSecond: 1000, burst: 1000, maxConcurrency: 64}
  credentials: {secretRef: {name: keys}}
"""
POLICY = """---
apiVersion: bucketencryption.io/v1alpha1
kind: BucketEncryptionPolicy
metadata: {name: policy-%d}
spec:
  storeRef: {name: oss}
  encryption: {algorithm: AES256}
  buckets: [%s]
"""


def run(words, output):
    """Returns the exit code, seconds, and the most MiB resident of a command."""
    began = time.monotonic()
    process = subprocess.Popen(words, stdout=output, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    return os.waitstatus_to_exitcode(status), time.monotonic() - began, usage.ru_maxrss / 1024


def main(program):
    names = [f"bench-{i:05}" for i in range(BUCKETS)]
    with tempfile.TemporaryDirectory(prefix="bucket-encryption-bench.") as name:
        folder = pathlib.Path(name)
        account = {"accessKeyId": "example-key-id", "secret": "example-key-secret", "enabled": True, "kmsEnabled": True}
        seed = {"accounts": [account], "buckets": [{"name": name, "region": "cn-hangzhou"} for name in names]}
        (folder / "seed.json").write_text(json.dumps(seed))
        ready = folder / "store.url"
        with open(folder / "store.log", "w") as log:
            simulator = subprocess.Popen([SIMULATOR, "--ready-file", ready, "--seed-file", folder / "seed.json"], stdout=log, stderr=log)
        try:
            end = time.monotonic() + PATIENCE
            while not (ready.exists() and ready.read_text()):
                if simulator.poll() is not None or time.monotonic() > end:
                    sys.exit("the simulator does not start: " + (folder / "store.log").read_text())
                time.sleep(0.05)
            return measure(program, ready.read_text().strip(), folder, names)
        finally:
            simulator.terminate()
            simulator.wait()


def measure(program, url, folder, names):
    chunks = [names[i : i + PER_POLICY] for i in range(0, BUCKETS, PER_POLICY)]
    policies = (POLICY % (i, ", ".join("{name: %s}" % name for name in chunk)) for i, chunk in enumerate(chunks))
    (folder / "estate.yaml").write_text(STORE % url + "".join(policies))
    (folder / "keys.ini").write_text("[Credentials]\naccessKeyID=example-key-id\naccessKeySecret=example-key-secret\n")
    allowed = ["--allowed-endpoints", url]
    keys = f"file:{folder}/keys.ini"
    export = ["export", "--vendor", "alibaba", "--region", "cn-hangzhou", "-e", url, "--keys", keys]
    missed = []

    starts = [run([program, "status", "--help"], subprocess.DEVNULL) for _ in range(STARTS)]
    median = statistics.median(1000 * seconds for _, seconds, _ in starts)
    slowest = max(1000 * seconds for _, seconds, _ in starts)
    print(f"status --help: {median:.0f} ms (median of {STARTS}; {slowest:.0f} ms the slowest)", flush=True)
    if median > MAX_START_MS or any(code != 0 for code, _, _ in starts):
        missed.append(f"status --help: more than {MAX_START_MS} ms, or it failed")

    for name, words, wanted in (
        ("plan", ["plan", "-f", f"{folder}/estate.yaml", "--store-keys", f"oss={keys}", "-o", "json"], (2, '"put"')),
        ("export", export, (0, "- name: bench-")),
    ):
        shown = folder / name
        with open(shown, "w") as output:
            code, seconds, resident = run([program, *words, *allowed], output)
        found = shown.read_text().count(wanted[1])
        print(f"{name}: {found} buckets in {seconds:.1f} s, at most {resident:.0f} MiB resident", flush=True)
        if (code, found) != (wanted[0], BUCKETS):
            missed.append(f"{name}: exit code {code}, {found} buckets")
        if resident > MAX_RESIDENT_MIB:
            missed.append(f"{name}: more than {MAX_RESIDENT_MIB} MiB resident")
    for problem in missed:
        print(f"missed: {problem}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
