#!/usr/bin/env python3
"""A real Prometheus scrapes the operator under faults: every alert of the chart fires for its fault and clears after, and every panel of the dashboard has something to show.

observe.py KUBECTL, with what `make build` has built; observe.sh starts it. The operator, the simulated store, the API server and Prometheus are processes of this run, on loopback,
and end with it. The rules are the chart's, with time sixty times as fast: 10m is 10s. The last line is "observe: N passed, N failed".
"""
import json
import math
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import yaml

import picture

OPERATOR = os.environ["OPERATOR"]
SIMULATOR = "tests/ObjectStoreSimulator/bin/Release/net10.0/object-store-simulator"
CHART = pathlib.Path("charts/bucket-encryption-operator/files")
NAMESPACE = "observe"
PATIENCE = 150  # seconds for an alert to fire, or to clear: a rejected key is probed once a minute
SHORTEST_RANGE = 30  # seconds: what comes less often than every few seconds must still be seen
kubectl_path = sys.argv[1]
work = pathlib.Path(tempfile.mkdtemp(prefix="bucket-encryption-observe."))
began = time.time()
passed, failed, TESTED = [], [], set()
CHROMIUM = os.environ["CHROMIUM"]


def say(text):
    print(f"[{time.time() - began:4.0f} s] {text}", flush=True)


def check(sentence, ok, detail=""):
    (passed if ok else failed).append(sentence)
    say(f"{'ok' if ok else 'FAILED'}: {sentence}{'' if ok else f' {detail}'}")


def until(condition, patience=PATIENCE):
    end = time.time() + patience
    while time.time() < end:
        if condition():
            return True
        time.sleep(0.5)
    return False


class Processes:
    """Those that this run has started, ended by their ids."""

    def __init__(self):
        self.all = []

    def start(self, name, *command, **environment):
        with open(work / f"{name}.log", "w", encoding="utf-8") as log:
            self.all.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env={**os.environ, **environment}))

    def end(self):
        for process in reversed(self.all):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def http(method, url, body=None):
    data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method), timeout=30) as answer:
        return answer.read().decode()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def kubectl(*words, text=None, may_fail=False):
    run = subprocess.run([kubectl_path, *words], input=text, capture_output=True, text=True, check=False, env={**os.environ, "KUBECONFIG": str(work / "api/admin.kubeconfig")})
    if run.returncode != 0 and not may_fail:
        raise RuntimeError(f"kubectl {words}: {run.stderr}")
    return run.stdout


def apply(*objects):
    kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def policy(name, *buckets, **spec):
    return {
        "apiVersion": "bucketencryption.io/v1alpha1", "kind": "BucketEncryptionPolicy", "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"storeRef": {"name": "hangzhou"}, "buckets": [{"name": b} for b in buckets], "encryption": {"algorithm": "KMS"}, "resyncInterval": "1s", **spec},
    }


def selecting(name):
    """A policy that selects buckets by a tag, and writes nothing."""
    selects = policy(name, mode="Audit", bucketSelector={"matchNames": ["many-*"], "matchTags": {"team": "finance"}})
    del selects["spec"]["buckets"]
    return selects


def faster(match):
    seconds = int(match[2]) * {"m": 1, "h": 60}[match[3]]
    return f"{match[1]}{max(seconds, SHORTEST_RANGE) if match[1] == '[' else seconds}s"


def rules():
    """The groups of the chart's alerts, of those too that are off by default."""
    files = ("rules.yaml", "rules-uncovered.yaml")
    return {"groups": [group for file in files for group in yaml.safe_load((CHART / file).read_text(encoding="utf-8"))["groups"]]}


def scaled_rules():
    scaled = rules()
    alerts = [rule for group in scaled["groups"] for rule in group["rules"]]
    for rule in alerts:
        rule["expr"] = re.sub(r"> 7200$", "> 20", re.sub(r"(\[)(\d+)([mh])", faster, rule["expr"]))
        rule["for"] = re.sub(r"()(\d+)([mh])", faster, rule["for"])
    (work / "rules.yaml").write_text(yaml.safe_dump(scaled), encoding="utf-8")
    return alerts


class Prometheus:
    def __init__(self, url):
        self.url = url

    def query(self, expression, **more):
        kind = "query_range" if more else "query"
        return json.loads(http("GET", f"{self.url}/api/v1/{kind}?" + urllib.parse.urlencode({"query": expression, **more})))["data"]["result"]

    def fires(self, alert):
        return bool(self.query(f'ALERTS{{alertname="BucketEncryption{alert}", alertstate="firing"}}'))

    def fires_and_clears(self, alert, fault, mend):
        fault()
        TESTED.add(alert)
        fired = until(lambda: self.fires(alert))
        check(f"{alert} fires", fired, self.query(next(r["expr"] for r in RULES if r["alert"].endswith(alert))))
        mend()
        check(f"{alert} clears", fired and until(lambda: not self.fires(alert)))


