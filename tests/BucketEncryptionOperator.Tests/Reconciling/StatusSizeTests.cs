using System.Collections.Immutable;
using System.Text.Json;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Reconciling;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed class StatusSizeTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    private static readonly BucketError Denied = new()
    {
        Operation = "GetBucketEncryption",
        Code = "AccessDenied",
        HttpStatus = 403,
        Ec = "0003-00000001",
        Message = new string('m', 900),
        Hint = new string('h', 120),
        RequestId = "65A1B2C3D4E5F60718293A4B",
    };

    [Fact]
    public void A_status_that_fits_is_left_as_it_is()
    {
        var status = Of([.. Rows(256).Select(r => r with { Error = Denied with { Message = "short" } })]);

        Assert.Same(status, StatusSize.Fit(status));
        Assert.Same(status, StatusSize.Expand(status));
    }

    [Fact]
    public void Documents_of_plans_go_first()
    {
        var plan = new PlannedWrite
        {
            Operation = PlannedWrite.Put,
            Target = new ObservedEncryption { Algorithm = "AES256" },
            Document = new string('d', 400),
        };
        var error = Denied with { Message = "not written" };
        var status = Of([.. Rows(1000).Select(r => r with { Planned = plan, Error = error, Observed = null })]);

        var fitted = StatusSize.Fit(status);

        Assert.True(Size(status) > StatusSize.Max && Size(fitted) <= StatusSize.Max, $"{Size(status)} {Size(fitted)}");
        Assert.All(fitted.Buckets, r => Assert.Equal((null, error), (r.Planned?.Document, r.Error)));
        Assert.Null(fitted.Problems);
    }

    [Fact]
    public void Texts_that_rows_share_are_said_once_and_read_back()
    {
        var other = Denied with { Code = "NoSuchBucket", HttpStatus = 404, Hint = null };
        var status = Of([
            .. Rows(1000)
                .Select((r, i) => r with { Error = i % 3 == 0 ? other : Denied with { RequestId = $"r-{i}" } }),
        ]);

        var fitted = StatusSize.Fit(status);
        var expanded = StatusSize.Expand(fitted);

        Assert.True(Size(fitted) <= StatusSize.Max, $"{Size(fitted)}");
        Assert.Equal(
            [("NoSuchBucket", 334), ("AccessDenied", 666)],
            fitted.Problems!.Value.Select(p => (p.Code, p.Count))
        );
        Assert.All(fitted.Buckets, r => Assert.Null(r.Error!.Message ?? r.Error.Hint));
        Assert.Equal(status.Buckets.AsEnumerable(), expanded.Buckets);
        Assert.Null(expanded.Problems);
        Assert.True(StatusWriter.IsSame(fitted, StatusSize.Fit(expanded)));
    }

    /// <summary>Without care such an error would get another one's texts, and be new at every reconcile.</summary>
    [Fact]
    public void An_error_with_another_hint_or_without_texts_is_not_taken_for_one_of_the_problems()
    {
        var bare = Denied with { Message = null, Hint = null };
        var another = Denied with { Hint = "another hint" };
        var status = Of([
            .. Rows(1000)
                .Select(
                    (r, i) =>
                        r with
                        {
                            Error = i switch
                            {
                                7 => bare,
                                8 => another,
                                _ => Denied,
                            },
                        }
                ),
        ]);

        var expanded = StatusSize.Expand(StatusSize.Fit(status));

        Assert.True(BucketErrors.IsSame(bare, expanded.Buckets[7].Error));
        Assert.True(BucketErrors.IsSame(another, expanded.Buckets[8].Error));
        Assert.Equal(Denied, expanded.Buckets[9].Error);
    }

    [Fact]
    public void Errors_that_all_differ_keep_their_codes_and_hints()
    {
        var status = Of([.. Rows(1000).Select((r, i) => r with { Error = Denied with { Code = $"Code{i}" } })]);

        var fitted = StatusSize.Fit(status);

        Assert.True(Size(fitted) <= StatusSize.Max, $"{Size(fitted)}");
        Assert.Equal(64, fitted.Problems!.Value.Length);
        Assert.Equal("Code999", fitted.Buckets[999].Error!.Code);
        Assert.Equal(
            status.Buckets.Select(r => (r.Error!.Code, r.Error.Hint)),
            StatusSize.Expand(fitted).Buckets.Select(r => (r.Error!.Code, r.Error.Hint))
        );
    }

    /// <summary>The bound that spares most statuses the count must not be below the count.</summary>
    [Fact]
    public void A_status_of_the_longest_plain_rows_is_counted()
    {
        var status = Of([.. Rows(1000).Select(r => r with { Observed = Key(new string('k', 300)), Error = Denied })]);

        Assert.True(Size(StatusSize.Fit(status)) < Size(status));
    }

    private static PolicyStatus Of(ImmutableArray<BucketStatus> rows) => new() { Buckets = rows };

    private static IEnumerable<BucketStatus> Rows(int count) =>
        Enumerable
            .Range(0, count)
            .Select(i => new BucketStatus
            {
                Name = $"{i:0000}-{new string('b', 58)}",
                State = BucketStatus.Failed,
                Partition = "aliyuncs.com",
                Observed = Key("0d0466b0-e727-4d9c-b35d-f84bb474a37f"),
                ClaimedTime = Now,
                LastAppliedTime = Now,
            });

    private static ObservedEncryption Key(string id) => new() { Algorithm = "KMS", KmsKeyId = id };

    private static int Size(PolicyStatus status) =>
        JsonSerializer.SerializeToUtf8Bytes(status, ApiJsonContext.Default.PolicyStatus).Length;
}
