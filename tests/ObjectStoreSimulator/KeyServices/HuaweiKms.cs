using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.KeyServices;

/// <summary>
/// Huawei Cloud's KMS (DEW), <c>POST /v1.0/{project}/kms/describe-key</c>, signed with SDK-HMAC-SHA256. All values of
/// an answer are texts, and states are numbers. The gateway before the service refuses signatures, in another shape.
/// Source: Huawei Cloud DEW API reference, "Querying the Information About a CMK" and error codes. What a gateway says
/// of a clock that is off is UNCONFIRMED.
/// </summary>
internal sealed partial class HuaweiKms(World world) : IKeyService
{
    private static readonly StoreError KeyNotFound = new(404, "KMS.0207", "The key does not exist.");

    private static readonly StoreError Denied = new(
        403,
        "KMS.0306",
        "No permission to perform the operation: kms:cmk:get."
    );

    private readonly HuaweiAuthorization _authorization = new(world);
    private long _lastRequestId;

    public HostRules Hosts { get; } = new([], ServiceHost(), PathsOnServiceHost: true);

    public StoreCall? Read(StoreRequest request, StoreAddress address)
    {
        Match path = ServicePath().Match(address.RawPath);
        if (!path.Success && address.Region is null)
        {
            return null;
        }

        bool describes = request.Method == "POST" && path.Groups["action"].Value == "describe-key";
        return new StoreCall(
            request,
            address,
            describes ? Operations.DescribeKey : Operations.UnknownOfKeyService,
            HuaweiAuthorization.ClaimOf(request)?.AccessKeyId
        )
        {
            KmsKey = KeyAnswers.Text(KeyAnswers.Read(request)?["key_id"]) is { } named ? KmsKeys.NameOf(named) : null,
        };
    }

    public StoreAnswer Answer(StoreCall call)
    {
        (Account? account, StoreError? refusal) = _authorization.Check(call);
        if (account is null)
        {
            return Refuse(refusal!);
        }

        if (call.Operation != Operations.DescribeKey)
        {
            return Refuse(new(404, "APIGW.0101", "The API does not exist or has not been published."));
        }

        if (world.DenyRules.Find(call) is { } rule)
        {
            return Refuse(rule.AsError(Denied, Denied));
        }

        string? named = KeyAnswers.Text(KeyAnswers.Read(call.Request)?["key_id"]);
        if (named is null || !KeyForm().IsMatch(named))
        {
            return Refuse(new(400, "KMS.0205", "Invalid key ID."));
        }

        string project = ServicePath().Match(call.Address.RawPath).Groups["project"].Value;
        FoundKey? found = world.KmsKeys.Find(named);
        if (
            found is null
            || (found.Key.ProjectId ?? project) != project
            || (call.Address.Region is { } here && (found.Key.Region ?? here) != here)
            || (found.IsSet && found.Key.Owner != account.Owner)
        )
        {
            return Refuse(KeyNotFound);
        }

        return KeyAnswers.MayDescribe(found, account, call.AccessKeyId)
            ? Describe(found, call.Address.Region ?? found.Key.Region ?? "cn-north-4")
            : Refuse(Denied);
    }

    public StoreAnswer Refuse(StoreError error)
    {
        string id = $"{Interlocked.Increment(ref _lastRequestId):x32}";
        JsonObject told = new() { ["error_code"] = error.Code, ["error_msg"] = error.Message };
        if (error.Code.StartsWith("APIGW.", StringComparison.Ordinal))
        {
            told["request_id"] = id;
        }
        else
        {
            told = new JsonObject { ["error"] = told };
        }

        return KeyAnswers.Json(world, error.Status, error.Code, "application/json", told).With("X-Request-Id", id);
    }

    private StoreAnswer Describe(FoundKey found, string region)
    {
        KmsKey key = found.Key;
        JsonObject info = new()
        {
            ["key_id"] = found.Id,
            ["domain_id"] = key.Owner,
            ["key_alias"] = key.Aliases.IsDefaultOrEmpty ? "simulated" : key.Aliases[0]["alias/".Length..],
            ["realm"] = region,
            ["key_spec"] = key.Spec ?? "AES_256",
            ["key_usage"] = key.Usage ?? "ENCRYPT_DECRYPT",
            ["key_description"] = "",
            ["creation_date"] = "1767323045000",
            ["scheduled_deletion_date"] = key.DeletionDate is { } date
                ? date.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)
                : "",
            ["key_state"] = key.State switch
            {
                "ToBeActivated" => "1",
                KmsKey.Enabled => "2",
                "Disabled" => "3",
                "PendingDeletion" => "4",
                "PendingImport" => "5",
                var other => other,
            },
            ["default_key_flag"] = key.Managed ? "1" : "0",
            ["key_type"] = "1",
            ["expiration_time"] = "",
            ["origin"] = key.Origin ?? "kms",
            ["key_rotation_enabled"] = "false",
            ["sys_enterprise_project_id"] = "0",
            ["keystore_id"] = "0",
        };
        return KeyAnswers.Json(world, 200, code: null, "application/json", new JsonObject { ["key_info"] = info });
    }

    [GeneratedRegex(
        @"^/v1\.0/(?<project>[^/]+)/kms/(?<action>[a-z-]+)/?$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex ServicePath();

    [GeneratedRegex(
        @"^kms\.(?<region>[a-z0-9-]+)\.myhuaweicloud\.(com|eu)$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex ServiceHost();

    [GeneratedRegex("^([0-9a-z-]{36}|alias/.+)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex KeyForm();
}
