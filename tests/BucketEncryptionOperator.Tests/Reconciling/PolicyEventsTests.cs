using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Pipeline;
using KubeRuntime.Events;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// What is told of a change, from the findings and two statuses; the way through a whole reconcile is
/// PolicyReconcilerEventsTests'.
/// </summary>
public sealed class PolicyEventsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption Kms = new BucketEncryption.Kms("key-1", DataCipher.Sm4);

    private static readonly Dictionary<
        string,
        (BucketEncryptionPolicy Before, BucketResult Found, string[] Told)
    > Table = new(StringComparer.Ordinal)
    {
        ["a first look at what is right is silent"] = (Given.Policy("b"), Good(), []),
        ["a first write tells itself"] = (
            Given.Policy("b"),
            Wrote(None, Aes),
            ["Normal EncryptionApplied/Put: Bucket b: default encryption is now AES256; it was None."]
        ),
        ["a removal does too"] = (
            Given.Policy("b"),
            Wrote(Kms, None),
            [
                "Normal EncryptionRemoved/Delete: Bucket b: default encryption removed; it was KMS with key key-1 and "
                    + "SM4 data encryption.",
            ]
        ),
        ["drift that is corrected tells both"] = (
            InSync(Aes),
            Wrote(None, Aes),
            [
                "Warning DriftDetected/Get: Bucket b: default encryption was changed by somebody else, from AES256 to "
                    + "None.",
                "Normal EncryptionApplied/Put: Bucket b: default encryption is now AES256; it was None.",
            ]
        ),
        ["drift in any part of the encryption is seen in the words"] = (
            InSync(Kms),
            Wrote(new BucketEncryption.Kms("key-1", DataCipher.Aes256, "project-1", BucketKeyEnabled: true), Kms),
            [
                "Warning DriftDetected/Get: Bucket b: default encryption was changed by somebody else, from KMS with "
                    + "key key-1 and SM4 data encryption to KMS with key key-1 of project project-1 and a bucket key.",
                "Normal EncryptionApplied/Put: Bucket b: default encryption is now KMS with key key-1 and SM4 data "
                    + "encryption; it was KMS with key key-1 of project project-1 and a bucket key.",
            ]
        ),
        ["what is blocked is in the words too"] = (
            InSync(Aes with { Blocked = BlockedTypes.Of("SSE-C") }),
            Wrote(Aes with { Blocked = BlockedTypes.Of() }, Aes with { Blocked = BlockedTypes.Of("SSE-C") }),
            [
                "Warning DriftDetected/Get: Bucket b: default encryption was changed by somebody else, from AES256 and "
                    + "SSE-C blocked to AES256.",
                "Normal EncryptionApplied/Put: Bucket b: default encryption is now AES256 and SSE-C blocked; it was "
                    + "AES256.",
            ]
        ),
        ["a write for a new spec corrects no drift"] = (
            InSync(Aes).NextGeneration(),
            Wrote(Aes, Kms),
            [
                "Normal EncryptionApplied/Put: Bucket b: default encryption is now KMS with key key-1 and SM4 data "
                    + "encryption; it was AES256.",
            ]
        ),
        ["a resync that finds all right is silent"] = (InSync(Aes), Good(), []),
        ["a vendor's error names code and request, and no text of the vendor's"] = (
            Given.Policy("b"),
            Fails(Denied),
            [
                "Warning VendorError/GetBucketEncryption: Bucket b: GetBucketEncryption failed with AccessDenied "
                    + "(HTTP 403). Grant the right. Request req-1.",
            ]
        ),
        ["the same error again is silent"] = (
            After(Given.Policy("b"), Fails(Denied)),
            Fails(Denied with { RequestId = "req-2", Message = "other" }),
            []
        ),
        ["another error is not"] = (
            After(Given.Policy("b"), Fails(Denied)),
            Fails(Denied with { Code = "Other", Hint = null }),
            [
                "Warning VendorError/GetBucketEncryption: Bucket b: GetBucketEncryption failed with Other (HTTP 403). "
                    + "Request req-1.",
            ]
        ),
        ["a vendor's code that spells a reason of ours is the vendor's"] = (
            Given.Policy("b"),
            Fails(Denied with { Code = "DowngradeRefused" }),
            [
                "Warning VendorError/GetBucketEncryption: Bucket b: GetBucketEncryption failed with DowngradeRefused "
                    + "(HTTP 403). Grant the right. Request req-1.",
            ]
        ),
        ["a downgrade that is refused says what would be weaker"] = (
            Given.Policy("b"),
            Fails(Downgrade, Kms),
            ["Warning DowngradeRefused/Plan: Bucket b: It would be weaker. Ask."]
        ),
        ["drift that may not be corrected is told once"] = (
            InSync(Aes),
            Fails(Downgrade, Kms),
            [
                "Warning DriftDetected/Get: Bucket b: default encryption was changed by somebody else, from AES256 to "
                    + "KMS with key key-1 and SM4 data encryption.",
                "Warning DowngradeRefused/Plan: Bucket b: It would be weaker. Ask.",
            ]
        ),
        ["and not again"] = (After(InSync(Aes), Fails(Downgrade, Kms)), Fails(Downgrade, Kms), []),
        ["a write that a read does not show yet is told as written"] = (
            Given.Policy("b"),
            new BucketResult("b", new Outcome.Unconfirmed(None, History(1)), new AppliedChange(None, Aes, Now)),
            ["Normal EncryptionApplied/Put: Bucket b: default encryption is now AES256; it was None."]
        ),
        ["drift of a bucket that drops the correction is told once"] = (
            InSync(Aes),
            new BucketResult("b", new Outcome.Unconfirmed(None, History(1)), new AppliedChange(None, Aes, Now)),
            [
                "Warning DriftDetected/Get: Bucket b: default encryption was changed by somebody else, from AES256 to "
                    + "None.",
                "Normal EncryptionApplied/Put: Bucket b: default encryption is now AES256; it was None.",
            ]
        ),
        ["a blown fuse calls for a person"] = (
            After(Given.Policy("b"), new BucketResult("b", new Outcome.Unconfirmed(None, History(2)))),
            new BucketResult("b", new Outcome.Unconfirmed(None, History(3))),
            [
                "Warning NotConverging/Confirm: Bucket b: Written 3 times, and a read never shows it. Something puts "
                    + "the bucket back, or the vendor ignores the write; some stores name their default key "
                    + "where a write names none: then leave spec.encryption.kmsKey out. The next write comes later "
                    + "each time; a change of spec.encryption resets that.",
            ]
        ),
        ["a lease that is not held is nobody's trouble"] = (
            Given.Policy("b"),
            Fails(new Failure(FailureKind.Conflict, NotLeading.CheckLease, "NotLeading"), None),
            []
        ),
    };

    private static Failure Denied =>
        new(FailureKind.Denied, "GetBucketEncryption", "AccessDenied")
        {
            HttpStatus = 403,
            RequestId = "req-1",
            Message = "SECRET TEXT",
            Hint = "Grant the right.",
        };

    private static Failure Downgrade =>
        new(FailureKind.Refused, "Plan", "DowngradeRefused") { Message = "It would be weaker.", Hint = "Ask." };

    public static TheoryData<string> Sentences => new(Table.Keys);

    [Theory]
    [MemberData(nameof(Sentences))]
    public void A_change_is_told_once(string sentence)
    {
        var (before, found, told) = Table[sentence];

        var occurrences = Tell(before, new Findings([found], Failure: null, Attempt: 0));

        Assert.Equal(
            told,
            occurrences.Select(o => $"{(o.IsWarning ? "Warning" : "Normal")} {o.Reason}/{o.Action}: {o.Note}")
        );
        Assert.All(
            occurrences,
            o =>
                Assert.Equal(
                    (Given.PolicyKey, "policy-uid", "BucketEncryptionPolicy", Now),
                    (o.Subject.Key, o.Subject.Uid, o.Subject.Kind, o.At)
                )
        );
    }

    [Fact]
    public void Buckets_to_which_the_same_happened_share_an_event()
    {
        var names = Enumerable.Range(0, 256).Select(i => $"bucket-{i:000}").ToArray();
        var findings = new Findings(
            [
                .. names.Select(
                    (n, i) =>
                        i < 12
                            ? new BucketResult(n, new Outcome.InSync(Aes), new AppliedChange(None, Aes, Now))
                            : new BucketResult(n, new Outcome.Failed(Denied with { RequestId = $"req-{i}" }, null))
                ),
            ],
            Failure: null,
            Attempt: 0
        );

        var occurrences = Tell(Given.Policy(names), findings);

        Assert.Equal(
            [
                "Buckets bucket-000, bucket-001, bucket-002, bucket-003, bucket-004, bucket-005, bucket-006, "
                    + "bucket-007, bucket-008, bucket-009 and 2 more: default encryption is now AES256; it was None.",
                "Buckets bucket-012, bucket-013, bucket-014, bucket-015, bucket-016, bucket-017, bucket-018, "
                    + "bucket-019, bucket-020, bucket-021 and 234 more: GetBucketEncryption failed with "
                    + "AccessDenied (HTTP 403). Grant the right. Request req-12.",
            ],
            occurrences.Select(o => o.Note)
        );
    }

    private static List<Occurrence> Tell(BucketEncryptionPolicy policy, Findings findings) =>
        [
            .. PolicyEvents.Done(policy, findings, Now),
            .. PolicyEvents.Changes(
                policy,
                StatusComposer.Compose(policy, findings, TimeSpan.FromHours(24), Now),
                findings.Written,
                Now
            ),
        ];

    private static BucketEncryptionPolicy After(BucketEncryptionPolicy policy, BucketResult found) =>
        policy with
        {
            Status = StatusComposer
                .Compose(policy, new Findings([found], Failure: null, Attempt: 0), TimeSpan.FromHours(24), Now)
                .Status,
        };

    private static BucketEncryptionPolicy InSync(BucketEncryption encryption) =>
        After(Given.Policy("b"), new BucketResult("b", new Outcome.InSync(encryption)));

    private static BucketResult Good() => new("b", new Outcome.InSync(Aes));

    private static BucketResult Wrote(BucketEncryption from, BucketEncryption to) =>
        new("b", new Outcome.InSync(to), new AppliedChange(from, to, Now));

    private static BucketResult Fails(Failure failure, BucketEncryption? observed = null) =>
        new("b", new Outcome.Failed(failure, observed));

    private static WriteHistory History(int count) => new("AES256", count, Now.AddMinutes(1));
}
