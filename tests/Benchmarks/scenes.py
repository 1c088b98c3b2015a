"""The scenes of `make bench`. A scene yields runs: dicts of what was measured, for report.py. docs/benchmarks.md says what each is for."""
import json
import os
import re
import subprocess
import time

from world import AGENTS, BENCHMARKS, OURS, PEER, ROOTS, Failed, World, http, until

REST = 2  # seconds after the last Ready, so that what is under way ends
DOWN = 80  # seconds for which the vendor is away
SETTLING = 30  # seconds before a settled process is measured


def in_turn(rounds):
    """Ours and the peer take turns, and who begins changes: a slow minute of the machine meets both."""
    for i in range(rounds):
        for name in ((OURS, PEER), (PEER, OURS))[i % 2]:
            yield name


def measured(world, program, seconds):
    time.sleep(REST)
    figures = {"seconds": seconds, "cpuSeconds": program.cpu(), **program.memory(),
               "vendor": world.vendor_requests(), "kubernetes": world.kubernetes_requests(AGENTS[program.name])}
    program.stop()
    return {**figures, "allocatedMiB": program.allocated}


def job(scene, rounds, policies, buckets=1, workers=4, before=lambda world: None):
    """From the start of the process until all policies are Ready."""
    for name in in_turn(rounds):
        with World(policies, buckets, workers) as world:
            world.fill()
            before(world)
            ready = world.watch()
            program = world.run(name)
            seconds = ready(program) - program.began
            yield {"scene": scene, "program": name, "policies": policies, "buckets": buckets, **measured(world, program, seconds)}


def small(rounds):
    yield from job("job", rounds, 1000)


def large(rounds):
    yield from job("job", rounds, 10_000)


def buckets(rounds):
    yield from job("job", rounds, 100, 100)


def one(rounds):
    yield from job("job", rounds, 1, 256)


def growth(rounds):
    for policies in (100, 1000, 10_000, 30_000):
        yield from job("growth", rounds if policies < 10_000 else 1, policies)


def start(rounds):
    """From the start of the process until its first request to a store."""
    for name in in_turn(rounds * 3):
        with World(1) as world:
            world.fill()
            warm_up(world)
            http("POST", f"{world.store}/_admin/holds", {"phase": "before", "times": 1})
            program = world.run(name)
            http("GET", f"{world.store}/_admin/held?atLeast=1&waitSeconds=30")
            yield {"scene": "start", "program": name, "policies": 1, "buckets": 1, "seconds": time.time() - program.began}
            http("DELETE", f"{world.store}/_admin/holds")


def warm_up(world):
    """The store's first requests take long: its code is compiled as it is used. These are not signed, and are refused."""
    for _ in range(20):
        try:
            http("GET", f"{world.store}/bench-0-0/?encryption")
        except OSError:
            pass


def sync(rounds):
    """The initial sync of 10 000 policies with their statuses. Ours is the benchmarks' own program, which calls the operator's library."""
    with World(10_000) as world:
        world.fill()
        ready = world.watch()
        program = world.run(OURS)
        ready(program)
        program.stop()
        common = {"policies": world.policies, "buckets": 1}
        peer = [world.peer, "sync", "-kubeconfig", world.kubeconfig, "-objects", world.policies]
        ours = [BENCHMARKS, "sync", "--kubeconfig", world.kubeconfig, "--policies", world.policies]
        for name in in_turn(rounds):
            for way in ("stream", "pages"):
                pages = way == "pages"
                command = [*(ours if name == OURS else peer), *["--pages"] * pages]
                environment = {**os.environ, **ROOTS, **({"KUBE_FEATURE_WatchListClient": "false"} if pages else {})}
                agent = AGENTS[PEER] if name == PEER else "benchmarks"
                world.kubernetes_requests(agent)
                done = subprocess.run([str(c) for c in command], env=environment, capture_output=True, text=True,
                                      timeout=300, check=True)
                found = {k: float(v) for k, v in re.findall(r"(\w+)=([\d.]+)", done.stdout)}
                yield {"scene": f"sync by {way}", "program": name, **common, **found,
                       "kubernetes": world.kubernetes_requests(agent)}


def latency(rounds):
    """A vendor that takes its time, and 32 workers."""
    for milliseconds in (20, 200):
        yield from job(f"vendor takes {milliseconds} ms", rounds, 1000, workers=32,
                       before=lambda w, ms=milliseconds: http("POST", f"{w.store}/_admin/faults", {"action": "latency", "latencyMs": ms}))


def default_rate(rounds):
    """A store with the default rate limit, 20 requests a second. The peer reads no bucket again that waited."""
    for _ in range(rounds):
        with World(500, rate={}) as world:
            world.fill()
            ready = world.watch()
            program = world.run(OURS)
            yield {"scene": "default rate", "program": OURS, "policies": 500, "buckets": 1,
                   **measured(world, program, ready(program) - program.began)}


def outage(rounds, fault=(("action", "reset"),), what="vendor back"):
    """The vendor resets every connection for a while. Measured from its return until all policies are Ready."""
    for name in in_turn(rounds):
        with World(1000) as world:
            world.fill()
            http("POST", f"{world.store}/_admin/faults", dict(fault))
            ready = world.watch()
            program = world.run(name)
            time.sleep(DOWN)
            back = time.time()
            http("DELETE", f"{world.store}/_admin/faults")
            yield {"scene": f"{what} after {DOWN} s", "program": name, "policies": 1000, "buckets": 1, **measured(world, program, ready(program) - back)}


def faults(rounds):
    """The vendor answers, and with nothing but 503."""
    fault = {"action": "error", "status": 503, "code": "ServiceUnavailable"}
    yield from outage(rounds, fault.items(), "vendor back from 503")


