using System.Collections.Frozen;
using System.Globalization;
using static BucketEncryptionOperator.Encryption.FailureKind;
using static BucketEncryptionOperator.Encryption.ReasonEvent;
using static BucketEncryptionOperator.Encryption.ReasonTraits;

namespace BucketEncryptionOperator.Encryption;

/// <summary>
/// All reasons of the operator's own, one row per reason: name, kind of failure, event, traits. Whatever is decided by
/// a reason is decided by its row. The codes of vendors are not here: each vendor has a table of its own
/// (<c>Vendors/…/…Errors.cs</c>). To add one: a row, the place that returns it, its heading in
/// docs/troubleshooting.md, and a scenario.
/// </summary>
internal static class Reasons
{
    /// <summary>Filled by the initializers below, which run in the order of the text.</summary>
    private static readonly List<Reason> Rows = [];

    // Conditions of a policy
    public static readonly Reason InSync = Row("InSync");
    public static readonly Reason Audited = Row("Audited");
    public static readonly Reason Suspended = Row("Suspended");
    public static readonly Reason Pending = Row("Pending");
    public static readonly Reason Releasing = Row("Releasing");
    public static readonly Reason MultipleErrors = Row("MultipleErrors");
    public static readonly Reason CredentialsRejected = Row("CredentialsRejected");
    public static readonly Reason NotTheStore = Row("NotTheStore");
    public static readonly Reason Unspecified = Row("Unspecified");
    public static readonly Reason AsDeclared = Row("AsDeclared");
    public static readonly Reason NotAsDeclared = Row("NotAsDeclared");
    public static readonly Reason NotRead = Row("NotRead");
    public static readonly FailureReason OperatorBug = Row("OperatorBug", Bug);

    // Conditions of a store
    public static readonly Reason KeysAccepted = Row("KeysAccepted");
    public static readonly Reason KeysResolved = Row("KeysResolved");

    // The spec of a policy or store
    public static readonly FailureReason InvalidSpec = Row("InvalidSpec", Invalid);
    public static readonly FailureReason StoreNotFound = Row("StoreNotFound", Missing);
    public static readonly FailureReason StoreNotAllowed = Row("StoreNotAllowed", Missing);
    public static readonly FailureReason ClusterStoresNotServed = Row("ClusterStoresNotServed", Invalid);
    public static readonly FailureReason EndpointNotAllowed = Row("EndpointNotAllowed", Invalid);
    public static readonly FailureReason AmbientNotAllowed = Row("AmbientNotAllowed", Invalid);
    public static readonly FailureReason RoleNotAllowed = Row("RoleNotAllowed", Invalid);

    // Keys in a Secret
    public static readonly FailureReason SecretNotFound = Row("SecretNotFound", Missing);
    public static readonly FailureReason SecretForbidden = Row("SecretForbidden", Denied);
    public static readonly FailureReason SecretUnreadable = Row("SecretUnreadable", Transient);
    public static readonly FailureReason SecretInvalid = Row("SecretInvalid", Denied);
    public static readonly FailureReason SecretKeysNotOffered = Row("SecretKeysNotOffered", Denied);

    // Keys of a service account of the store's namespace
    public static readonly FailureReason ServiceAccountNotFound = Row("ServiceAccountNotFound", Missing);
    public static readonly FailureReason ServiceAccountForbidden = Row("ServiceAccountForbidden", Denied);
    public static readonly FailureReason ServiceAccountNotOffered = Row("ServiceAccountNotOffered", Denied);
    public static readonly FailureReason ServiceAccountUnreadable = Row("ServiceAccountUnreadable", Transient);
    public static readonly FailureReason AudienceNotAllowed = Row("AudienceNotAllowed", Denied);

    // Keys of the operator's own identities
    public static readonly FailureReason TokenFileNotNamed = Row("TokenFileNotNamed", Denied);
    public static readonly FailureReason TokenFileMissing = Row("TokenFileMissing", Denied);
    public static readonly FailureReason TokenFileUnreadable = Row("TokenFileUnreadable", Denied);
    public static readonly FailureReason TokenFileInvalid = Row("TokenFileInvalid", Denied);
    public static readonly FailureReason RoleNotGiven = Row("RoleNotGiven", Denied);
    public static readonly FailureReason TokenServiceInvalid = Row("TokenServiceInvalid", Denied);
    public static readonly FailureReason MetadataDisabled = Row("MetadataDisabled", Denied);
    public static readonly FailureReason NoRamRole = Row("NoRamRole", Denied);
    public static readonly FailureReason PodIdentityNotSetUp = Row("PodIdentityNotSetUp", Denied);
    public static readonly FailureReason KeyExpired = Row("KeyExpired", Transient, VendorError);

