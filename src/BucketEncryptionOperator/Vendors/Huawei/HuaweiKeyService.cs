using System.Globalization;
using System.Text;
using System.Text.Json;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Huawei;

/// <summary>
/// Huawei Cloud's key service (DEW): <c>describe-key</c> in the key's project. Facts and sources:
/// docs/vendors/huawei.md, "KMS keys".
/// </summary>
internal sealed class HuaweiKeyService : IKeyServiceDialect
{
    private const string Operation = "ListKeyDetail";
    private const string Right = "kms:cmk:get";
    private const string ProjectHeader = "X-Project-Id";
    private const string RequestIdHeader = "X-Request-Id";
    private const string JsonType = "application/json";
    private const int LongestProject = 64;

    /// <summary>
    /// The aliases of the keys that the vendor makes for its services, such as <c>obs/default</c>, end in it (DEW's
    /// user guide, "Key types").
    /// </summary>
    private const string VendorsAliases = "/default";

    private static readonly KeyServiceErrors Errors = new(
        Right,
        new Dictionary<string, Func<string, KeyHealth>>(StringComparer.Ordinal)
        {
            ["KMS.0207"] = KeyStates.NotFound,
            ["KMS.0328"] = code => KeyStates.Unavailable(code, "Ask the account's owner why the KMS key is frozen"),
        },
        new KeyErrorMeaning(FailureKind.Denied, Hint: null, "KMS.0306", "KMS.0307", "KMS.0326", "KMS.0330"),
        new KeyErrorMeaning(FailureKind.Denied, KeyServiceErrors.WrongKey, "APIGW.0301", "APIGW.0303", "APIGW.0305")
        {
            IsOfSignature = true,
        },
        new KeyErrorMeaning(
            FailureKind.Refused,
            "Correct spec.encryption.kmsKey.id: the key service does not take it for a key's id.",
            "KMS.0205"
        ),
        new KeyErrorMeaning(FailureKind.Throttled, KeyServiceErrors.SlowDown, "APIGW.0308"),
        new KeyErrorMeaning(
            FailureKind.Transient,
            KeyServiceErrors.Failed,
            "KMS.0100",
            "KMS.0101",
            "KMS.0102",
            "KMS.0103",
            "KMS.0104",
            "KMS.0105"
        )
    );

    public static EndpointNames Endpoints => ObsDescription.KeyServices;

    /// <summary>As the catalogue lists it.</summary>
    public static KeyServiceDescription Description { get; } =
        new(new HuaweiKeyService(), Endpoints)
        {
            Find = static (settings, named) =>
                named is not null ? new KeyServicePlace(named, VendorOptions.None)
                : ObsDescription.KeyServiceBeside(settings.Endpoint) is { } beside
                    ? new KeyServicePlace(beside, VendorOptions.None)
                : null,
        };

    public bool MayAsk(KmsKeyName kmsKey) => !kmsKey.Id.EndsWith(VendorsAliases, StringComparison.Ordinal);

    public KeyHealth? Foresee(KeyQuestion question) => KeyStates.ByRegion(question.KmsKey.Id, question.Service);

    public KeyRequest Ask(KeyQuestion question)
    {
        if (question.KmsKey.ProjectId is not { } project)
            throw KeyFailures.NotAsked(
                Reasons.KeyProjectUnknown,
                Operation,
                "The key service is asked in the project of the key, which nobody has named.",
                "Name the project of the KMS key in spec.encryption.kmsProjectId."
            );
        if (!IsProject(project))
            throw KeyFailures.NotAsked(
                Reasons.KeyProjectUnknown,
                Operation,
                "The key service is asked in the project of the key, and this is no project's id.",
                "Correct spec.encryption.kmsProjectId: a project's id has letters, digits, hyphens and underscores."
            );
        var id = JsonEncodedText.Encode(KmsKeyId.IdAlone(question.KmsKey.Id));
        return new KeyRequest(
            Operation,
            HttpMethod.Post,
            new Resource { Path = $"v1.0/{project}/kms/describe-key" },
            $$"""{"key_id":"{{id}}"}"""
        );
    }