def change(rounds):
    """Another key for all policies at once."""
    for name in in_turn(rounds):
        with World(1000) as world:
            world.fill()
            ready = world.watch()
            program = world.run(name)
            ready(program)
            time.sleep(REST)
            world.vendor_requests(), world.kubernetes_requests(AGENTS[name])
            cpu, ready, began = program.cpu(), world.watch(generation=2), time.time()
            world.change(1000, "example-other-key-id")
            run = measured(world, program, ready(program) - began)
            yield {"scene": "all specs change", "program": name, "policies": 1000, "buckets": 1, **run, "cpuSeconds": run["cpuSeconds"] - cpu}


def steady(rounds, minutes=10, name=OURS):
    """10 000 policies that are all Ready: what a process costs that has nothing to change. One line a minute; rounds are not needed."""
    with World(10_000) as world:
        world.fill()
        ready = world.watch()
        program = world.run(name)
        ready(program)
        time.sleep(SETTLING)
        world.vendor_requests(), world.kubernetes_requests(AGENTS[name])
        for minute in range(1, minutes + 1):
            cpu = program.cpu()
            time.sleep(60)
            yield {"scene": "settled", "program": name, "policies": 10_000, "buckets": 1, "minute": minute, "millicores": (program.cpu() - cpu) / 60 * 1000,
                   **program.memory(), "vendor": world.vendor_requests(),
                   "kubernetes": world.kubernetes_requests(AGENTS[name])}


def peer_steady(rounds):
    yield from steady(rounds, name=PEER)


def hour(rounds):
    yield from steady(rounds, minutes=60)


def failover(rounds):
    """Two replicas and 10 000 policies. The leader is asked to stop, and a policy changes; measured until the other one writes to the store."""
    with World(10_000) as world:
        world.fill()
        ready = world.watch()
        leader = world.run(OURS)
        ready(leader)
        for i in range(rounds):
            standby = world.run(OURS)
            until(lambda p=standby: p.log.read_text(encoding="utf-8").count("All watched kinds are in memory") >= 2, 60, "the standby's caches")
            time.sleep(SETTLING / 3)
            waiting = standby.memory()
            http("DELETE", f"{world.store}/_admin/counters")
            asked = time.time()
            leader.process.terminate()
            leader.process.wait(60)
            ended = time.time()
            world.change(1, f"other-kms-{i}")
            written = until(lambda: [w for w in json.loads(http("GET", f"{world.store}/_admin/counters"))["writes"] if w["accepted"]], 60, "a write")
            yield {"scene": "failover", "program": OURS, "policies": 10_000, "buckets": 1, "seconds": time.time() - ended,
                   "sinceAsked": time.time() - asked, "writes": len(written), **waiting}
            leader = standby


def shards(rounds):
    """Two installations on one server: each with half of the namespaces, and a lease of its own. Beside it, one installation with all of them."""
    for split in (False, True) * rounds:
        with World(10_000, namespaces=("bench", "bench-b")) as world:
            world.fill()
            ready = world.watch()
            groups = [[n] for n in world.namespaces] if split else [list(world.namespaces)]
            programs = [world.run(OURS, "--watch-namespaces", ",".join(g), "--lease-name", f"operator-{g[0]}") for g in groups]
            seconds = ready(*programs) - programs[0].began
            time.sleep(REST)
            yield {"scene": f"{len(programs)} installation{'s' * split}", "program": OURS, "policies": 10_000, "buckets": 1, "seconds": seconds,
                   "cpuSeconds": sum(p.cpu() for p in programs), "rssMiB": max(p.memory()["rssMiB"] for p in programs),
                   "vendor": world.vendor_requests(), "kubernetes": world.kubernetes_requests(AGENTS[OURS])}


def selector(rounds):
    """One policy that selects 999 buckets, every 30 seconds; then the 1000th."""
    interval, run = 30, {"scene": "selector", "program": OURS, "policies": 1, "buckets": 999}
    with World(999) as world:
        world.policies = 1
        world.apply({"apiVersion": "bucketencryption.io/v1alpha1", "kind": "BucketEncryptionPolicy", "metadata": {"namespace": "bench", "name": "account"},
                     "spec": {"storeRef": {"name": "bench"}, "bucketSelector": {"matchNames": ["bench-*"], "maxWrites": 1000}, "mode": "Enforce",
                              "resyncInterval": f"{interval}s", "encryption": {"algorithm": "AES256"}}})
        ready = world.watch()
        program = world.run(OURS)
        seconds = ready(program) - program.began
        yield {**run, "part": "first pass", "seconds": seconds, "cpuSeconds": program.cpu(), **program.memory(), "vendor": world.vendor_requests()}
        time.sleep(interval)
        cpu, _ = program.cpu(), world.vendor_requests()
        time.sleep(3 * interval)
        yield {**run, "part": "three intervals", "cpuSeconds": program.cpu() - cpu, **program.memory(), "vendor": world.vendor_requests()}
        http("PUT", f"{world.store}/_admin/buckets/bench-new", {"region": "cn-hangzhou"})
        began = time.time()
        until(lambda: is_encrypted(world, "bench-new"), 3 * interval, "the new bucket's encryption")
        yield {**run, "part": "a new bucket", "seconds": time.time() - began}


def is_encrypted(world, bucket):
    try:
        return http("GET", f"{world.store}/_admin/buckets/{bucket}/encryption")
    except OSError:
        return False


SCENES = {f.__name__.replace("_", "-"): f for f in (
    start, small, buckets, large, sync, growth, latency, default_rate, outage, faults, change, one, steady, peer_steady,
    hour, failover, shards, selector)}
EVERYDAY = ("start", "small", "buckets", "large", "sync")
__all__ = ["EVERYDAY", "SCENES", "Failed"]
