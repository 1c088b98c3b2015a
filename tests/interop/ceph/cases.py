"""What a real Ceph answers to the command and to the operator, and what they say about it: the cases of docs/vendors/s3.md, on one version.

    cases.py MAJOR PORT ROOT DATA OPERATOR KUBECTL RESULTS

MAJOR is 16, 18 or 20; gateways a and b of cluster.sh listen at PORT and PORT + 1; ROOT and DATA are its arguments. OPERATOR is the program,
whose `run` works on the cluster of $KUBECONFIG and allows both gateways. A line of RESULTS is: ok or FAILED, version, what was asked, what
Ceph answered, what we said, and what was expected where it is something else. Each expectation is of both answers: of Ceph's, so that the
page is right, and of ours.
"""

import concurrent.futures
import datetime
import hashlib
import hmac
import http.client
import json
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import xml.etree.ElementTree as xml

PATIENCE = 45  # seconds for the operator to say what is expected
REGION = "us-east-1"
XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/"


class User:
    def __init__(self, name, token=None, key=None, secret=None):
        self.name, self.token = name, token
        self.key = key or f"{name.upper()}-TEST-KEY"
        self.secret = secret or f"{name}-test-secret"


class Answer:
    """Status, body, and as text: the status with Ceph's code, or with the root of its document."""

    def __init__(self, status, body):
        self.status, self.body = status, body

    def field(self, name):
        return next((e.text or "" for e in self.elements() if e.tag.rpartition("}")[2] == name), None)

    def elements(self):
        try:
            return list(xml.fromstring(self.body).iter())
        except xml.ParseError:
            return []

    def __str__(self):
        root = next((e.tag.rpartition("}")[2] for e in self.elements()), "")
        return f"{self.status} {self.field('Code') if root == 'Error' else root}".strip()