def promtool(sentence, *words):
    run = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    check(sentence, run.returncode == 0, run.stdout + run.stderr)


def static_checks():
    promtool("promtool check rules", "check", "rules", str(CHART / "rules.yaml"), str(CHART / "rules-uncovered.yaml"))
    bare = rules()
    for rule in (rule for group in bare["groups"] for rule in group["rules"]):
        del rule["annotations"]  # texts, which the expected alerts need not repeat
    (work / "test").mkdir()
    (work / "test/rules.yaml").write_text(yaml.safe_dump(bare), encoding="utf-8")
    (work / "test/rules_test.yaml").write_text(pathlib.Path("tests/observe/rules_test.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    promtool("promtool test rules", "test", "rules", str(work / "test/rules_test.yaml"))


def start(processes):
    """API server, store and operator (which older CRDs and somebody else's lease keep from working), and Prometheus."""
    processes.start("api-server", "tests/apiserver/serve.sh", str(work / "api"), "--exit-with-parent")
    processes.start("store", SIMULATOR, "--ready-file", str(work / "store.url"))
    assert until(lambda: (work / "api/ready").exists() and (work / "store.url").exists(), 60)
    store = (work / "store.url").read_text(encoding="utf-8").strip()
    kubectl("create", "namespace", NAMESPACE)
    install_crds(older=True)
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    apply({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "beo", "namespace": NAMESPACE},
           "spec": {"holderIdentity": "somebody", "leaseDurationSeconds": 3600, "acquireTime": now, "renewTime": now, "leaseTransitions": 0}})
    own, theirs = free_port(), free_port()
    processes.start("operator", OPERATOR, "run", "--kubeconfig", str(work / "api/admin.kubeconfig"), "--allowed-endpoints", store, "--http-address", f"127.0.0.1:{own}", "--workers", "2",
                    "--metrics-per-bucket", "--leader-elect", "--lease-namespace", NAMESPACE, "--lease-name", "beo", "--vendor-timeout", "5")
    (work / "prometheus.yaml").write_text(yaml.safe_dump({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(work / "rules.yaml")],
        "scrape_configs": [{"job_name": "beo", "static_configs": [{"targets": [f"127.0.0.1:{own}"]}]}],
    }), encoding="utf-8")
    processes.start("prometheus", "prometheus", f"--config.file={work}/prometheus.yaml", f"--storage.tsdb.path={work}/tsdb", f"--web.listen-address=127.0.0.1:{theirs}")
    prometheus = Prometheus(f"http://127.0.0.1:{theirs}")

    def scraped():
        try:
            return bool(prometheus.query("bucketencryption_build_info"))
        except OSError:
            return False

    assert until(scraped, 60)
    return store, f"http://127.0.0.1:{own}/metrics", prometheus


def install_crds(older):
    """The project's, but that a policy may be looked at each second; older ones do not know spec.suspend yet."""
    policies = yaml.safe_load(pathlib.Path("crds/bucketencryptionpolicies.yaml").read_text(encoding="utf-8").replace("duration('30s')", "duration('1s')"))
    if older:
        del policies["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["suspend"]
    apply(policies)
    kubectl("apply", "-f", "crds/bucketstores.yaml", "-f", "crds/clusterbucketstores.yaml")
    kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")


def install(store):
    install_crds(older=False)
    http("PUT", f"{store}/_admin/accounts/ak", {"secret": "example-secret"})
    for bucket in ["good", "audited", "contested", "lagging", "denied", *(f"many-{i}" for i in range(20)), *(f"slow-{i}" for i in range(90))]:
        http("PUT", f"{store}/_admin/buckets/{bucket}", {"region": "cn-hangzhou"})
    apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "oss-keys", "namespace": NAMESPACE}, "stringData": {"accessKeyId": "ak", "accessKeySecret": "example-secret"}},
          {"apiVersion": "bucketencryption.io/v1alpha1", "kind": "BucketStore", "metadata": {"name": "hangzhou", "namespace": NAMESPACE},
           "spec": {"vendor": "AlibabaOSS", "region": "cn-hangzhou", "endpoint": store, "kmsEndpoint": store, "credentials": {"secretRef": {"name": "oss-keys"}}}},
          policy("good", "good"))


def remove(*names):
    kubectl("-n", NAMESPACE, "delete", "bep", "--ignore-not-found", *names)


class Opponent:
    """Somebody who removes a bucket's encryption each time that it is there."""

    def __init__(self, store, bucket):
        self.url, self.over = f"{store}/_admin/buckets/{bucket}/encryption", threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def work(self):
        while not self.over.wait(0.5):
            http("DELETE", self.url)

    def stop(self):
        self.over.set()
        self.thread.join()


