using System.Collections.Frozen;
using System.Xml.Linq;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>
/// What a whole answer means: a good status is a success only with the body that the operation returns.
/// docs/design/0013-answers.md has the table over every status and kind of body.
/// </summary>
internal static class Answers
{
    /// <summary>Codes of the operator's own for answers with a status.</summary>
    public static readonly FrozenSet<string> OwnCodes = FrozenSet.Create(
        StringComparer.Ordinal,
        Reasons.UnreadableAnswer.Name,
        Reasons.DocumentNotUnderstood.Name,
        Reasons.EncryptionNotOffered.Name
    );

    /// <summary>
    /// Roots of S3's answers to other requests about a bucket. A gateway's own page does not have them.
    /// </summary>
    private static readonly FrozenSet<string> OtherRoots = FrozenSet.Create(
        StringComparer.Ordinal,
        "ListBucketResult",
        "ListAllMyBucketsResult",
        "ListVersionsResult",
        "ListMultipartUploadsResult",
        "LocationConstraint",
        "AccessControlPolicy",
        "VersioningConfiguration",
        "BucketLoggingStatus",
        "BucketInfo",
        "Tagging",
        "CORSConfiguration",
        "LifecycleConfiguration",
        "NotificationConfiguration",
        "RequestPaymentConfiguration",
        "ReplicationConfiguration",
        "WebsiteConfiguration"
    );

    /// <returns>
    /// Null when the answer is what the operation returns: of a read a document that is understood, of a write nothing
    /// (blanks do not count). "Nothing is configured" is a failure here, which
    /// <see cref="ErrorTable.SaysNotConfigured"/> recognizes.
    /// </returns>
    public static Failure? Problem(IVendorDialect dialect, VendorResponse response, AnswerContext context)
    {
        if (!response.IsSuccess)
            return dialect.Errors.Read(response, context);
        if (!context.IsRead && VendorXml.Start(response.Body).IsEmpty)
            return null;
        var root = response.Root;
        if (context.IsRead && dialect.Document.IsRoot(root) && dialect.Document.Read(root) is not null)
            return null;
        var said = dialect.Errors.Read(response, context);
        if (said.IsVendorAnswer)
            return said;
        if (!context.IsRead)
            return Foreign(said, "The answer to this call should be empty, and is not.");
        if (dialect.Document.IsRoot(root))
            return Unknown(said, dialect.Document.Name);
        return root is not null && OtherRoots.Contains(root.Name.LocalName)
            ? Other(said, root)
            : Foreign(said, $"The answer is not a {dialect.Document.Name} document.");
    }

    /// <returns>
    /// The document that answers a read of an account; null with a failure when the answer is anything else.
    /// "No tags" is a failure here, which <see cref="ErrorTable.SaysNoTags"/> recognizes.
    /// </returns>
    public static Result<XElement> Read(
        IVendorDialect dialect,
        VendorResponse response,
        IAccountDocument expected,
        AnswerContext context
    )
    {
        if (!response.IsSuccess)
            return new(Value: null, dialect.Errors.Read(response, context));
        var root = VendorXml.Parse(response.Body, expected.MaxSize);
        var isExpected = root?.Name.LocalName == expected.Root;
        if (root is not null && isExpected && expected.Understands(root))
            return new(root, Failure: null);
        var said = dialect.Errors.Read(response, context);
        if (said.IsVendorAnswer)
            return new(Value: null, said);
        return new(
            Value: null,
            isExpected
                ? Foreign(said, $"The answer is a {expected.Root} document that this version does not understand.") with
                {
                    IsForeign = false,
                }
                : Foreign(said, $"The answer is not a complete {expected.Root} document.")
        );
    }

    /// <summary>What a read has found.</summary>
    /// <param name="problem">As <see cref="Problem"/> has it.</param>
    public static Result<Observation> Observe(IVendorDialect dialect, VendorResponse response, Failure? problem)
    {
        var found = problem switch
        {
            null => new Observation(
                dialect.Document.Read(response.Root) ?? throw new ArgumentException("no document", nameof(response)),
                response.Body
            ),
            _ when ErrorTable.SaysNotConfigured(problem) || dialect.Errors.SaysNotConfigurable(problem) =>
                new Observation(new BucketEncryption.None(), Document: null) { NotConfigured = problem },
            _ => null,
        };
        return found is null
            ? new(Value: null, problem)
            : new(
                found with
                {
                    NeedsNamedKey = dialect.NeedsNamedKey(response),
                    RefusesIdleBucketKey = dialect.RefusesIdleBucketKey(response),
                },
                Failure: null
            );
    }

    /// <summary>Whether a write is done. What is not there need not be removed.</summary>
    /// <param name="problem">As <see cref="Problem"/> has it.</param>
    public static bool IsDone(Failure? problem, string operation) =>
        problem is null || (operation == AnswerContext.Delete && ErrorTable.SaysNotConfigured(problem));

    private static Failure Foreign(Failure said, string message) =>
        said with
        {
            Code = Reasons.UnreadableAnswer.Name,
            Message = message,
        };

    private static Failure Other(Failure said, XElement root) =>
        said with
        {
            Kind = Reasons.EncryptionNotOffered.Kind,
            Code = Reasons.EncryptionNotOffered.Name,
            IsForeign = false,
            Message = $"The answer is a {root.Name.LocalName} document.",
            Hint = ErrorTable.NotOfferedHint + " It takes the question for another one.",
        };

    private static Failure Unknown(Failure said, string name) =>
        said with
        {
            Kind = Reasons.DocumentNotUnderstood.Kind,
            Code = Reasons.DocumentNotUnderstood.Name,
            IsForeign = false,
            Message = $"The answer is a {name} document that this version does not understand. Nothing was written.",
            Hint =
                "Look at the bucket's encryption with the vendor's own tool, and report the document as a bug of the "
                + "operator's.",
        };
}
