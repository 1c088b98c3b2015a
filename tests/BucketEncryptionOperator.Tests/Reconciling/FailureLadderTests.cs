using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Conditions;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// One scenario, with a fault at call 1, 2, 3 … until it passes untouched. After each: the buckets are right, every status on
/// the way was legal, no secret leaked (the workbench checks both), and writes were few. A rung has two resyncs with the fault
/// and one without, which mends what a fault in the second has left.
/// </summary>
public sealed class FailureLadderTests
{
    private const int MostRungs = 100;

    private static readonly Dictionary<string, VendorFault> VendorFaults = new(StringComparer.Ordinal)
    {
        ["5xx"] = new(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500)),
        ["reset"] = new(new Failure(FailureKind.Transient, "GetBucketEncryption", "BrokenAnswer")),
        ["time-out"] = new(new Failure(FailureKind.Transient, "GetBucketEncryption", "Timeout")),
        ["throttled"] = new(InMemoryVendor.Fail(FailureKind.Throttled, "MetaOperationQpsLimitExceeded", 503) with { RetryAfter = TimeSpan.FromSeconds(2) }),
        ["operation in progress"] = new(InMemoryVendor.Fail(FailureKind.Conflict, "OperationAborted", 409)),
        ["done, answer lost"] = new(new Failure(FailureKind.Transient, "PutBucketEncryption", "BrokenAnswer"), AfterEffect: true),
        ["denied for a moment"] = new(InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403)),
        ["key rejected for a moment"] = new(InMemoryVendor.Fail(FailureKind.Denied, "InvalidAccessKeyId", 403) with { ConcernsCredentials = true }),
        ["missing for a moment"] = new(InMemoryVendor.Fail(FailureKind.Missing, "NoSuchBucket", 404)),
    };

    private static readonly Dictionary<string, Reply> KubernetesFaults = new(StringComparer.Ordinal)
    {
        ["409"] = KubernetesFake.Status(409, "Conflict"),
        ["500"] = KubernetesFake.Status(500, "InternalError"),
        ["429"] = KubernetesFake.Status(429, "TooManyRequests"),
        ["403"] = KubernetesFake.Status(403, "Forbidden"),
        ["reset"] = new Reply.Reset(),
        ["half a body"] = new Reply.Bytes("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"kind\":"),
        ["no JSON"] = ScriptedServer.Answer(200, "<html></html>"),
    };

    public static TheoryData<string, int> AtTheVendor
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var fault in VendorFaults.Keys)
            {
                data.Add(fault, 0);
                data.Add(fault, 1);
            }
            return data;
        }
    }

    public static TheoryData<string> AtKubernetes => new(KubernetesFaults.Keys);

    [Theory]
    [MemberData(nameof(AtTheVendor))]
    public async Task A_fault_at_any_call_to_the_vendor_ends_well(string fault, int laggingReads)
    {
        for (var rung = 1; rung <= MostRungs; rung++)
        {
            var touched = false;
            await using var bench = Scenario(laggingReads);
            bench.Vendor.Faults = (n, _) =>
            {
                touched |= n == rung;
                return n == rung ? VendorFaults[fault] : null;
            };

            await bench.SettleAsync();
            await bench.SettleAsync();
            bench.Vendor.Faults = (_, _) => null;
            await bench.SettleAsync();

            AssertEndedWell(bench, $"{fault} at call {rung}");
            if (!touched)
                return;
        }
        Assert.Fail("The ladder has no end.");
    }

    [Theory]
    [MemberData(nameof(AtKubernetes))]
    public async Task A_fault_at_any_request_to_Kubernetes_ends_well(string fault)
    {
        for (var rung = 1; rung <= MostRungs; rung++)
        {
            var touched = false;
            await using var bench = Scenario(laggingReads: 0);
            bench.Kubernetes.Faults = (n, _) =>
            {
                touched |= n == rung;
                return n == rung ? KubernetesFaults[fault] : null;
            };

            await bench.SettleAsync();
            await bench.SettleAsync();
            bench.Kubernetes.Faults = (_, _) => null;
            await bench.SettleAsync();

            AssertEndedWell(bench, $"{fault} at request {rung}");
            if (!touched)
                return;
        }
        Assert.Fail("The ladder has no end.");
    }

    /// <summary>One bucket to encrypt, one to change, one that is right.</summary>
    private static Workbench Scenario(int laggingReads)
    {
        var bench = new Workbench();
        bench.Vendor["bucket-a"] = new BucketEncryption.None();
        bench.Vendor["bucket-b"] = new BucketEncryption.Kms("k-2", DataCipher.Sm4);
        bench.Vendor["bucket-c"] = new BucketEncryption.Kms("k-1", DataCipher.Aes256);
        bench.Vendor.LaggingReads = laggingReads;
        return bench.Start(Given.Policy("bucket-a", "bucket-b", "bucket-c").With(new EncryptionSpec { Algorithm = "KMS", KmsKey = new KmsKeySpec { Id = "k-1" } }));
    }

    private static void AssertEndedWell(Workbench bench, string where)
    {
        Assert.True(new BucketEncryption.Kms("k-1", DataCipher.Aes256).Equals(bench.Vendor["bucket-a"]), where);
        Assert.True(new BucketEncryption.Kms("k-1", DataCipher.Sm4).Equals(bench.Vendor["bucket-b"]), where);
        Assert.True(bench.Status.Conditions.Find("Ready") is { Status: Condition.True }, $"{where}: {bench.Status.Conditions.Find("Ready")}");
        Assert.True(bench.Vendor.Calls.Where(c => c.Operation == "Put").CountBy(c => c.Bucket).All(p => p.Value <= 2 && p.Key != "bucket-c"), where);
        Assert.True(bench.Vendor.Count("Put") <= 3, $"{where}: {bench.Vendor.Count("Put")} writes for two buckets and one fault");
        Assert.Equal(0, bench.Vendor.Count("Delete"));
    }
}