class Gateway:
    def __init__(self, port):
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    def ask(self, user, method, path, query="", body=b"", headers=None, service="s3"):
        """One request, signed with version 4, as nobody but this test sends it."""
        body = body.encode() if isinstance(body, str) else body
        now = datetime.datetime.now(datetime.timezone.utc)
        day, stamp = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
        sent = {"host": f"127.0.0.1:{self.port}", "x-amz-date": stamp, "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
        sent.update({k.lower(): v for k, v in (headers or {}).items()})
        if user.token:
            sent["x-amz-security-token"] = user.token
        names = ";".join(sorted(sent))
        signed_query = query if "=" in query or not query else query + "="
        lines = [method, path, signed_query, *(f"{k}:{sent[k]}" for k in sorted(sent)), "", names, sent["x-amz-content-sha256"]]
        scope = f"{day}/{REGION}/{service}/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()])
        key = f"AWS4{user.secret}".encode()
        for part in (day, REGION, service, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        sent["authorization"] = f"AWS4-HMAC-SHA256 Credential={user.key}/{scope}, SignedHeaders={names}, Signature={signature}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path + (f"?{query}" if query else ""), body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode(errors="replace"))
        finally:
            connection.close()

    def bucket(self, user, name):
        answer = self.ask(user, "PUT", f"/{name}")
        assert answer.status == 200, f"bucket {name} cannot be made: {answer}"
        return name

    def has(self, user, name):
        return self.ask(user, "HEAD", f"/{name}").status == 200

    def put(self, user, bucket, rule):
        return self.ask(user, "PUT", f"/{bucket}", "encryption", document(rule))

    def upload(self, user, bucket):
        return self.ask(user, "PUT", f"/{bucket}/object", body="some text")


def document(rule):
    return f'<ServerSideEncryptionConfiguration xmlns="{XMLNS}">{rule}</ServerSideEncryptionConfiguration>'


def default(algorithm, key="", more=""):
    name = f"<KMSMasterKeyID>{key}</KMSMasterKeyID>" if key else ""
    return f"<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>{algorithm}</SSEAlgorithm>{name}</ApplyServerSideEncryptionByDefault>{more}</Rule>"


class Cases:
    def __init__(self, major, port, root, data, operator, kubectl, results):
        self.major, self.operator, self.kubectl_path = major, operator, kubectl
        self.root, self.data, self.results = root, data, open(results, "a", encoding="utf-8")
        self.a, self.b = Gateway(port), Gateway(port + 1)
        self.alice, self.bob, self.sam = User("alice"), User("bob"), User("sam")
        self.namespace = f"ceph-{major}"

    # ---- what is asked, and what is noted

    def note(self, asked, answered, said, want_answered, want_said):
        """The wants are regular expressions that the whole of an answer must match."""
        answered, said = str(answered), " ".join(said.split())
        wrong = [want for got, want in ((answered, want_answered), (said, want_said)) if not re.fullmatch(want, got)]
        cells = ["FAILED" if wrong else "ok", str(self.major), asked, answered, said, "; ".join(wrong)]
        print("\t".join(cells), file=self.results, flush=True)
        print(f"    {cells[0]:6} {asked}: {answered} | {said}" + (f" | expected: {cells[5]}" if wrong else ""), flush=True)

    def command(self, method, bucket, *options, user=None, gateway=None):
        """The command's exit code and JSON, in a few words."""
        user, gateway = user or self.alice, gateway or self.a
        words = [self.operator, "bucket-encryption", "--method", method, f"s3://{bucket}", "-e", gateway.url, "--region", REGION,
                 "-i", user.key, "-k", user.secret, "--json", *options]
        ran = subprocess.run(words + (["-t", user.token] if user.token else []), capture_output=True, text=True, timeout=120)
        answer = json.loads(ran.stdout)
        if "error" in answer:
            return f"exit {ran.returncode}, {answer['error']['kind']} {answer['error']['code']}"
        has = answer["encryption"]
        more = [has.get("kmsKeyId"), "bucket key" if has.get("bucketKeyEnabled") else None]
        return " ".join([f"exit {ran.returncode},", has["algorithm"], *(m for m in more if m)])

    def account(self, bucket, user=None):
        """What the operator's own client says of the account and of one of its buckets, in one line: nothing is written."""
        user = user or self.alice
        program = sys.path[0] + "/../operator/bin/Release/net10.0/operator-requests.dll"
        words = ["dotnet", program, "S3", self.a.url, REGION, "Path", "only=account", f"bucket={bucket}", f"id={user.key}", f"secret={user.secret}"]
        return subprocess.run(words, capture_output=True, text=True, timeout=120).stdout

    def admin(self, *words):
        ran = subprocess.run([sys.path[0] + "/in.sh", self.root, self.data, "radosgw-admin", *words], capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, f"radosgw-admin {' '.join(words)}: {ran.stderr[-500:]}"
        return ran.stdout

    # ---- the operator

    def kubectl(self, *words, text=None):
        ran = subprocess.run([self.kubectl_path, "-n", self.namespace, *words], input=text, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, f"kubectl {' '.join(words)}: {ran.stderr}"
        return ran.stdout

    def apply(self, *objects):
        self.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def store(self, name, user, gateway=None, **s3):
        keys = {"accessKeyId": user.key, "accessKeySecret": user.secret, **({"securityToken": user.token} if user.token else {})}
        spec = {"vendor": "S3", "region": REGION, "endpoint": (gateway or self.a).url, "credentials": {"secretRef": {"name": name}}}
        group = "bucketencryption.io/v1alpha1"
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": keys},
                   {"apiVersion": group, "kind": "BucketStore", "metadata": {"name": name}, "spec": {**spec, **({"s3": s3} if s3 else {})}})

    def policy(self, name, store, bucket, algorithm, **more):
        key = more.pop("key", None)
        encryption = {"algorithm": algorithm, **({"kmsKey": {"id": key}} if key else {})}
        spec = {"storeRef": {"name": store}, "buckets": [{"name": bucket}], "encryption": encryption, "resyncInterval": "30s", **more}
        self.apply({"apiVersion": "bucketencryption.io/v1alpha1", "kind": "BucketEncryptionPolicy", "metadata": {"name": name}, "spec": spec})

    def said(self, name, want):
        """The policy's status in a few words, once it is as wanted or the patience ends: Ready with its reason, Stalled, the row's code and hint."""
        end, words = time.monotonic() + PATIENCE, ""
        while time.monotonic() < end:
            status = json.loads(self.kubectl("get", "bep", name, "-o", "json")).get("status", {})
            conditions = {c["type"]: c for c in status.get("conditions", [])}
            ready = conditions.get("Ready", {})
            row = next(iter(status.get("buckets", [])), {})
            error = row.get("error", {})
            words = " ".join([f"Ready {ready.get('status')} {ready.get('reason')}", *(["Stalled"] if "Stalled" in conditions else []),
                              *([f"({error['code']}: {error.get('hint', 'no hint')})"] if error else [])])
            if re.fullmatch(want, words):
                break
            time.sleep(0.5)
        return words

    def operator_case(self, asked, name, answered, want_answered, want_said):
        self.note(f"operator: {asked}", answered, self.said(name, want_said), want_answered, want_said)

    # ---- the cases

    def run(self):
        for user in (self.alice, self.bob, self.sam):
            self.admin("user", "create", f"--uid={user.name}", f"--display-name={user.name}", f"--access-key={user.key}", f"--secret={user.secret}")
        subprocess.run([self.kubectl_path, "create", "namespace", self.namespace], check=True, capture_output=True)
        self.store("alice", self.alice)
        self.lists_and_tags()
        if self.major == 16:
            self.old_store()
            return
        self.three_operations()
        self.keys_and_uploads()
        self.rights()
        self.users()
        self.temporary_keys()
        self.odd_documents()
        self.many_writers()
        self.operators_life()

    def lists_and_tags(self):
        """Before the others: the buckets in the list are those of this case. A list has no regions, and one page."""
        carol, dave = User("carol"), User("dave")
        for user in (carol, dave):
            self.admin("user", "create", f"--uid={user.name}", f"--display-name={user.name}", f"--access-key={user.key}", f"--secret={user.secret}")
        raw = self.a.ask(carol, "GET", "/")
        self.note("list of a user without buckets", raw, self.account("carols", carol), "200 ListAllMyBucketsResult", "GetBucketTagging: Missing NoSuchBucket")
        bucket = self.a.bucket(carol, "carols")
        self.a.bucket(carol, "carols-second")
        self.a.bucket(dave, "daves")
        raw = self.a.ask(carol, "GET", "/")
        fields = ", ".join(name for name in ("Location", "BucketRegion", "IsTruncated") if raw.field(name) is not None) or "no regions, no pages"
        self.note("list", f"{raw}, {fields}", self.account(bucket, carol), "200 ListAllMyBucketsResult, no regions, no pages", "buckets: carols carols-second; tags: ; place: Here")
        raw = self.a.ask(carol, "GET", f"/{bucket}", "tagging")
        self.note("tags, none", raw, self.account(bucket, carol), "404 (NoSuchTagSet|NoSuchTagSetError)", ".*tags: ;.*")
        tags = "<Tagging><TagSet><Tag><Key>team</Key><Value>finance</Value></Tag><Tag><Key>stage</Key><Value>live</Value></Tag></TagSet></Tagging>"
        put = self.a.ask(carol, "PUT", f"/{bucket}", "tagging", tags)
        raw = self.a.ask(carol, "GET", f"/{bucket}", "tagging")
        self.note("tags, two", f"PUT {put}, GET {raw}", self.account(bucket, carol), "PUT 20[04], GET 200 Tagging", ".*tags: stage=live team=finance;.*")
        raw = self.a.ask(carol, "GET", f"/{bucket}", "location")
        self.note("location", f"{raw} {raw.field('LocationConstraint')}", self.account(bucket, carol), "200 LocationConstraint .*", ".*place: Here")
        raw = self.a.ask(carol, "GET", "/daves", "tagging")
        self.note("tags without a right", raw, self.account("daves", carol), "403 AccessDenied", "GetBucketTagging: Denied AccessDenied")

    def old_store(self):
        get, put, delete = (self.a.bucket(self.alice, name) for name in ("get", "put", "delete"))
        refused = "exit 1, Refused EncryptionNotOffered"
        self.note("get", self.a.ask(self.alice, "GET", f"/{get}", "encryption"), self.command("get", get), "200 ListBucketResult", refused)
        self.note("put AES256", self.a.put(self.alice, put, default("AES256")), self.command("put", put, "--sse-algorithm", "AES256"), "400 InvalidArgument", refused)
        said = self.command("delete", delete)
        kept = "the bucket is kept" if self.a.has(self.alice, delete) else "THE BUCKET IS GONE"
        raw = self.a.ask(self.alice, "DELETE", f"/{delete}", "encryption")
        gone = "the bucket is kept" if self.a.has(self.alice, delete) else "the bucket is gone"
        self.note("delete", f"{raw}, {gone}", f"{said}, {kept}", "204, the bucket is gone", refused + ", the bucket is kept")

        buckets = {name: self.a.bucket(self.alice, name) for name in ("aes256", "none", "released")}
        self.policy("aes256", "alice", "aes256", "AES256")
        self.policy("none", "alice", "none", "None", allowDowngrade=True)
        self.policy("released", "alice", "released", "AES256", allowDowngrade=True, deletionPolicy="Delete")
        want = r"Ready False EncryptionNotOffered Stalled \(EncryptionNotOffered: .*does not offer bucket encryption.*\)"
        for name in buckets:
            self.said(name, want)
        self.kubectl("delete", "bep", "released", "--timeout=30s")
        for name in ("aes256", "none"):
            self.operator_case(f"policy {name}", name, "200 ListBucketResult", ".*", want)
        for name in buckets:
            kept = "the bucket is kept" if self.a.has(self.alice, name) else "THE BUCKET IS GONE"
            self.note(f"operator: bucket of policy {name}, afterwards", self.a.ask(self.alice, "HEAD", f"/{name}"), kept, "200", "the bucket is kept")

    def three_operations(self):
        bucket = self.a.bucket(self.alice, "three")
        get = lambda: self.a.ask(self.alice, "GET", f"/{bucket}", "encryption")
        self.note("get, nothing configured", get(), self.command("get", bucket), "404 ServerSideEncryptionConfigurationNotFoundError", "exit 0, None")
        said = self.command("put", bucket, "--sse-algorithm", "AES256")
        self.note("put AES256, then get", get(), f"{said}; {self.command('get', bucket)}", "200 ServerSideEncryptionConfiguration", "exit 0, AES256; exit 0, AES256")
        said = self.command("put", bucket, "--sse-algorithm", "KMS", "--kms-masterkey-id", "testkey-1")
        self.note("put KMS testkey-1, then get", get(), f"{said}; {self.command('get', bucket)}", "200 .*", "exit 0, KMS testkey-1; exit 0, KMS testkey-1")
        self.a.put(self.alice, bucket, default("aws:kms", "testkey-1", "<BucketKeyEnabled>true</BucketKeyEnabled>"))
        said = self.command("put", bucket, "--sse-algorithm", "KMS", "--kms-masterkey-id", "testkey-2")
        self.note("put KMS testkey-2 over a bucket key", f"{get().status} BucketKeyEnabled {get().field('BucketKeyEnabled')}", f"{said}; {self.command('get', bucket)}",
                  "200 BucketKeyEnabled True", "exit 0, KMS testkey-2 bucket key; exit 0, KMS testkey-2 bucket key")
        said = self.command("put", bucket, "--sse-algorithm", "AES256")
        refused = self.a.upload(self.alice, bucket).field("Message") or ""
        self.note("put AES256 over a bucket key", f"{get().status} BucketKeyEnabled {get().field('BucketKeyEnabled')}; upload says {refused!r}", f"{said}; {self.command('get', bucket)}",
                  "200 BucketKeyEnabled None; upload says ''", "exit 0, AES256; exit 0, AES256")
        said = self.command("delete", bucket)
        self.note("delete", get(), f"{said}; {self.command('get', bucket)}", "404 ServerSideEncryptionConfigurationNotFoundError", "exit 0, None; exit 0, None")
        self.note("delete, nothing configured", self.a.ask(self.alice, "DELETE", f"/{bucket}", "encryption"), self.command("delete", bucket), "204", "exit 0, None")
        self.note("get, no such bucket", self.a.ask(self.alice, "GET", "/nowhere", "encryption"), self.command("get", "nowhere"), "404 NoSuchBucket", "exit 1, Missing NoSuchBucket")

    def keys_and_uploads(self):
        def upload(name, rule):
            bucket = self.a.bucket(self.alice, name)
            return f"PUT {self.a.put(self.alice, bucket, rule)}, upload {self.a.upload(self.alice, bucket)}"

        answered = upload("key-good", default("aws:kms", "testkey-1"))
        self.note("KMS with a key", answered, self.command("get", "key-good"), "PUT 200, upload 200", "exit 0, KMS testkey-1")
        answered = upload("key-unknown", default("aws:kms", "no-such-key"))
        self.note("KMS with a key that is not there", answered, self.command("get", "key-unknown"), "PUT 200, upload 400 InvalidArgument", "exit 0, KMS no-such-key")
        answered = upload("key-none", default("aws:kms"))
        self.a.bucket(self.alice, "key-vendors")
        self.policy("key-vendors", "alice", "key-vendors", "KMS")
        self.operator_case("KMS without a key", "key-vendors", answered, "PUT 200, upload 400 InvalidArgument", self.WITHOUT_KEY)
        answered = upload("no-backend", default("AES256"))
        self.note("AES256 without a backend for SSE-S3", answered, self.command("get", "no-backend"), "PUT 200, upload 400 InvalidArgument", "exit 0, AES256")

    WITHOUT_KEY = r"Ready False KmsKeyRequired Stalled \(KmsKeyRequired: .*\)"

    def rights(self):
        bucket = self.a.bucket(self.alice, "shared")

        def allow(*actions):
            statement = {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/bob"]}, "Action": list(actions), "Resource": [f"arn:aws:s3:::{bucket}"]}
            return self.a.ask(self.alice, "PUT", f"/{bucket}", "policy", json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

        as_bob = lambda method, *options: self.command(method, bucket, *options, user=self.bob)
        denied = self.a.ask(self.bob, "GET", f"/{bucket}", "encryption")
        self.note("get without a right", denied, as_bob("get"), "403 AccessDenied", "exit 1, Denied AccessDenied")
        self.store("bob", self.bob)
        self.policy("denied", "bob", bucket, "AES256")
        self.operator_case("a key without a right", "denied", denied, "403 AccessDenied", r"Ready False AccessDenied Stalled \(AccessDenied: .*s3:GetBucketEncryption and s3:PutBucketEncryption.*\)")
        self.note("right s3:GetEncryptionConfiguration", allow("s3:GetEncryptionConfiguration"), as_bob("get"), "400 (MalformedPolicy|MalformedPolicyDocument|InvalidArgument)", "exit 1, Denied AccessDenied")
        self.note("right s3:GetBucketEncryption", allow("s3:GetBucketEncryption"), f"{as_bob('get')}; {as_bob('put', '--sse-algorithm', 'AES256')}",
                  "20[04]", "exit 0, None; exit 1, Denied AccessDenied")
        self.note("right s3:PutBucketEncryption", allow("s3:PutBucketEncryption"), f"{as_bob('put', '--sse-algorithm', 'AES256')}; {as_bob('delete')}",
                  "20[04]", "exit 0, AES256; exit 1, Denied AccessDenied")
        self.note("both rights", allow("s3:GetBucketEncryption", "s3:PutBucketEncryption"), f"{as_bob('get')}; {as_bob('delete')}; {as_bob('get')}",
                  "20[04]", "exit 0, AES256; exit 0, None; exit 0, None")

        wrong = "999999999999"
        self.a.bucket(self.alice, "owned")
        self.store("owner", self.alice, expectedBucketOwner=wrong)
        self.policy("owner", "owner", "owned", "AES256")
        raw = self.a.ask(self.alice, "GET", "/owned", "encryption", headers={"x-amz-expected-bucket-owner": wrong})
        if self.major == 18:
            self.operator_case("s3.expectedBucketOwner of somebody else", "owner", raw, "(200|404) .*", "Ready True InSync")
        else:
            self.operator_case("s3.expectedBucketOwner of somebody else", "owner", raw, "403 AccessDenied", r"Ready False AccessDenied Stalled \(AccessDenied: .*s3\.expectedBucketOwner.*\)")

    def users(self):
        bucket = self.a.bucket(self.sam, "sams")
        self.admin("user", "suspend", "--uid=sam")
        raw = self.a.ask(self.sam, "GET", f"/{bucket}", "encryption")
        self.note("get of a suspended user", raw, self.command("get", bucket, user=self.sam), "403 UserSuspended", "exit 1, Denied UserSuspended")
        self.store("sam", self.sam)
        self.policy("suspended", "sam", bucket, "AES256")
        self.operator_case("a suspended user", "suspended", raw, "403 UserSuspended", r"Ready False UserSuspended Stalled \(UserSuspended: .*suspended.*\)")

    def temporary_keys(self):
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/bob"]}, "Action": ["sts:AssumeRole"]}]}
        rights = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}]}
        self.admin("role", "create", "--role-name=r", f"--assume-role-policy-doc={json.dumps(trust)}")
        self.admin("role-policy", "put", "--role-name=r", "--policy-name=p", f"--policy-doc={json.dumps(rights)}")
        bucket = self.a.bucket(self.alice, "temporary")

        def assume(seconds):
            form = urllib.parse.urlencode({"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "arn:aws:iam:::role/r", "RoleSessionName": "a-session", "DurationSeconds": seconds})
            answer = self.b.ask(self.bob, "POST", "/", body=form, headers={"Content-Type": "application/x-www-form-urlencoded"}, service="sts")
            assert answer.status == 200, f"AssumeRole: {answer} {answer.body}"
            return User("role", token=answer.field("SessionToken"), key=answer.field("AccessKeyId"), secret=answer.field("SecretAccessKey"))

        read = lambda user: self.b.ask(user, "GET", f"/{bucket}", "encryption")
        good, short = assume(900), assume(2)
        self.note("get with a temporary key", read(good), self.command("get", bucket, user=good, gateway=self.b), "(200|404) .*", "exit 0, None")
        garbage = User("garbage", token="not-a-token-of-this-store", key=good.key, secret=good.secret)
        self.note("get with a token that is none", read(garbage), self.command("get", bucket, user=garbage, gateway=self.b), "400 InvalidArgument", "exit 1, Denied InvalidArgument")
        self.store("garbage", garbage, self.b)
        self.policy("garbage", "garbage", bucket, "AES256")
        self.operator_case("a token that is none", "garbage", read(garbage), "400 InvalidArgument", r"Ready False CredentialsRejected Stalled \(InvalidArgument: .*session token.*\)")
        end = time.monotonic() + PATIENCE
        while read(short).status != 403 and time.monotonic() < end:
            time.sleep(0.5)
        self.note("get with an expired token", f"{read(short)}, BucketName {read(short).field('BucketName')}", self.command("get", bucket, user=short, gateway=self.b),
                  "403 AccessDenied, BucketName None", "exit 1, Denied AccessDenied")
        self.store("expired", short, self.b)
        self.policy("expired", "expired", bucket, "AES256")
        self.operator_case("an expired token", "expired", read(short), "403 AccessDenied", r"Ready False AccessDenied Stalled \(AccessDenied: .*temporary key has expired.*\)")
        missing = User("missing", key=good.key, secret=good.secret)
        self.note("get without the token", read(missing), self.command("get", bucket, user=missing, gateway=self.b), "403 (InvalidAccessKeyId|AccessDenied)", "exit 1, Denied (InvalidAccessKeyId|AccessDenied)")

    def odd_documents(self):
        empty = self.a.bucket(self.alice, "empty-document")
        put = self.a.ask(self.alice, "PUT", f"/{empty}", "encryption", document(""))
        raw = self.a.ask(self.alice, "GET", f"/{empty}", "encryption")
        self.note("get of an empty document", f"PUT {put}, GET {raw}", self.command("get", empty), "PUT 200, GET 200 ServerSideEncryptionConfiguration", "exit 0, None")
        self.policy("empty-document", "alice", empty, "AES256")
        self.operator_case("AES256 over an empty document", "empty-document", raw, ".*", "Ready True InSync")
        hollow = self.a.bucket(self.alice, "no-default")
        put = self.a.ask(self.alice, "PUT", f"/{hollow}", "encryption", document("<Rule></Rule>"))
        raw = self.a.ask(self.alice, "GET", f"/{hollow}", "encryption")
        self.note("get of a rule without a default", f"PUT {put}, GET {raw}", self.command("get", hollow), "PUT 200, GET 200 ServerSideEncryptionConfiguration", "exit 0, None")
        strange = self.a.bucket(self.alice, "strange")
        self.a.put(self.alice, strange, default("aws:kms:dsse", "testkey-1"))
        self.note("get of aws:kms:dsse", self.a.ask(self.alice, "GET", f"/{strange}", "encryption"), self.command("get", strange), "200 ServerSideEncryptionConfiguration", "exit 0, DSSE testkey-1")

    def many_writers(self):
        """
        Others write the same bucket without pause. Whether two writes meet, and Ceph refuses one, is chance. What the
        command says then is not.
        """
        bucket, stop, seen = self.a.bucket(self.alice, "contested"), threading.Event(), set()

        def write(key):
            while not stop.is_set():
                answer = self.a.put(self.alice, bucket, default("aws:kms", f"testkey-{key}"))
                if answer.status != 200:
                    seen.add(str(answer))

        writers = [threading.Thread(target=write, args=(i % 2 + 1,)) for i in range(6)]
        for writer in writers:
            writer.start()
        try:
            said, end = "exit 0", time.monotonic() + PATIENCE / 2
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                while said.startswith("exit 0") and time.monotonic() < end:
                    puts = list(pool.map(lambda _: self.command("put", bucket, "--sse-algorithm", "AES256"), range(4)))
                    said = next((put for put in puts if not put.startswith("exit 0")), said)
        finally:
            stop.set()
            for writer in writers:
                writer.join()
        answered, kind = "409 ConcurrentModification", "Conflict ConcurrentModification"
        if self.major == 18:
            answered, kind = "500 UnknownError", "Transient UnknownError"
        refusals = ", ".join(sorted(seen)) or "no refusal"
        self.note("put while others write", refusals, said, f"{answered}|no refusal", f"exit 0.*|exit 1, {kind}.*")

    def operators_life(self):
        bucket = self.a.bucket(self.alice, "life")
        get = lambda: self.a.ask(self.alice, "GET", f"/{bucket}", "encryption")
        self.policy("life", "alice", bucket, "KMS", key="testkey-1", allowDowngrade=True, deletionPolicy="Delete")
        said = self.said("life", "Ready True InSync")
        self.note("operator: KMS testkey-1", f"{get()} {get().field('KMSMasterKeyID')}", said, "200 ServerSideEncryptionConfiguration testkey-1", "Ready True InSync")
        self.a.put(self.alice, bucket, default("AES256"))
        self.kubectl("annotate", "bep", "life", "reconcile.fluxcd.io/requestedAt=drift")
        end = time.monotonic() + PATIENCE
        while get().field("KMSMasterKeyID") != "testkey-1" and time.monotonic() < end:
            time.sleep(0.5)
        self.note("operator: drift", f"{get()} {get().field('KMSMasterKeyID')}", self.said("life", "Ready True InSync"), "200 ServerSideEncryptionConfiguration testkey-1", "Ready True InSync")
        self.kubectl("delete", "bep", "life", f"--timeout={PATIENCE}s")
        self.note("operator: deletionPolicy Delete", f"{get()}, bucket {'kept' if self.a.has(self.alice, bucket) else 'gone'}", "released",
                  "404 ServerSideEncryptionConfigurationNotFoundError, bucket kept", "released")


def main():
    major, port, root, data, operator, kubectl, results = sys.argv[1:]
    Cases(int(major), int(port), root, data, operator, kubectl, results).run()


if __name__ == "__main__":
    main()