    // Decisions about one bucket
    public static readonly FailureReason DowngradeRefused = Row("DowngradeRefused", Refused, Warning, PlanRefusal);
    public static readonly FailureReason KmsKeyRequired = Row("KmsKeyRequired", Refused, Warning, PlanRefusal);
    public static readonly FailureReason ReadOnly = Row("ReadOnly", Refused); // DriftDetected reports it
    public static readonly FailureReason OriginalTooLarge = Row("OriginalTooLarge", Refused, Warning);
    public static readonly FailureReason AwaitingRelease = Row("AwaitingRelease", Refused, Warning, Awaited);

    // Writes
    public static readonly FailureReason Confirming = Row("Confirming", Conflict, traits: Awaited);
    public static readonly Reason NotConverging = Row("NotConverging", Warning, BackOff);
    public static readonly Reason DisableNotEffective = Row("DisableNotEffective", Warning, BackOff);
    public static readonly Reason Contested = Row("Contested", Warning, BackOff);
    public static readonly FailureReason SpecChanged = Row("SpecChanged", Conflict);
    public static readonly FailureReason KeepsChanging = Row("KeepsChanging", Conflict);
    public static readonly FailureReason NotOnRecord = Row("NotOnRecord", Conflict);
    public static readonly FailureReason NotLeading = Row("NotLeading", Conflict);
    public static readonly FailureReason NotReached = Row("NotReached", Conflict, traits: Unfinished | NotLogged);

    // Whether a KMS key can be used: the condition KeyUsable
    public static readonly Reason KeyEnabled = Row("KeyEnabled", Normal);
    public static readonly Reason KeyDisabled = Row("KeyDisabled", Warning, DeadKey);
    public static readonly Reason KeyPendingDeletion = Row("KeyPendingDeletion", Warning, DeadKey);
    public static readonly Reason KeyPendingImport = Row("KeyPendingImport", Warning, DeadKey);
    public static readonly Reason KeyNotFound = Row("KeyNotFound", Warning);
    public static readonly Reason KeyInOtherRegion = Row("KeyInOtherRegion", Warning);
    public static readonly Reason KeyNotForEncryption = Row("KeyNotForEncryption", Warning);
    public static readonly Reason KeyUnavailable = Row("KeyUnavailable", Warning);
    public static readonly FailureReason DescribeKeyDenied = Row("DescribeKeyDenied", Denied);
    public static readonly FailureReason KeyProjectUnknown = Row("KeyProjectUnknown", Invalid);
    public static readonly FailureReason KeyServiceFailed = Row("KeyServiceFailed", Transient);
    public static readonly FailureReason KeyUnusable = Row("KeyUnusable", Refused, Warning, PlanRefusal);

    // Buckets that a selector selects
    public static readonly FailureReason SelectorNotAllowed = Row("SelectorNotAllowed", Invalid);
    public static readonly FailureReason ListDoubtful = Row("ListDoubtful", Refused);
    public static readonly FailureReason TooManyBuckets = Row("TooManyBuckets", Refused);
    public static readonly FailureReason TooManyWrites = Row("TooManyWrites", Refused, Warning);
    public static readonly FailureReason AwaitingList = Row("AwaitingList", Conflict, traits: Awaited);
    public static readonly FailureReason NotListed = Row("NotListed", Refused, Warning);
    public static readonly FailureReason OwnedByOthers = Row("OwnedByOthers", Refused, Warning, Noted);

    // Other policies that name the bucket
    public static readonly FailureReason BucketConflict = Row("BucketConflict", Refused, Warning);
    public static readonly FailureReason HeldByAnother = Row("HeldByAnother", Conflict, traits: Awaited);
    public static readonly FailureReason OwnerSuspended = Row("OwnerSuspended", Refused, Warning);
    public static readonly FailureReason OwnerRefused = Row("OwnerRefused", Refused, Warning);
    public static readonly FailureReason OwnerDenied = Row("OwnerDenied", Refused, Warning);
    public static readonly FailureReason OwnerNotConverging = Row("OwnerNotConverging", Refused, Warning);
    public static readonly FailureReason OwnerFailed = Row("OwnerFailed", Refused, Warning);

