using System.Collections.Frozen;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors;

/// <summary>What some codes of a vendor mean, and what a person can do about them.</summary>
internal sealed record ErrorMeaning(FailureKind Kind, string Hint, params IReadOnlyList<string> Codes)
{
    /// <summary>The access key itself is the trouble.</summary>
    public bool ConcernsCredentials { get; init; }
}

/// <summary>How one vendor tells errors, beside its codes.</summary>
internal sealed record ErrorDialect
{
    /// <summary>The first that is there is the request's id, unless the body has it.</summary>
    public required IReadOnlyList<string> RequestIdHeaders { get; init; }

    /// <summary>The hint for a right on the KMS key that is missing.</summary>
    public required string KmsRight { get; init; }

    /// <summary>Alibaba Cloud's fine number.</summary>
    public string? EcHeader { get; init; }

    /// <summary>Holds the body in base64 when there is none.</summary>
    public string? BodyHeader { get; init; }

    /// <summary>Headers that begin so hold the fields when there is no body: <c>…code</c>, <c>…message</c>.</summary>
    public string? FieldHeaders { get; init; }

    /// <summary>On a read they mean that nothing is configured, for nothing can be.</summary>
    public IReadOnlyList<string> NotConfigurable { get; init; } = [];

    /// <summary>A 503 without a known code is the vendor's word for "slower".</summary>
    public bool Unnamed503Throttles { get; init; }

    /// <summary>A better hint than the table's, where only the text tells who can help; or null.</summary>
    public Func<ErrorAnswer, string?> Refine { get; init; } = _ => null;
}

/// <summary>
/// From a vendor's error answer to a failure that the operator knows. The code decides; the status only where the code is unknown,
/// and it never says "not configured": a 404 is also a missing bucket or key.
/// </summary>
internal sealed class ErrorTable(ErrorDialect dialect, params IEnumerable<ErrorMeaning> rows)
{
    public const string Skewed = "RequestTimeTooSkewed";

    /// <summary>Each vendor has one; where nobody has confirmed which, any will do: each says just this.</summary>
    private static readonly FrozenSet<string> NotConfigured = FrozenSet.Create(
        StringComparer.Ordinal, "NoSuchServerSideEncryptionRule", "NoSuchEncryptionConfiguration", "ServerSideEncryptionConfigurationNotFoundError");

    /// <summary>A vendor's own rows go before the common ones.</summary>
    private readonly FrozenDictionary<string, ErrorMeaning> _rows = CommonErrors.Rows.Concat(rows)
        .SelectMany(r => r.Codes.Select(c => (Code: c, Row: r)))
        .GroupBy(p => p.Code, StringComparer.Ordinal)
        .ToFrozenDictionary(g => g.Key, g => g.Last().Row, StringComparer.Ordinal);

    /// <summary>Those that have a row.</summary>
    public IEnumerable<string> Codes => _rows.Keys;

    /// <summary>Whether a code is one that somebody has written down: vendors have more, and may invent some.</summary>
    public bool Knows(string code) => _rows.ContainsKey(code) || NotConfigured.Contains(code);

    /// <summary>Nothing is configured.</summary>
    public static bool SaysNotConfigured(Failure failure) => NotConfigured.Contains(failure.Code);

    /// <summary>Nothing is configured, and nothing can be: a value on a read, a refusal on a write.</summary>
    public bool SaysNotConfigurable(Failure failure) => dialect.NotConfigurable.Contains(failure.Code, StringComparer.Ordinal);

    public string? RequestId(VendorResponse response) => RequestId(new ErrorAnswer(response, bodyHeader: null, fieldHeaders: null));

    public Failure Read(VendorResponse response, string operation)
    {
        var answer = new ErrorAnswer(response, dialect.BodyHeader, dialect.FieldHeaders);
        var row = _rows.GetValueOrDefault(answer.Code) ?? OfKeyService(answer.Code) ?? ByStatus(answer.Status);
        return new Failure(row.Kind, operation, answer.Code)
        {
            HttpStatus = answer.Status,
            Ec = dialect.EcHeader is null ? null : answer.Field("EC") ?? answer.Header(dialect.EcHeader),
            Message = answer.Message,
            Hint = dialect.Refine(answer) ?? row.Hint,
            Endpoint = answer.Endpoint,
            RequestId = answer.Field("RequestId") ?? RequestId(answer),
            RetryAfter = response.Headers.RetryAfter?.Delta,
            ConcernsCredentials = row.ConcernsCredentials,
            IsVendorAnswer = answer.HasCode,
        };
    }

    private string? RequestId(ErrorAnswer answer) => dialect.RequestIdHeaders.Select(answer.Header).FirstOrDefault(id => id is not null);

    /// <summary>Key services pass their codes through the store: <c>KMS.NotFoundException</c>, and more than anybody lists.</summary>
    private ErrorMeaning? OfKeyService(string code) =>
        !code.StartsWith("KMS.", StringComparison.Ordinal) ? null
        : code.Contains("AccessDenied", StringComparison.Ordinal) ? new(FailureKind.Denied, dialect.KmsRight)
        : code.Contains("Throttling", StringComparison.Ordinal) ? new(FailureKind.Throttled, "The key service asks to go slower.")
        : code.Contains("Internal", StringComparison.Ordinal) ? new(FailureKind.Transient, "The key service failed.")
        : new(FailureKind.Refused, "The key service refuses the key: correct spec.encryption.kmsKey.id, or mend the key.");

    private ErrorMeaning ByStatus(int status) => status switch
    {
        503 when dialect.Unnamed503Throttles => new(FailureKind.Throttled, "The vendor asks to go slower: its limit of requests a bucket is reached."),
        429 => new(FailureKind.Throttled, "Whoever answers asks to go slower."),
        >= 500 => new(FailureKind.Transient, "The vendor, or a proxy on the way, failed."),
        401 or 403 => new(FailureKind.Denied, "The vendor's error page for this code tells what is missing."),
        >= 300 and < 400 => new(FailureKind.Refused, "The bucket is behind another endpoint: correct the store's endpoint and region."),
        _ => new(FailureKind.Refused, "The vendor's error page for this code tells what is wrong."),
    };
}
