using System.Collections.Frozen;
using System.Collections.Immutable;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>What some codes of a vendor mean, and what a person can do about them.</summary>
internal sealed record ErrorMeaning(FailureKind Kind, string Hint, params IReadOnlyList<string> Codes)
{
    /// <summary>The access key itself is the cause.</summary>
    public bool ConcernsCredentials { get; init; }

    /// <summary>
    /// The hint in answer to a read, which carries none of the values that a write does; null: the same.
    /// </summary>
    public string? HintOnRead { get; init; }
}

/// <summary>Where one vendor puts what it says about errors, besides its codes.</summary>
internal sealed record ErrorDialect
{
    /// <summary>The first of these headers that is present holds the request id, unless the body has it.</summary>
    public required IReadOnlyList<string> RequestIdHeaders { get; init; }

    /// <summary>The hint for a right on the KMS key that is missing.</summary>
    public required string KmsRight { get; init; }

    /// <summary>Operation on an account → the hint for the right to it that is missing.</summary>
    public IReadOnlyDictionary<string, string> AccountRights { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Header with a number that is finer than the code.</summary>
    public string? EcHeader { get; init; }

    /// <summary>Header that holds the body in base64 when the answer has no body.</summary>
    public string? BodyHeader { get; init; }

    /// <summary>
    /// Prefix of the headers that hold the fields when there is no body: <c>…code</c>, <c>…message</c>.
    /// </summary>
    public string? FieldHeaders { get; init; }

    /// <summary>Errors may be JSON objects.</summary>
    public bool WritesJson { get; init; }

    /// <summary>Codes that mean on a read that nothing is configured, because nothing can be.</summary>
    public IReadOnlyList<string> NotConfigurable { get; init; } = [];

    /// <summary>A 503 without a known code is how the vendor asks to go slower.</summary>
    public bool Unnamed503Throttles { get; init; }

    /// <summary>Returns a better hint than the table's, where only the text says who can help; or null.</summary>
    public Func<ErrorAnswer, string?> Refine { get; init; } = _ => null;

    /// <summary>Returns another meaning than the table's, where the code alone does not say it; or null.</summary>
    public Func<ErrorAnswer, ErrorMeaning?> Reread { get; init; } = _ => null;
}

/// <summary>
/// Turns a vendor's error answer into a failure that the operator knows. The code decides; the status only where the
/// code is unknown, and it never says "not configured": a 404 is also a missing bucket or key. An answer without the
/// vendor's code is not the vendor's (<see cref="ErrorAnswer"/>): it passes by itself, whatever its status.
/// </summary>
internal sealed class ErrorTable(ErrorDialect dialect, params IEnumerable<ErrorMeaning> rows)
{
    public const string Skewed = "RequestTimeTooSkewed";
    public const string AccessDenied = "AccessDenied";
    public const string NotOfferedHint = "The store does not offer bucket encryption.";

    private const string OtherRights = "Grant the key's owner the right to this request.";

    private const string ForeignHint =
        "Something in front of the store answered, or the endpoint is not the store: look at gateways, proxies and "
        + "load balancers on the way.";

    /// <summary>Each vendor has one of them. Which one is UNCONFIRMED for some, so any of them is accepted.</summary>
    private static readonly FrozenSet<string> NotConfigured = FrozenSet.Create(
        StringComparer.Ordinal,
        "NoSuchServerSideEncryptionRule",
        "NoSuchEncryptionConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError"
    );

    /// <summary>The second is that of older releases of Ceph.</summary>
    private static readonly FrozenSet<string> NoTags = FrozenSet.Create(
        StringComparer.Ordinal,
        "NoSuchTagSet",
        "NoSuchTagSetError"
    );

    /// <summary>A vendor's own rows take precedence over the common ones.</summary>
    private readonly FrozenDictionary<string, ErrorMeaning> _rows = CommonErrors
        .Rows.Concat(rows)
        .SelectMany(r => r.Codes.Select(c => (Code: c, Row: r)))
        .GroupBy(p => p.Code, StringComparer.Ordinal)
        .ToFrozenDictionary(g => g.Key, g => g.Last().Row, StringComparer.Ordinal);

    /// <summary>Codes that have a row.</summary>
    public IEnumerable<string> Codes => _rows.Keys;

    /// <summary>Whether a code is known here: vendors have more, and an endpoint may invent some.</summary>
    public bool Knows(string code) => IsInTable(code) || Answers.OwnCodes.Contains(code);

    /// <summary>
    /// Nothing is configured. Beside a status that contradicts it (a redirect, a 5xx, a 200), the code does not say so.
    /// </summary>
    public static bool SaysNotConfigured(Failure failure) => IsRefusal(failure) && NotConfigured.Contains(failure.Code);

    /// <summary>Nothing is configured, and nothing can be: a value on a read, a refusal on a write.</summary>
    public bool SaysNotConfigurable(Failure failure) =>
        IsRefusal(failure) && dialect.NotConfigurable.Contains(failure.Code, StringComparer.Ordinal);

