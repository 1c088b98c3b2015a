#!/usr/bin/env python3
"""What telemetry costs where everything is settled: 1000 buckets in 10 policies, each looked at every 30 s; three operators side by side, of which one is not asked, one is scraped
every 15 s, and one is scraped and sends metrics and traces by OTLP too. CPU over a minute, and memory at its end. cost.py KUBECTL, with what `make build` has built."""
import http.server
import json
import os
import pathlib
import threading
import time

import observe
from observe import NAMESPACE, OPERATOR, SIMULATOR, apply, free_port, http as request, kubectl, policy, until, work

POLICIES, BUCKETS, WARM, MEASURED, SCRAPE = 10, 100, 40, 60, 15  # the last three: seconds


class Sink(http.server.BaseHTTPRequestHandler):
    """Takes what OTLP sends, and forgets it."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Operator:
    def __init__(self, processes, store, name, scraped=False, sink=None):
        self.name, self.scraped, self.url = name, scraped, f"127.0.0.1:{free_port()}"
        more = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_METRIC_EXPORT_INTERVAL": str(SCRAPE * 1000)} if sink else {}
        processes.start(name.replace(" ", "-"), OPERATOR, "run", "--kubeconfig", str(work / "api/admin.kubeconfig"), "--allowed-endpoints", store, "--http-address", self.url, **more)
        self.pid = processes.all[-1].pid

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        return int(status.split("VmRSS:")[1].split()[0]) // 1024


def settled():
    return kubectl("-n", NAMESPACE, "get", "bep", "-o", "jsonpath={.items[*].status.summary.text}").split().count(f"{BUCKETS}/{BUCKETS}") == POLICIES


def pass_time(operators, seconds):
    end = time.time() + seconds
    while time.time() < end:
        for operator in operators:
            if operator.scraped:
                request("GET", f"http://{operator.url}/metrics")
        time.sleep(max(0, min(SCRAPE, end - time.time())))


def set_scene(processes):
    names = [[f"bench-{i}-{j}" for j in range(BUCKETS)] for i in range(POLICIES)]
    (work / "seed.json").write_text(json.dumps({
        "accounts": [{"accessKeyId": "ak", "secret": "example-secret", "enabled": True, "kmsEnabled": True}], "buckets": [{"name": n, "region": "cn-hangzhou"} for p in names for n in p],
    }), encoding="utf-8")
    processes.start("api-server", "tests/apiserver/serve.sh", str(work / "api"), "--exit-with-parent")
    processes.start("store", SIMULATOR, "--ready-file", str(work / "store.url"), "--seed-file", str(work / "seed.json"))
    assert until(lambda: (work / "api/ready").exists() and (work / "store.url").exists(), 60)
    store = (work / "store.url").read_text(encoding="utf-8").strip()
    kubectl("create", "namespace", NAMESPACE)
    observe.install_crds(older=False)
    apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "oss-keys", "namespace": NAMESPACE}, "stringData": {"accessKeyId": "ak", "accessKeySecret": "example-secret"}},
          {"apiVersion": "bucketencryption.io/v1alpha1", "kind": "BucketStore", "metadata": {"name": "hangzhou", "namespace": NAMESPACE},
           "spec": {"vendor": "AlibabaOSS", "region": "cn-hangzhou", "endpoint": store, "credentials": {"secretRef": {"name": "oss-keys"}},
                    "rateLimit": {"requestsPerSecond": 1000, "burst": 1000, "maxConcurrency": 64}}},
          *(policy(f"bench-{i}", *n, resyncInterval="30s") for i, n in enumerate(names)))
    return store


def main():
    processes = observe.Processes()
    sink = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    try:
        store = set_scene(processes)
        operators = [Operator(processes, store, "not asked")]
        assert until(settled), "never settled"
        operators += [Operator(processes, store, "scraped", scraped=True), Operator(processes, store, "scraped and OTLP", scraped=True, sink=f"http://127.0.0.1:{sink.server_port}")]
        pass_time(operators[:1], WARM / 2)
        pass_time(operators, WARM)
        before = [o.cpu() for o in operators]
        pass_time(operators, MEASURED)
        for operator, cpu in zip(operators, before):
            print(f"{operator.name}: {(operator.cpu() - cpu) / MEASURED * 100:.2f} % of a core, {operator.memory()} MiB resident", flush=True)
    finally:
        processes.end()


main()