    // The release of a bucket
    public static readonly FailureReason AwaitingSuccessor = Row("AwaitingSuccessor", Conflict, traits: Awaited);
    public static readonly FailureReason RestoreUnavailable = Row("RestoreUnavailable", Refused, Warning);
    public static readonly FailureReason BucketElsewhere = Row("BucketElsewhere", Refused, Warning);
    public static readonly FailureReason StatusLost = Row("StatusLost", Refused, Warning);

    // The way to the vendor
    public static readonly FailureReason RateLimited = Row("RateLimited", Throttled, VendorError, Unfinished);
    public static readonly FailureReason EndpointDown = Row("EndpointDown", Transient, VendorError);
    public static readonly FailureReason Timeout = Row("Timeout", Transient, VendorError, NoAnswer);
    public static readonly FailureReason Unreachable = Row("Unreachable", Transient, VendorError, NoAnswer);
    public static readonly FailureReason NameNotResolved = Row("NameNotResolved", Transient, VendorError);
    public static readonly FailureReason TlsFailed = Row("TlsFailed", Transient, VendorError);
    public static readonly FailureReason BrokenAnswer = Row("BrokenAnswer", Transient, VendorError, NoAnswer);
    public static readonly FailureReason AnswerTooLarge = Row("AnswerTooLarge", Transient, VendorError);
    public static readonly FailureReason AddressNotAllowed = Row("AddressNotAllowed", Refused, VendorError);
    public static readonly FailureReason Md5NotAvailable = Row("Md5NotAvailable", Refused, VendorError);

    // Answers whose code is the operator's
    public static readonly FailureReason UnreadableAnswer = Row("UnreadableAnswer", Transient, VendorError);
    public static readonly FailureReason DocumentNotUnderstood = Row("DocumentNotUnderstood", Refused, VendorError);
    public static readonly FailureReason EncryptionNotOffered = Row("EncryptionNotOffered", Refused, VendorError);
    public static readonly Reason Withheld = Row("Withheld", VendorError);
    public static readonly Reason HttpStatus = Row("HTTP_nnn", VendorError); // the form of OfStatus

    // Events that are no errors
    public static readonly Reason EncryptionApplied = Row("EncryptionApplied", Normal);
    public static readonly Reason EncryptionRemoved = Row("EncryptionRemoved", Normal);
    public static readonly Reason DriftDetected = Row("DriftDetected", Warning);

    /// <summary>The event of every error that has none of its own, most of them the vendor's.</summary>
    public static readonly Reason CommonEvent = Row("VendorError", Warning);

    private static readonly FrozenDictionary<string, Reason> ByName = Rows.ToFrozenDictionary(
        r => r.Name,
        StringComparer.Ordinal
    );

    public static IReadOnlyCollection<Reason> All => ByName.Values;

    /// <summary>Returns the row of an error's code.</summary>
    /// <param name="httpStatus">Null where no answer came.</param>
    /// <returns>Null for a code that came with an answer: it is the vendor's word, whatever it spells.</returns>
    public static Reason? Find(string code, int? httpStatus) =>
        httpStatus is null ? ByName.GetValueOrDefault(code) : null;

    /// <summary>The code of an answer that has none of the vendor's: <c>HTTP_502</c>.</summary>
    public static string OfStatus(int status) => string.Create(CultureInfo.InvariantCulture, $"HTTP_{status}");

    private static Reason Row(string name, ReasonEvent made = ReasonEvent.None, ReasonTraits traits = ReasonTraits.None)
    {
        var row = new Reason(name, made, traits);
        Rows.Add(row);
        return row;
    }

    private static FailureReason Row(
        string name,
        FailureKind kind,
        ReasonEvent made = ReasonEvent.None,
        ReasonTraits traits = ReasonTraits.None
    )
    {
        var row = new FailureReason(name, kind, made, traits);
        Rows.Add(row);
        return row;
    }
}
