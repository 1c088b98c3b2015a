"""What a scene is made of: a new API server with an audit log, a simulated store, policies, and the programs that are measured. Loopback only."""
import collections
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIMULATOR = ROOT / "tests/ObjectStoreSimulator/bin/Release/net10.0/object-store-simulator"
BENCHMARKS = os.environ["BENCHMARKS"]  # bench.sh has compiled it
OURS, PEER = "ours", "client-go"
AGENTS = {OURS: "bucket-encryption-operator", PEER: "peer-client-go"}  # what their User-Agent begins with
PATIENCE = 60  # seconds for a start or a stop
LONGEST = 1800  # seconds until all policies are Ready
FASTEST = {"requestsPerSecond": 1000, "burst": 1000, "maxConcurrency": 64}  # the most that a store may declare
TICKS = os.sysconf("SC_CLK_TCK")
# The root certificates as an image has them: one file. Debian's folder has each of them twice more, and .NET reads
# all of it.
ROOTS = {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt", "SSL_CERT_DIR": "/nonexistent"}


class Failed(Exception):
    """The bench cannot say anything about this run."""


def http(method, url, body=None):
    request = urllib.request.Request(url, method=method, data=None if body is None else json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.read().decode()


def until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)
    return value


class Process:
    def __init__(self, command, log, **environment):
        self.log = pathlib.Path(log)
        self.began = time.time()
        with open(log, "wb") as out:
            self.process = subprocess.Popen([str(c) for c in command], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **environment})
        self.pid = self.process.pid

    def is_alive(self):
        return self.process.poll() is None

    def stop(self):
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Program(Process):
    """One of the programs that are measured, as it works."""

    def __init__(self, name, command, log):
        super().__init__(command, log, **ROOTS)
        self.name = name
        self.allocated = None

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        status = dict(re.findall(r"(\w+):\s+(\d+) kB", pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")))
        mib = {name: int(status[name]) / 1024 for name in ("VmRSS", "RssAnon", "RssShmem", "VmHWM")}
        return {"rssMiB": mib["VmRSS"], "privateMiB": mib["RssAnon"] + mib["RssShmem"], "peakMiB": mib["VmHWM"]}

    def stop(self):
        """Ends it, and notes what it has allocated: ours says so in its metrics, the peer in its last line."""
        if not self.is_alive():
            return
        found = None
        if self.name == OURS:
            port = re.search(r"Probes at http://127.0.0.1:(\d+)", self.log.read_text(encoding="utf-8"))
            metrics = http("GET", f"http://127.0.0.1:{port.group(1)}/metrics") if port else ""
            found = re.search(r"^dotnet_gc_heap_total_allocated_bytes_total(?:\{.*\})? (\S+)", metrics, re.MULTILINE)
        super().stop()
        if self.name == PEER:
            found = re.search(r'"allocated":(\d+)', self.log.read_text(encoding="utf-8")[-2000:])
        self.allocated = float(found.group(1)) / 2**20 if found else None


class World:
    """A new API server, and a new store with all buckets. A context manager: everything ends with it."""

    kubectl = operator = peer = None  # paths, which bench.py sets

    def __init__(self, policies, buckets=1, workers=4, namespaces=("bench",), rate=FASTEST):
        self.policies, self.buckets, self.workers = policies, buckets, workers
        self.namespaces, self.rate = namespaces, rate
        self.folder = tempfile.TemporaryDirectory(prefix="bucket-encryption-bench.")
        self.work = pathlib.Path(self.folder.name)
        self.processes = []
        self.counted = collections.defaultdict(collections.Counter)

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.stop()
        self.folder.cleanup()

    def start(self, process):
        self.processes.append(process)
        return process

    def _start(self):
        names = [f"bench-{i}-{j}" for i in range(self.policies) for j in range(self.buckets)]
        account = {"accessKeyId": "example-key-id", "secret": "signs-for-all-of-it",
                   "enabled": True, "kmsEnabled": True}
        (self.work / "seed.json").write_text(json.dumps({"accounts": [account], "buckets": [{"name": n, "region": "cn-hangzhou"} for n in names]}), encoding="utf-8")
        # Its garbage collector lists all objects twice a second, which takes a whole core where there are 10 000
        server = self.start(Process(
            ["tests/apiserver/serve.sh", self.work / "api", "--audit-log-path", self.work / "audit.log", "--exit-with-parent", "--gc-controller=false"],
            self.work / "api.log"))
        store = self.start(Process([SIMULATOR, "--ready-file", self.work / "store.url", "--seed-file", self.work / "seed.json"], self.work / "store.log"))
        for process, file in ((server, "api/ready"), (store, "store.url")):
            until(lambda f=file, p=process: (self.work / f).exists() or not p.is_alive(), PATIENCE, file)
            if not process.is_alive():
                raise Failed(process.log.read_text(encoding="utf-8")[-2000:])
        self.store = (self.work / "store.url").read_text(encoding="utf-8").strip()
        self.kubeconfig = self.work / "api/admin.kubeconfig"
        self._kubectl("apply", "-f", "crds")
        self._kubectl("wait", "--for=condition=Established", f"--timeout={PATIENCE}s", "crd", "--all")
        # What is measured is a cluster that is at work: the kinds' document is served, and their storage is ready, which begins with the first request
        until(self._is_at_work, PATIENCE, "the kinds")
        for namespace in self.namespaces:
            self._kubectl("create", "namespace", namespace)
            self._kubectl("apply", "-n", namespace, "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": [
                {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "oss-keys"},
                 "stringData": {"accessKeyId": account["accessKeyId"], "accessKeySecret": account["secret"]}},
                {"apiVersion": "bucketencryption.io/v1alpha1", "kind": "BucketStore", "metadata": {"name": "bench"},
                 "spec": {"vendor": "AlibabaOSS", "region": "cn-hangzhou", "endpoint": self.store, "credentials": {"secretRef": {"name": "oss-keys"}},
                          "rateLimit": self.rate}}]}))

    def _is_at_work(self):
        try:
            self._kubectl("get", "bucketencryptionpolicies,bucketstores,clusterbucketstores", "--all-namespaces")
            return "bucketencryptionpolicies/{name}/status" in self._kubectl("get", "--raw", "/openapi/v3/apis/bucketencryption.io/v1alpha1")
        except Failed:
            return False

    def _kubectl(self, *arguments, text=None):
        done = subprocess.run([self.kubectl, "--kubeconfig", str(self.kubeconfig), *arguments], cwd=ROOT, input=text, capture_output=True, text=True, timeout=PATIENCE * 2,
                              env={**os.environ, "KUBECACHEDIR": str(self.work / "cache")})
        if done.returncode:
            raise Failed(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def apply(self, *objects):
        self._kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))

    def benchmarks(self, *arguments):
        done = subprocess.run([BENCHMARKS, arguments[0], "--kubeconfig", self.kubeconfig, *[str(a) for a in arguments[1:]]], capture_output=True, text=True, timeout=LONGEST, check=False)
        if done.returncode:
            raise Failed(f"benchmarks {arguments[0]}: {done.stdout} {done.stderr}")
        return done.stdout

    def fill(self):
        namespaces = [part for n in self.namespaces for part in ("--namespace", n)]
        self.benchmarks("fill", "--policies", self.policies, "--buckets", self.buckets, *namespaces)

    def change(self, policies, key):
        self.benchmarks("change", "--policies", policies, "--key", key)

    def run(self, name, *more):
        """Starts a program; `more` are arguments for ours."""
        if name == OURS:
            command = [self.operator, "run", "--kubeconfig", self.kubeconfig, "--allowed-endpoints", self.store, "--http-address", "127.0.0.1:0",
                       "--workers", self.workers, "--leader-elect", "--lease-namespace", self.namespaces[0], *more]
        else:
            command = [self.peer, "run", "-kubeconfig", self.kubeconfig, "-endpoint", self.store, "-workers", self.workers]
        return self.start(Program(name, command, self.work / f"{name}-{len(self.processes)}.log"))

    def watch(self, generation=1):
        """Begins to wait until all policies are Ready, and returns a function that returns when that was."""
        command = [BENCHMARKS, "ready", "--kubeconfig", self.kubeconfig, "--policies", self.policies, "--generation", generation]
        waiting = self.start(Process(command, self.work / f"ready-{len(self.processes)}.log"))
        lines = lambda: waiting.log.read_text(encoding="utf-8").splitlines()
        until(lambda: lines() or not waiting.is_alive(), PATIENCE, "the watch")

        def end(*programs):
            def is_over():
                for program in programs:
                    if not program.is_alive():
                        raise Failed(f"the program has ended: {program.log.read_text(encoding='utf-8')[-2000:]}")
                return not waiting.is_alive()

            until(is_over, LONGEST, "all policies to be Ready")
            if waiting.process.returncode:
                raise Failed("\n".join(lines()[-5:]))
            return float(lines()[-1])

        return end

    def vendor_requests(self):
        """Requests that the store has got since the last call, by operation."""
        sums = collections.Counter()
        for operations in json.loads(http("GET", f"{self.store}/_admin/counters"))["buckets"].values():
            for operation, tally in operations.items():
                sums[operation] += tally["received"]
        http("DELETE", f"{self.store}/_admin/counters")
        return sums

    def audited(self):
        for path in self.work.glob("audit*.log"):  # at 100 MB the server begins a new one
            with path.open(encoding="utf-8") as log:
                for line in log:
                    try:
                        yield json.loads(line)
                    except ValueError:  # the last line, half written
                        continue

    def kubernetes_requests(self, agent):
        """Requests of a User-Agent that the API server has got since the last call, by verb and resource."""
        sums = collections.Counter()
        for event in self.audited():
            if event["stage"] == "ResponseComplete" and event.get("userAgent", "").startswith(agent) and event["verb"] != "watch":
                where = event.get("objectRef", {})
                sums[" ".join(filter(None, (event["verb"], where.get("resource", event["requestURI"]), where.get("subresource"))))] += 1
        new = sums - self.counted[agent]
        self.counted[agent] = sums
        return new
