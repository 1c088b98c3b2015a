using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Commands;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Commands;

public sealed class StatusRowTests
{
    /// <summary>
    /// The account's list is denied: each bucket that is known is as declared, and there may be more.
    /// </summary>
    [Fact]
    public void A_policy_that_is_not_ready_is_not_as_declared_whatever_its_buckets_are()
    {
        var rows = Rows(Condition.False, new BucketStatus { Name = "ledger", State = BucketStatus.InSync });

        Assert.Equal(["ledger InSync", " Unknown"], rows.Select(r => $"{r.Bucket} {r.State}"));
        Assert.Equal(("AccessDenied", "The list is denied."), (rows[1].Reason, rows[1].Message));
        Assert.Equal(2, StatusCommand.ExitCodeOf([.. rows]));
    }

    [Fact]
    public void A_ready_policy_that_selects_no_bucket_is_as_declared()
    {
        var row = Assert.Single(Rows(Condition.True));

        Assert.True(row.IsAsDeclared);
    }

    [Fact]
    public void A_policy_that_nobody_has_reconciled_is_unknown()
    {
        var policy = Policy();

        var row = Assert.Single(StatusRow.Of(policy, vendor: null));

        Assert.Equal(BucketStatus.Unknown, row.State);
    }

    /// <summary>A large status says the texts of errors once.</summary>
    [Fact]
    public void The_texts_that_rows_share_are_in_each_row()
    {
        var failed = new BucketStatus
        {
            Name = "ledger",
            State = BucketStatus.Failed,
            Error = new BucketError { Operation = "GetBucketEncryption", Code = "AccessDenied" },
        };
        var policy = Policy();
        policy = policy with
        {
            Status = Status(Condition.False, failed) with
            {
                Problems =
                [
                    new ProblemStatus
                    {
                        Operation = "GetBucketEncryption",
                        Code = "AccessDenied",
                        Message = "no right",
                        Hint = "grant it",
                    },
                ],
            },
        };

        var row = Assert.Single(StatusRow.Of(policy, vendor: null));

        Assert.Equal(("no right", "grant it"), (row.Message, row.Hint));
    }

    private static List<StatusRow> Rows(string ready, params BucketStatus[] buckets) =>
        [.. StatusRow.Of(Policy() with { Status = Status(ready, buckets) }, vendor: null)];

    private static BucketEncryptionPolicy Policy() =>
        new()
        {
            Metadata = new ObjectMeta
            {
                Name = "finance",
                Namespace = "team",
                Generation = 1,
            },
            Spec = new PolicySpec
            {
                StoreRef = new StoreReference { Name = "oss" },
                Encryption = new EncryptionSpec { Algorithm = "AES256" },
            },
        };

    private static PolicyStatus Status(string ready, params BucketStatus[] buckets) =>
        new()
        {
            ObservedGeneration = 1,
            Buckets = [.. buckets],
            Conditions =
            [
                new Condition
                {
                    Type = ConditionTypes.Ready,
                    Status = ready,
                    Reason = "AccessDenied",
                    Message = "The list is denied.",
                    ObservedGeneration = 1,
                },
            ],
        };
}
