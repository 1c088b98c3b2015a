#!/usr/bin/env python3
"""Runs the kube-apiserver and etcd of a KUBEBUILDER_ASSETS directory. Called by serve.sh, whose contract this keeps.

usage: envtest.py ASSETS DATA_DIR PARENT_PID [flags]    (PARENT_PID 0: outlive the parent)

This process becomes the kube-apiserver. etcd and the announcer (which writes DATA_DIR/ready) are its children and get
SIGKILL from the kernel when it ends, however it ends.
"""
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

# The server's requests to itself would bury what a test looks for.
AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    users: ['system:apiserver']
  - level: Metadata
"""
SERVER_NAMES = "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:10.0.0.1"
WITH_THIS_PROCESS = ["setpriv", "--pdeathsig", "KILL", "--"]
START_SECONDS = 120


def fail(message):
    sys.exit(f"envtest.py: {message}")


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]  # all at once, so that they differ
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def write_whole(path, text):
    with open(path + ".new", "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(text)
    os.replace(path + ".new", path)


def take_option(flags, name):
    """Removes --name VALUE or --name=VALUE from flags and returns the last value."""
    value, rest = None, []
    pending = False
    for flag in flags:
        if pending:
            value, pending = flag, False
        elif flag == f"--{name}":
            pending = True
        elif flag.startswith(f"--{name}="):
            value = flag.split("=", 1)[1]
        else:
            rest.append(flag)
    return value, rest


def make_pki(pki):
    """A CA, the server's and the administrator's certificates, and the key that signs service account tokens; made once, whole."""
    if os.path.isdir(pki):
        return
    new = pki + ".new"
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(new, 0o700)

    def openssl(*args):
        done = subprocess.run(["openssl", *args], cwd=new, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"openssl {args[0]}: {done.stderr}")

    def certificate(name, subject, usage, *extensions):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        with open(f"{new}/{name}.ext", "w") as f:
            f.write("\n".join([f"extendedKeyUsage={usage}", *extensions]) + "\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650",
                "-extfile", f"{name}.ext", "-out", f"{name}.crt")

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=test-ca", "-keyout", "ca.key", "-out", "ca.crt")
    certificate("server", "/CN=kube-apiserver", "serverAuth", f"subjectAltName={SERVER_NAMES}")
    certificate("admin", "/O=system:masters/CN=admin", "clientAuth")
    openssl("genrsa", "-out", "service-accounts.key", "2048")
    openssl("rsa", "-in", "service-accounts.key", "-pubout", "-out", "service-accounts.pub")
    os.rename(new, pki)


def write_kubeconfig(path, pki, url):
    import base64

    def data(name):
        with open(f"{pki}/{name}", "rb") as f:
            return base64.b64encode(f.read()).decode()

    write_whole(path, f"""\
apiVersion: v1
kind: Config
current-context: test
clusters: [{{name: test, cluster: {{server: "{url}", certificate-authority-data: {data("ca.crt")}}}}}]
users: [{{name: admin, user: {{client-certificate-data: {data("admin.crt")}, client-key-data: {data("admin.key")}}}}}]
contexts: [{{name: test, context: {{cluster: test, user: admin, namespace: default}}}}]
""")


def start_etcd(assets, data):
    """etcd on two free ports; another program may take one of them before etcd does, hence the attempts."""
    for _ in range(5):
        client, peer = free_ports(2)
        with open(f"{data}/etcd.log", "ab") as log:
            etcd = subprocess.Popen([*WITH_THIS_PROCESS, f"{assets}/etcd", "--data-dir", f"{data}/etcd", "--unsafe-no-fsync", "--log-level", "error",
                                     "--listen-client-urls", f"http://127.0.0.1:{client}", "--advertise-client-urls", f"http://127.0.0.1:{client}",
                                     "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
                                     "--initial-cluster", f"default=http://127.0.0.1:{peer}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(3000):
            if etcd.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", client)) == 0:
                    return f"http://127.0.0.1:{client}"
            time.sleep(0.01)
        etcd.kill()
        etcd.wait()
    fail(f"etcd does not start; see {data}/etcd.log")


def announce(data, url, server, parent):
    """Writes DATA_DIR/ready when the server is; then, if asked to, ends the server when its parent has ended."""
    trust = ssl.create_default_context(cafile=f"{data}/pki/ca.crt")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with direct.open(url + "/readyz", timeout=5):
                break
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                fail(f"not ready after {START_SECONDS} s")
            time.sleep(0.05)
    write_whole(f"{data}/ready", url + "\n")
    print(f"ready {url} kubeconfig={data}/admin.kubeconfig (envtest)", file=sys.stderr, flush=True)
    while parent != 0:
        if not os.path.exists(f"/proc/{parent}"):
            os.kill(server, 15)
            return
        time.sleep(0.5)


def main():
    if sys.argv[1] == "--announce":
        announce(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
        return
    assets, data, parent, flags = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
    for needed in (f"{assets}/kube-apiserver", f"{assets}/etcd"):
        if not os.access(needed, os.X_OK):
            fail(f"KUBEBUILDER_ASSETS is set, but there is no {needed}")
    for tool in ("openssl", "setpriv"):
        if not shutil.which(tool):
            fail(f"needs {tool}")
    port, flags = take_option(flags, "secure-port")
    if port in (None, "0"):
        port = str(free_ports(1)[0])
    audit_log, flags = take_option(flags, "audit-log-path")
    url, pki = f"https://127.0.0.1:{port}", f"{data}/pki"
    make_pki(pki)
    write_kubeconfig(f"{data}/admin.kubeconfig", pki, url)
    if audit_log:
        write_whole(f"{data}/audit-policy.yaml", AUDIT_POLICY)
        flags += ["--audit-policy-file", f"{data}/audit-policy.yaml", "--audit-log-path", audit_log]
    etcd = start_etcd(assets, data)
    subprocess.Popen([*WITH_THIS_PROCESS, sys.executable, __file__, "--announce", data, url, str(os.getpid()), parent], stdin=subprocess.DEVNULL)
    server = [
        f"{assets}/kube-apiserver",
        "--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--secure-port", port,
        # A loopback address is not allowed in the endpoints of the service `kubernetes`: leave them alone.
        "--advertise-address", "127.0.0.1", "--endpoint-reconciler-type", "none", "--service-cluster-ip-range", "10.0.0.0/24",
        "--cert-dir", pki, "--tls-cert-file", f"{pki}/server.crt", "--tls-private-key-file", f"{pki}/server.key", "--client-ca-file", f"{pki}/ca.crt",
        "--service-account-issuer", "https://kubernetes.default.svc.cluster.local",
        "--service-account-key-file", f"{pki}/service-accounts.pub", "--service-account-signing-key-file", f"{pki}/service-accounts.key",
        # Nothing here makes the default service accounts that this plugin would ask for.
        "--disable-admission-plugins", "ServiceAccount", "--authorization-mode", "RBAC", "--allow-privileged=true", *flags]
    os.execv(server[0], server)


if __name__ == "__main__":
    main()
