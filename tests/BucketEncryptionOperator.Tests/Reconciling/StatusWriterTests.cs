using System.Text.Json;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed class StatusWriterTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private static readonly BucketStatus Row = new()
    {
        Name = "b",
        State = BucketStatus.Failed,
        Observed = new ObservedEncryption
        {
            Algorithm = "KMS",
            KmsKeyId = "k",
            KmsDataEncryption = "SM4",
        },
        Writes = new WriteRecord
        {
            Hash = "h",
            Count = 1,
            NotBefore = Now,
        },
        Error = new BucketError
        {
            Operation = "o",
            Code = "c",
            HttpStatus = 400,
            Ec = "e",
            Message = "m",
            Hint = "h",
            RequestId = "r",
        },
        LastAppliedTime = Now,
        Planned = new PlannedWrite
        {
            Operation = PlannedWrite.Put,
            Target = new ObservedEncryption { Algorithm = "AES256" },
            Document = "d",
        },
        ClaimedTime = Now,
        HeldTime = Now,
        Original = new OriginalEncryption
        {
            State = OriginalEncryption.Recorded,
            Encryption = new ObservedEncryption { Algorithm = "SM4" },
            Document = "d",
            RecordedTime = Now,
        },
    };

    private static readonly PolicyStatus Status = new()
    {
        ObservedGeneration = 1,
        Conditions =
        [
            new Condition
            {
                Type = "Ready",
                Status = "False",
                Reason = "R",
                Message = "m",
                ObservedGeneration = 1,
                LastTransitionTime = Now,
            },
        ],
        Summary = new BucketSummary
        {
            Total = 1,
            Failed = 1,
            Text = "0/1",
        },
        Buckets = [Row],
    };

    private static readonly Dictionary<string, PolicyStatus> Changes = new(StringComparer.Ordinal)
    {
        ["generation"] = Status with { ObservedGeneration = 2 },
        ["a condition less"] = Status with { Conditions = [] },
        ["a condition's message"] = Status with { Conditions = [Status.Conditions[0] with { Message = "n" }] },
        ["a condition's time"] = Status with
        {
            Conditions = [Status.Conditions[0] with { LastTransitionTime = Now.AddSeconds(1) }],
        },
        ["the summary"] = Status with { Summary = Status.Summary! with { Failed = 2 } },
        ["a row more"] = Status with { Buckets = [Row, Row with { Name = "c" }] },
        ["what was observed"] = Status with
        {
            Buckets = [Row with { Observed = Row.Observed! with { KmsKeyId = "l" } }],
        },
        ["the count of writes"] = Status with { Buckets = [Row with { Writes = Row.Writes! with { Count = 2 } }] },
        ["an error's text"] = Status with { Buckets = [Row with { Error = Row.Error! with { Message = "n" } }] },
        ["what is planned"] = Status with { Buckets = [Row with { Planned = null }] },
        ["since when it is claimed"] = Status with { Buckets = [Row with { ClaimedTime = null }] },
        ["since when it is held"] = Status with { Buckets = [Row with { HeldTime = null }] },
        ["the original"] = Status with
        {
            Buckets = [Row with { Original = Row.Original! with { State = OriginalEncryption.Unavailable } }],
        },
        ["what was asked for"] = Status with { LastHandledReconcileAt = "now" },
        ["when it was verified"] = Status with { LastVerifiedTime = Now },
        ["what was looked with"] = Status with { Inputs = "i" },
        ["when it was applied"] = Status with { Buckets = [Row with { LastAppliedTime = null }] },
    };

    public static TheoryData<string> Sentences => new(Changes.Keys);

    [Theory]
    [MemberData(nameof(Sentences))]
    public void A_change_is_seen(string sentence) => Assert.False(StatusWriter.IsSame(Status, Changes[sentence]));

    [Fact]
    public void What_comes_back_from_the_wire_is_the_same()
    {
        var patch = JsonSerializer.Serialize(
            new StatusPatch
            {
                Metadata = new PatchMeta { ResourceVersion = "1" },
                Status = Status,
            },
            ApiJsonContext.Default.StatusPatch
        );

        var back = JsonSerializer.Deserialize(patch, ApiJsonContext.Default.StatusPatch)!.Status;

        Assert.NotSame(Status, back);
        Assert.True(StatusWriter.IsSame(Status, back));
    }

    [Fact]
    public async Task A_write_says_whether_it_was_sent()
    {
        await using var bench = new Workbench().Start(Given.Policy("b"));
        var writer = new StatusWriter(bench.Kubernetes.Client, bench.Policies);
        var policy = bench.Kubernetes.Read(Given.PolicyKey);

        var first = await writer.WriteAsync(policy, Status, CancellationToken.None);
        var again = await writer.WriteAsync(first.Policy, Status, CancellationToken.None);

        Assert.Equal((true, false), (first.Written, again.Written));
        Assert.Same(first.Policy, again.Policy);
        Assert.Equal(1, bench.Patches);
    }
}
