using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// One scenario, with a fault at call 1, 2, 3 … until it passes untouched. After each: the buckets are right, every
/// status on the way was legal, no secret leaked (the workbench checks both), and writes were few. A rung has two
/// resyncs with the fault and one without, which mends what a fault in the second has left.
/// </summary>
public sealed class VendorFailureLadderTests
{
    private static readonly Dictionary<string, VendorFault> VendorFaults = new(StringComparer.Ordinal)
    {
        ["5xx"] = new(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500)),
        ["reset"] = new(new Failure(FailureKind.Transient, "GetBucketEncryption", "BrokenAnswer")),
        ["time-out"] = new(new Failure(FailureKind.Transient, "GetBucketEncryption", "Timeout")),
        ["throttled"] = new(
            InMemoryVendor.Fail(FailureKind.Throttled, "MetaOperationQpsLimitExceeded", 503) with
            {
                RetryAfter = TimeSpan.FromSeconds(2),
            }
        ),
        ["operation in progress"] = new(InMemoryVendor.Fail(FailureKind.Conflict, "OperationAborted", 409)),
        ["done, answer lost"] = new(
            new Failure(FailureKind.Transient, "PutBucketEncryption", "BrokenAnswer"),
            AfterEffect: true
        ),
        ["denied for a moment"] = new(InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403)),
        ["key rejected for a moment"] = new(
            InMemoryVendor.Fail(FailureKind.Denied, "InvalidAccessKeyId", 403) with
            {
                ConcernsCredentials = true,
            }
        ),
        ["missing for a moment"] = new(InMemoryVendor.Fail(FailureKind.Missing, "NoSuchBucket", 404)),
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

    [Theory]
    [MemberData(nameof(AtTheVendor))]
    public async Task A_fault_at_any_call_to_the_vendor_ends_well(string fault, int laggingReads)
    {
        for (var rung = 1; rung <= Ladder.MostRungs; rung++)
        {
            var touched = false;
            await using var bench = Ladder.Scenario(laggingReads);
            bench.Vendor.Faults = (n, _) =>
            {
                touched |= n == rung;
                return n == rung ? VendorFaults[fault] : null;
            };

            await bench.SettleAsync();
            await bench.SettleAsync();
            bench.Vendor.Faults = (_, _) => null;
            await bench.SettleAsync();

            Ladder.AssertEndedWell(bench, $"{fault} at call {rung}");
            if (!touched)
                return;
        }
        Assert.Fail("The ladder has no end.");
    }
}
