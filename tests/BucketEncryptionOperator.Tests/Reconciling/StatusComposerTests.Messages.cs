using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed partial class StatusComposerTests
{
    [Fact]
    public void One_code_for_all_failing_buckets_is_the_reason_with_its_hint()
    {
        var status = Compose([
            Fail("bucket-a", FailureKind.Refused, "KMS.NotFoundException", hint: "Do."),
            Fail("bucket-b", FailureKind.Refused, "KMS.NotFoundException", hint: "Do."),
        ]);

        var ready = status.Conditions.Find("Ready")!;
        Assert.Equal(
            (
                "KMS_NotFoundException",
                "0 of 2 buckets are as declared. bucket-a: KMS.NotFoundException, bucket-b: KMS.NotFoundException. Do."
            ),
            (ready.Reason, ready.Message)
        );
    }

    [Fact]
    public void Different_codes_are_MultipleErrors_without_a_hint()
    {
        var status = Compose([
            Fail("bucket-a", FailureKind.Missing, "NoSuchBucket", hint: "Create."),
            Fail("bucket-b", FailureKind.Denied, "AccessDenied", hint: "Grant."),
        ]);

        var ready = status.Conditions.Find("Ready")!;
        Assert.Equal(
            ("MultipleErrors", "0 of 2 buckets are as declared. bucket-a: NoSuchBucket, bucket-b: AccessDenied."),
            (ready.Reason, ready.Message)
        );
    }

    [Fact]
    public void What_a_person_must_see_gives_the_reason_and_what_may_pass_is_only_listed()
    {
        var status = Compose([
            Fail("bucket-a", FailureKind.Transient, "Timeout"),
            Fail("bucket-b", FailureKind.Denied, "AccessDenied"),
        ]);

        Assert.Equal(
            ("False", "AccessDenied"),
            (status.Conditions.Find("Ready")!.Status, status.Conditions.Find("Ready")!.Reason)
        );
        Assert.Equal(
            "0 of 2 buckets are as declared. bucket-b: AccessDenied, bucket-a: Timeout.",
            status.Conditions.Find("Ready")!.Message
        );
    }

    [Theory]
    [InlineData(10, "bucket-9: AccessDenied.")]
    [InlineData(11, "bucket-9: AccessDenied, and 1 more.")]
    [InlineData(256, "bucket-9: AccessDenied, and 246 more.")]
    public void Ten_buckets_are_named(int count, string end)
    {
        var names = Enumerable.Range(0, count).Select(i => $"bucket-{i}").ToArray();
        _policy = Given.Policy(names);

        var status = Compose([.. names.Select(n => Fail(n, FailureKind.Denied, "AccessDenied"))]);

        Assert.EndsWith(end, status.Conditions.Find("Ready")!.Message, StringComparison.Ordinal);
    }

    /// <summary>Whatever vendors and users write, the API server must be able to store it.</summary>
    [Fact]
    public void Nothing_written_is_longer_than_the_CRD_allows()
    {
        var names = Enumerable.Range(0, 256).Select(i => $"bucket-{i:000}".PadRight(63, 'x')).ToArray();
        _policy = Given.Policy(names);
        var longText = new string('m', 100_000);
        Failure Long(FailureKind kind) =>
            new(kind, "GetBucketEncryption", new string('C', 5_000))
            {
                Message = longText,
                Hint = longText,
                Ec = longText,
                RequestId = longText,
            };

        var rows = Compose([
            .. names.Select(n => new BucketResult(n, new Outcome.Failed(Long(FailureKind.Denied), Observed: null))),
        ]);
        var wide = Compose(Long(FailureKind.Invalid));

        Assert.Equal(256, rows.Buckets.Length);
        Assert.InRange(wide.Conditions.Find("Ready")!.Message.Length, 1_024, 4_096);
    }
}