def faults(store, prometheus):
    def add(**fault):
        http("POST", f"{store}/_admin/faults", fault)

    def none():
        http("DELETE", f"{store}/_admin/faults")
        kubectl("-n", NAMESPACE, "annotate", "bep", "--all", "--overwrite", f"reconcile.fluxcd.io/requestedAt={time.time()}")

    prometheus.fires_and_clears("CRDsOutdated", lambda: None, lambda: install(store))
    prometheus.fires_and_clears("NoLeader", lambda: None, lambda: kubectl("-n", NAMESPACE, "patch", "lease", "beo", "--type=merge", "-p", '{"spec": {"holderIdentity": "", "leaseDurationSeconds": 1}}'))
    check("the first policy is Ready", until(lambda: "True" in kubectl("-n", NAMESPACE, "get", "bep", "good", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}")))

    prometheus.fires_and_clears("DriftNotCorrected", lambda: apply(policy("audited", "audited", mode="Audit")), lambda: remove("audited"))
    opponent = Opponent(store, "contested")
    prometheus.fires_and_clears("Contested", lambda: (apply(policy("contested", "contested")), opponent.thread.start()), lambda: (opponent.stop(), remove("contested")))
    http("PUT", f"{store}/_admin/buckets/lagging", {"region": "cn-hangzhou", "readLagMs": 3_600_000})
    prometheus.fires_and_clears("FuseBlown", lambda: apply(policy("lagging", "lagging")), lambda: remove("lagging"))
    prometheus.fires_and_clears("Throttled", lambda: (add(action="error", status=503, code="MetaOperationQpsLimitExceeded", abovePerSecond=1), apply(policy("many", *(f"many-{i}" for i in range(20))))),
                                lambda: (none(), remove("many")))
    prometheus.fires_and_clears("BucketsUncovered", lambda: (http("POST", f"{store}/_admin/deny", {"operations": ["GetBucketTagging"], "status": 403, "code": "AccessDenied"}), apply(selecting("account"))),
                                lambda: http("DELETE", f"{store}/_admin/deny"))
    remove("account")
    prometheus.fires_and_clears("NotReconciling", lambda: add(action="error", status=500, code="InternalError"), none)
    prometheus.fires_and_clears("EvidenceStale", lambda: add(action="reset", operations=["GetBucketEncryption"]), none)

    def kms_key(state):
        http("PUT", f"{store}/_admin/kms/finance-key", {"state": state})
        apply(policy("keyed", "good", mode="Audit", encryption={"algorithm": "KMS", "kmsKey": {"id": "finance-key"}}))
        kubectl("-n", NAMESPACE, "annotate", "bep", "keyed", "--overwrite", f"reconcile.fluxcd.io/requestedAt={time.time()}")

    prometheus.fires_and_clears("KmsKeyUnusable", lambda: kms_key("Disabled"), lambda: kms_key("Enabled"))
    remove("keyed")

    def pile_up():
        add(action="latency", latencyMs=4000)
        for i in range(0, 90, 2):
            apply(policy(f"slow-{i}", f"slow-{i}", resyncInterval="1h"), policy(f"slow-{i + 1}", f"slow-{i + 1}", resyncInterval="1h"))
            if prometheus.fires("QueueGrowing"):
                return

    prometheus.fires_and_clears("QueueGrowing", pile_up, lambda: (none(), remove(*(f"slow-{i}" for i in range(90)))))
    prometheus.fires_and_clears("KeysRejected", lambda: http("PUT", f"{store}/_admin/accounts/ak", {"secret": "another"}), lambda: http("PUT", f"{store}/_admin/accounts/ak", {"secret": "example-secret"}))


def something_to_show(store, prometheus):
    """What the numbers and the table of the picture show: drift, a missing bucket, one that may not be read, a dead key, a selector."""
    http("POST", f"{store}/_admin/deny", {"bucket": "denied", "operations": ["GetBucketEncryption"], "status": 403, "code": "AccessDenied"})
    http("POST", f"{store}/_admin/deny", {"bucket": "many-19", "operations": ["GetBucketTagging"], "status": 403, "code": "AccessDenied"})
    for i in range(3):
        http("PUT", f"{store}/_admin/buckets/many-{i}/tags", {"team": "finance"})
    http("PUT", f"{store}/_admin/kms/finance-key", {"state": "PendingDeletion"})
    apply(policy("archive", *(f"slow-{i}" for i in range(40))), policy("audited", "audited", mode="Audit"), policy("payroll", "payroll-2025", "denied"), selecting("account"),
          policy("keyed", "good", mode="Audit", encryption={"algorithm": "KMS", "kmsKey": {"id": "finance-key"}}))
    shown = [("Drifted", 'bucketencryption_buckets{state="Drifted"} > 0'), ("Failed", 'bucketencryption_buckets{state="Failed"} > 1'), ("KMS", 'bucketencryption_kms_key_policies{usable="False"} > 0'),
             ("Uncovered", 'bucketencryption_account_buckets{coverage="notCovered"} > 0'), ("InSync", 'bucketencryption_buckets{state="InSync"} > 40')]
    check("there is something to show", until(lambda: all(prometheus.query(e) for _, e in shown)), [n for n, e in shown if not prometheus.query(e)])
    time.sleep(SHORTEST_RANGE)  # as much of it as a graph can show


def spans(times):
    """Begin and end of each stretch of times that are a second apart."""
    found = []
    for at in times:
        if found and at - found[-1][1] <= 2:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return found


def panels(prometheus):
    """Over the whole run: what a panel shows must have been there at some time, and every metric that it asks for is on docs/metrics.md. The picture of it is artifacts/dashboard.png."""
    dashboard, drawn, end = json.loads((CHART / "dashboard.json").read_text(encoding="utf-8")), [], time.time()

    def answer(expression, instant=False, step=5):
        expression = re.sub(r'=~"\$\w+"', '=~".*"', expression).replace("$__rate_interval", "30s")
        return prometheus.query(expression) if instant else prometheus.query(expression, start=began, end=end, step=step)

    for panel in dashboard["panels"]:
        series = []
        for target in panel.get("targets", []):
            found = answer(target["expr"], target.get("instant"))
            if panel["type"] == "table":
                series += sorted((s["metric"] for s in found), key=lambda m: (m["state"], m["bucket"]), reverse=True)
            else:
                series += [(picture.legend(target["legendFormat"], s["metric"]), [(t, float(v)) for t, v in s["values"] if math.isfinite(float(v))]) for s in found]
            there = bool(found) and (panel["type"] == "table" or any(math.isfinite(float(v)) for s in found for _, v in s["values"]))
            check(f"panel \"{panel['title']}\" has something to show ({target['legendFormat']})", there, target["expr"])
        if panel["type"] != "row":
            check(f"panel \"{panel['title']}\" says what it is", bool(panel["description"]))
        drawn.append((panel, series))
    alerts = [(s["metric"]["alertname"], *span) for s in answer(dashboard["annotations"]["list"][0]["expr"], step=1) for span in spans(float(at) for at, _ in s["values"])]
    check("the annotations show the alerts of the run", {a for a, _, _ in alerts} >= {f"BucketEncryption{a}" for a in TESTED})
    artifacts = pathlib.Path("artifacts")
    artifacts.mkdir(exist_ok=True)
    (artifacts / "dashboard.svg").write_text(picture.draw(drawn, began, end, alerts), encoding="utf-8")
    width, height = re.search(r'width="(\d+)" height="(\d+)"', (artifacts / "dashboard.svg").read_text(encoding="utf-8")).groups()
    subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={width},{height}", f"--screenshot={artifacts}/dashboard.png",
                    (artifacts / "dashboard.svg").resolve().as_uri()], check=True, capture_output=True, timeout=60)


