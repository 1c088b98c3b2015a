using System.Reflection;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Tests.Encryption;

/// <summary>
/// Reasons are API: people wait for them, alert by them, and look them up. The pages are held by ReasonPagesTests.
/// </summary>
public sealed class ReasonsTests
{
    /// <summary>
    /// Name, kind of failure, event, and traits where there are any. A new reason comes in with the next release of the
    /// API; until then its heading in the docs and its scenario hold it.
    /// </summary>
    private const string Pinned = """
        InSync | - | -
        Audited | - | -
        Suspended | - | -
        Pending | - | -
        Releasing | - | -
        MultipleErrors | - | -
        CredentialsRejected | - | -
        NotTheStore | - | -
        Unspecified | - | -
        AsDeclared | - | -
        NotAsDeclared | - | -
        NotRead | - | -
        OperatorBug | Bug | -
        KeysAccepted | - | -
        KeysResolved | - | -
        InvalidSpec | Invalid | -
        StoreNotFound | Missing | -
        StoreNotAllowed | Missing | -
        ClusterStoresNotServed | Invalid | -
        EndpointNotAllowed | Invalid | -
        AmbientNotAllowed | Invalid | -
        SecretNotFound | Missing | -
        SecretForbidden | Denied | -
        SecretUnreadable | Transient | -
        SecretInvalid | Denied | -
        SecretKeysNotOffered | Denied | -
        TokenFileNotNamed | Denied | -
        TokenFileMissing | Denied | -
        TokenFileUnreadable | Denied | -
        TokenFileInvalid | Denied | -
        RoleNotGiven | Denied | -
        TokenServiceInvalid | Denied | -
        MetadataDisabled | Denied | -
        NoRamRole | Denied | -
        KeyExpired | Transient | VendorError
        DowngradeRefused | Refused | Warning | PlanRefusal
        KmsKeyRequired | Refused | Warning | PlanRefusal
        ReadOnly | Refused | -
        OriginalTooLarge | Refused | Warning
        AwaitingRelease | Refused | Warning | Awaited
        Confirming | Conflict | - | Awaited
        NotConverging | - | Warning | BackOff
        DisableNotEffective | - | Warning | BackOff
        Contested | - | Warning | BackOff
        SpecChanged | Conflict | -
        KeepsChanging | Conflict | -
        NotOnRecord | Conflict | -
        NotLeading | Conflict | -
        NotReached | Conflict | - | Unfinished, NotLogged
        SelectorNotAllowed | Invalid | -
        ListDoubtful | Refused | -
        TooManyBuckets | Refused | -
        TooManyWrites | Refused | Warning
        AwaitingList | Conflict | - | Awaited
        NotListed | Refused | Warning
        OwnedByOthers | Refused | Warning | Noted
        BucketConflict | Refused | Warning
        HeldByAnother | Conflict | - | Awaited
        OwnerSuspended | Refused | Warning
        OwnerRefused | Refused | Warning
        OwnerDenied | Refused | Warning
        OwnerNotConverging | Refused | Warning
        OwnerFailed | Refused | Warning
        AwaitingSuccessor | Conflict | - | Awaited
        RestoreUnavailable | Refused | Warning
        BucketElsewhere | Refused | Warning
        StatusLost | Refused | Warning
        RateLimited | Throttled | VendorError | Unfinished
        EndpointDown | Transient | VendorError
        Timeout | Transient | VendorError | NoAnswer
        Unreachable | Transient | VendorError | NoAnswer
        NameNotResolved | Transient | VendorError
        TlsFailed | Transient | VendorError
        BrokenAnswer | Transient | VendorError | NoAnswer
        AnswerTooLarge | Transient | VendorError
        AddressNotAllowed | Refused | VendorError
        Md5NotAvailable | Refused | VendorError
        UnreadableAnswer | Transient | VendorError
        DocumentNotUnderstood | Refused | VendorError
        EncryptionNotOffered | Refused | VendorError
        Withheld | - | VendorError
        HTTP_nnn | - | VendorError
        EncryptionApplied | - | Normal
        EncryptionRemoved | - | Normal
        DriftDetected | - | Warning
        VendorError | - | Warning
        """;

    [Fact]
    public void No_reason_changes_its_name_kind_event_or_traits_by_accident()
    {
        var rows = Reasons.All.Select(r =>
            $"{r.Name} | {(r is FailureReason f ? $"{f.Kind}" : "-")} | "
            + $"{(r.Event == ReasonEvent.None ? "-" : $"{r.Event}")}"
            + (r.Traits == ReasonTraits.None ? "" : $" | {r.Traits}")
        );

        Assert.Empty(Pinned.Split('\n').Except(rows, StringComparer.Ordinal));
    }

    [Fact]
    public void Every_field_of_the_table_is_a_row_of_it()
    {
        var fields = typeof(Reasons)
            .GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(f => f.GetValue(obj: null))
            .OfType<Reason>();

        Assert.Equal(
            fields.Select(r => r.Name).Order(StringComparer.Ordinal),
            Reasons.All.Select(r => r.Name).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void A_code_that_came_with_an_answer_is_the_vendors_whatever_it_spells()
    {
        var forged = new Failure(FailureKind.Refused, "GetBucketEncryption", "DowngradeRefused") { HttpStatus = 403 };

        Assert.Same(Reasons.DowngradeRefused, Reasons.Find("DowngradeRefused", httpStatus: null));
        Assert.Null(Reasons.Find("DowngradeRefused", httpStatus: 403));
        Assert.Null(Reasons.Find("AccessDenied", httpStatus: null));
        Assert.False(forged.Has(ReasonTraits.PlanRefusal));
    }

    [Fact]
    public void A_failure_has_the_kind_and_the_name_of_its_reason()
    {
        var failure = new Failure(Reasons.RateLimited, "GetBucketEncryption");

        Assert.Equal(new Failure(FailureKind.Throttled, "GetBucketEncryption", "RateLimited"), failure);
        Assert.True(failure.Has(ReasonTraits.Unfinished));
    }

    [Fact]
    public void An_answer_without_a_code_has_its_status_for_one() => Assert.Equal("HTTP_502", Reasons.OfStatus(502));
}