    public bool Knows(string code) => Errors.Knows(code);

    /// <summary>The headers that the vendor's SDK sends; as there, the type of the body is not signed.</summary>
    public HttpRequestMessage Sign(UnsignedRequest request)
    {
        var key = request.Key;
        var target = VendorRequest.Target(request.Address, request.Resource);
        var date = SdkSigner.FormatDate(request.Now);
        var body = Encoding.UTF8.GetBytes(request.Body ?? "");
        List<KeyValuePair<string, string>> headers =
        [
            new(SdkSigner.DateHeader, date),
            new(ProjectHeader, request.Resource.Path.Split('/')[1]),
        ];
        if (key.SecurityToken is { } token)
            headers.Add(new(SdkSigner.TokenHeader, token));
        var input = new SdkSignerInput(
            request.Method.Method,
            target.AbsolutePath,
            [],
            [.. headers, new("host", VendorRequest.Host(target))],
            body
        );
        headers.AddRange([new("content-type", JsonType), new("Authorization", SdkSigner.Authorize(input, key, date))]);
        return VendorRequest.Make(request.Method, target, headers, body);
    }

    public KeyAnswer Read(KeyQuestion question, VendorResponse response, AnswerContext context) =>
        response.IsSuccess
            ? KeyDescription.Answer(Describe(VendorJson.Parse(response.Body), context.Now), question, response, context)
            : Errors.Read(question, ErrorOf(response), response, context);

    private static KeyDescription? Describe(JsonElement? root, DateTimeOffset now)
    {
        if (
            root is not { } answer
            || KeyOf(answer) is not { } key
            || key.Text("key_id") is not { } id
            || key.Text("key_state") is not { } state
        )
            return null;
        return new KeyDescription(
            id,
            state,
            state switch
            {
                "1" => KeyStates.Unavailable("to be activated", "Activate the KMS key"),
                "2" => ByUse(key) ?? KeyStates.Usable,
                "3" => KeyStates.Disabled("disabled"),
                "4" => KeyStates.PendingDeletion("scheduled for deletion", DateOf(key.Text("scheduled_deletion_date"))),
                "5" => DateOf(key.Text("expiration_time")) < now
                    ? KeyStates.Expired("waiting for import")
                    : KeyStates.PendingImport("waiting for import"),
                _ => null,
            }
        );
    }

    private static KeyHealth? ByUse(JsonElement key) =>
        key.Text("key_usage") is "SIGN_VERIFY" and var use ? KeyStates.NotForEncryption(use)
        : key.Text("key_spec") is { } spec
        && (
            spec is "SM2"
            || spec.StartsWith("RSA_", StringComparison.Ordinal)
            || spec.StartsWith("EC_", StringComparison.Ordinal)
        )
            ? KeyStates.NotForEncryption(spec)
        : null;

    /// <summary>The vendor's pages call it an array, its samples and its SDK have an object.</summary>
    private static JsonElement? KeyOf(JsonElement root) =>
        root.Object("key_info")
        ?? (
            root.TryGetProperty("key_info", out var list)
            && list.ValueKind == JsonValueKind.Array
            && list.GetArrayLength() == 1
            && list[0].ValueKind == JsonValueKind.Object
                ? list[0]
                : null
        );

    /// <summary>Texts of digits: seconds on the vendor's pages, milliseconds in its samples.</summary>
    private static DateTimeOffset? DateOf(string? text)
    {
        const double YearFiveThousand = 100_000_000_000;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? KeyStates.OfSeconds(number > YearFiveThousand ? number / 1000.0 : number)
            : null;
    }

    /// <summary>Inside of <c>error</c> or beside it: both are seen. The codes are the vendor's alone.</summary>
    private static KeyServiceError? ErrorOf(VendorResponse response)
    {
        if (VendorJson.Parse(response.Body) is not { } root)
            return null;
        var error = root.Object("error") ?? root;
        return error.Text("error_code") is { } code
            ? new KeyServiceError(code, error.Text("error_msg"), response.Header(RequestIdHeader))
            : null;
    }

    private static bool IsProject(string text) =>
        text.Length is > 0 and <= LongestProject && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