def main():
    static_checks()
    processes = Processes()
    try:
        store, metrics, prometheus = start(processes)
        faults(store, prometheus)
        something_to_show(store, prometheus)
        text = http("GET", metrics)
        run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        page = pathlib.Path("docs/metrics.md").read_text(encoding="utf-8")
        check("the page of metrics has the operator's, and no others", set(re.findall(r"^# TYPE (bucketencryption_\w+)", text, re.M)) == set(re.findall(r"bucketencryption_\w+", page)),
              set(re.findall(r"^# TYPE (bucketencryption_\w+)", text, re.M)) ^ set(re.findall(r"bucketencryption_\w+", page)))
        check("promtool check metrics", run.returncode == 0, run.stdout + run.stderr)
        panels(prometheus)
        remove("archive", "audited", "payroll", "account", "keyed")
        check("each alert was made to fire", TESTED == {rule["alert"].removeprefix("BucketEncryption") for rule in RULES}, TESTED)
        check("nothing is left that fires", until(lambda: not prometheus.query('ALERTS{alertstate="firing"}')), prometheus.query('ALERTS{alertstate="firing"}'))
    finally:
        processes.end()
        if failed:
            say(f"logs are in {work}")
        else:
            subprocess.run(["rm", "-rf", str(work)], check=True)
    print(f"observe: {len(passed)} passed, {len(failed)} failed")
    return 1 if failed else 0


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
RULES = scaled_rules()
if __name__ == "__main__":
    sys.exit(main())