    /// <summary>The bucket has no tags.</summary>
    public static bool SaysNoTags(Failure failure) =>
        failure.Operation == AnswerContext.GetTags && IsRefusal(failure) && NoTags.Contains(failure.Code);

    public Failure Read(VendorResponse response, AnswerContext context)
    {
        var answer = new ErrorAnswer(response, dialect, IsInTable, context);
        var row = answer.IsVendors ? Meaning(answer) : Foreign(answer.Status);
        return new Failure(row.Kind, context.Operation, answer.Code)
        {
            HttpStatus = answer.Status,
            Ec = dialect.EcHeader is null ? null : answer.Field("EC") ?? answer.Header(dialect.EcHeader),
            Message = answer.Message,
            Hint = dialect.Refine(answer) ?? HintOf(row, answer),
            Endpoint = answer.Endpoint,
            RequestId = answer.RequestId,
            RetryAfter = response.RetryAfter(context.Now),
            ConcernsCredentials = row.ConcernsCredentials,
            IsVendorAnswer = answer.IsVendors,
            IsForeign = !answer.IsVendors && !IsDocumentedThrottle(answer.Status),
        };
    }

    private string HintOf(ErrorMeaning row, ErrorAnswer answer)
    {
        var context = answer.Context;
        if (context.IsOfAccount && answer is { IsVendors: true, Code: AccessDenied })
            return dialect.AccountRights.GetValueOrDefault(context.Operation, OtherRights);
        if (context.IsOfAccount && row.Hint.StartsWith(NotOfferedHint, StringComparison.Ordinal))
            return "The store does not offer this request.";
        return (context.IsRead ? row.HintOnRead : null) ?? row.Hint;
    }

    private static bool IsRefusal(Failure failure) => failure is { IsVendorAnswer: true, HttpStatus: >= 400 and < 500 };

    private bool IsInTable(string code) =>
        _rows.ContainsKey(code) || NotConfigured.Contains(code) || NoTags.Contains(code);

    private bool IsDocumentedThrottle(int status) => status == 503 && dialect.Unnamed503Throttles;

    private ErrorMeaning Meaning(ErrorAnswer answer) =>
        dialect.Reread(answer) ?? _rows.GetValueOrDefault(answer.Code) ?? OfKeyService(answer.Code) ?? ByStatus(answer);

    /// <summary>
    /// Key services pass their codes through the store: <c>KMS.NotFoundException</c>, and more than anybody lists.
    /// </summary>
    private ErrorMeaning? OfKeyService(string code) =>
        !code.StartsWith("KMS.", StringComparison.Ordinal) ? null
        : code.Contains("AccessDenied", StringComparison.Ordinal) ? new(FailureKind.Denied, dialect.KmsRight)
        : code.Contains("Throttling", StringComparison.Ordinal)
            ? new(FailureKind.Throttled, "The key service asks to go slower.")
        : code.Contains("Internal", StringComparison.Ordinal) ? new(FailureKind.Transient, "The key service failed.")
        : new(
            FailureKind.Refused,
            "The key service refuses the key: correct spec.encryption.kmsKey.id, or mend the key."
        );

    /// <summary>Meaning of a vendor's code that is not known here.</summary>
    private ErrorMeaning ByStatus(ErrorAnswer answer) =>
        answer.Status switch
        {
            < 400 or >= 500 when NotConfigured.Contains(answer.Code) => new(
                FailureKind.Transient,
                "The vendor's code and the status of the answer contradict each other."
            ),
            503 when dialect.Unnamed503Throttles => Throttle,
            429 => new(FailureKind.Throttled, "The vendor asks to go slower."),
            501 => new(FailureKind.Refused, NotOfferedHint),
            >= 500 => new(FailureKind.Transient, "The vendor failed."),
            < 300 => new(
                FailureKind.Transient,
                "The vendor answers with a good status and an error; its error page for this code tells more."
            ),
            401 or 403 => new(FailureKind.Denied, "The vendor's error page for this code tells what is missing."),
            < 400 => new(
                FailureKind.Refused,
                "The bucket is behind another endpoint: correct the store's endpoint and region."
            ),
            _ => new(FailureKind.Refused, "The vendor's error page for this code tells what is wrong."),
        };

    private ErrorMeaning Foreign(int status) =>
        status switch
        {
            503 when dialect.Unnamed503Throttles => Throttle,
            429 => new(
                FailureKind.Throttled,
                "Something in front of the store asks to go slower: look at gateways, proxies and load balancers on "
                    + "the way."
            ),
            501 => new(FailureKind.Transient, ForeignHint + " Or the store does not offer bucket encryption."),
            _ => new(FailureKind.Transient, ForeignHint),
        };

    private static ErrorMeaning Throttle { get; } =
        new(FailureKind.Throttled, "The vendor asks to go slower: its limit of requests per bucket is reached.");
}
