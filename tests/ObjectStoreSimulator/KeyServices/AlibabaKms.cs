using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Web;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.KeyServices;

/// <summary>
/// Alibaba Cloud's KMS 2016-01-20, DescribeKey: <c>POST /</c> with the parameters in the query or in a form, signed as
/// an RPC service has it (HMAC-SHA1: Alibaba Cloud's client for Node.js sends it so, all of it in the query) or with
/// ACS3-HMAC-SHA256. Sources: Alibaba Cloud help, DescribeKey, key states and common errors of KMS. What a key of
/// another region is answered with is UNCONFIRMED.
/// </summary>
internal sealed partial class AlibabaKms(World world) : IKeyService
{
    public const string Version = "2016-01-20";

    private const string Action = "DescribeKey";

    private static readonly StoreError KeyNotFound = new(
        404,
        "Forbidden.KeyNotFound",
        "The specified Key is not found."
    );

    private static readonly StoreError AliasNotFound = new(
        404,
        "Forbidden.AliasNotFound",
        "The specified alias is not found."
    );

    private static readonly StoreError NoPermission = new(
        403,
        "Forbidden.NoPermission",
        "This operation is forbidden by permission system."
    );

    private readonly AlibabaAuthorization _authorization = new(world);
    private long _lastRequestId;

    public HostRules Hosts { get; } = new([], ServiceHost(), PathsOnServiceHost: true);

    public StoreCall? Read(StoreRequest request, StoreAddress address)
    {
        AlibabaParameters parameters = AlibabaParameters.Of(request, address);
        if (address.RawPath != "/" || (address.Region is null && parameters.Version != Version))
        {
            return null;
        }

        return new StoreCall(
            request,
            address,
            parameters.Action == Action ? Operations.DescribeKey : Operations.UnknownOfKeyService,
            parameters.AccessKeyId
        )
        {
            KmsKey = parameters["KeyId"] is { } named ? KmsKeys.NameOf(named) : null,
        };
    }

    public StoreAnswer Answer(StoreCall call)
    {
        AlibabaParameters parameters = AlibabaParameters.Of(call.Request, call.Address);
        (Account? account, StoreError? refusal) = _authorization.Check(call, parameters);
        if (account is null)
        {
            return Refuse(refusal!);
        }

        if (call.Operation != Operations.DescribeKey || parameters.Version != Version)
        {
            return Refuse(new(404, "InvalidAction.NotFound", "Specified api is not found, please check your url."));
        }

        if (world.DenyRules.Find(call) is { } rule)
        {
            return Refuse(rule.AsError(NoPermission, NoPermission));
        }

        if (parameters["KeyId"] is not { Length: > 0 } named)
        {
            return Refuse(new(400, "MissingParameter", "The parameter KeyId is needed but no value is found."));
        }

        if (Find(named, call, account) is not { } found)
        {
            return Refuse(
                KmsKeys.NameOf(named).StartsWith("alias/", StringComparison.Ordinal) ? AliasNotFound : KeyNotFound
            );
        }

        return KeyAnswers.MayDescribe(found, account, call.AccessKeyId)
            ? Describe(found, found.Key.Region ?? call.Address.Region ?? ArnRegion(named) ?? "cn-hangzhou")
            : Refuse(NoPermission);
    }

    public StoreAnswer Refuse(StoreError error)
    {
        string id = NextRequestId();
        return KeyAnswers.Json(
            world,
            error.Status,
            error.Code,
            "application/json;charset=utf-8",
            new JsonObject
            {
                ["HttpStatus"] = error.Status,
                ["Code"] = error.Code,
                ["Message"] = error.Message,
                ["RequestId"] = id,
                ["HostId"] = "kms.aliyuncs.com",
            }
        );
    }

    private FoundKey? Find(string named, StoreCall call, Account account)
    {
        bool byArn = ArnRegion(named) is not null;
        FoundKey? found = world.KmsKeys.Find(KmsKeys.NameOf(named));
        bool elsewhere =
            (call.Address.Region is { } here && (ArnRegion(named) ?? here) != here)
            || (call.Address.Region is { } asked && (found?.Key.Region ?? asked) != asked)
            || (found is { IsSet: true } && !byArn && found.Key.Owner != account.Owner);
        return elsewhere ? null : found;
    }

    private static string? ArnRegion(string named) =>
        named.Split(':') is ["acs", "kms", var region, _, _] ? region : null;

    private StoreAnswer Describe(FoundKey found, string region)
    {
        KmsKey key = found.Key;
        JsonObject metadata = new()
        {
            ["KeyId"] = found.Id,
            ["Arn"] = $"acs:kms:{region}:{key.Owner}:key/{found.Id}",
            ["KeyState"] = key.State,
            ["KeyUsage"] = key.Usage ?? "ENCRYPT/DECRYPT",
            ["KeySpec"] = key.Spec ?? "Aliyun_AES_256",
            ["Origin"] = key.Origin ?? "Aliyun_KMS",
            ["Creator"] = key.Managed ? "Oss" : key.Owner,
            ["CreationDate"] = "2026-01-02T03:04:05Z",
            ["Description"] = "",
            ["DeleteDate"] = key.DeletionDate is { } date ? Time(date) : "",
            ["MaterialExpireTime"] = "",
            ["ProtectionLevel"] = "SOFTWARE",
            ["AutomaticRotation"] = "Disabled",
            ["DeletionProtection"] = "Disabled",
        };
        return KeyAnswers.Json(
            world,
            200,
            code: null,
            "application/json;charset=utf-8",
            new JsonObject { ["RequestId"] = NextRequestId(), ["KeyMetadata"] = metadata }
        );
    }

    private static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private string NextRequestId() => $"KMS-{Interlocked.Increment(ref _lastRequestId):D6}";

    [GeneratedRegex(
        @"^kms(-vpc)?\.(?<region>[a-z0-9-]+)\.aliyuncs\.com$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex ServiceHost();
}

/// <summary>The parameters of an RPC request, of query and form together.</summary>
internal sealed record AlibabaParameters(ILookup<string, string> All, StoreRequest Request)
{
    public bool IsAcs3 =>
        Request.Header("authorization")?.StartsWith(Acs3Signature.Algorithm, StringComparison.Ordinal) == true;

    public string? Action => IsAcs3 ? Request.Header("x-acs-action") : this["Action"];

    public string? Version => IsAcs3 ? Request.Header("x-acs-version") : this["Version"];

    public string? AccessKeyId => IsAcs3 ? Acs3Signature.ClaimOf(Request)?.AccessKeyId : this["AccessKeyId"];

    /// <summary>Null: it is not there, or is there more than once.</summary>
    public string? this[string name] => All[name].ToList() is [var value] ? value : null;

    public static AlibabaParameters Of(StoreRequest request, StoreAddress address)
    {
        bool isForm =
            request.Header("content-type")?.StartsWith("application/x-www-form-urlencoded", StringComparison.Ordinal)
            == true;
        System.Collections.Specialized.NameValueCollection form = HttpUtility.ParseQueryString(
            isForm ? System.Text.Encoding.UTF8.GetString(request.Body.Span) : ""
        );
        return new AlibabaParameters(
            address
                .Query.Select(pair => (Name: pair.Key, Value: pair.Value ?? ""))
                .Concat(
                    form.AllKeys.Where(name => name is not null)
                        .SelectMany(name => form.GetValues(name)!.Select(value => (Name: name!, Value: value)))
                )
                .ToLookup(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal),
            request
        );
    }
}
