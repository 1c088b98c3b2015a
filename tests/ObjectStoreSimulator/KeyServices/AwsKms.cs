using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.KeyServices;

/// <summary>
/// AWS's KMS, DescribeKey in JSON 1.1: <c>POST /</c> with <c>X-Amz-Target: TrentService.DescribeKey</c>, Signature V4
/// for the service <c>kms</c>. Errors have status 400 and their code in <c>__type</c>. A key is looked for in the
/// scope's region. Source: AWS KMS API reference, DescribeKey and common errors; the answer to an ARN of another region
/// is UNCONFIRMED.
/// </summary>
internal sealed partial class AwsKms(World world) : IKeyService
{
    private const string Target = "TrentService.";

    private const string Type = "application/x-amz-json-1.1";

    private const string AliasPrefix = "alias/";

    private readonly AwsKmsAuthorization _authorization = new(world);
    private long _lastRequestId;

    public HostRules Hosts { get; } = new([], ServiceHost(), PathsOnServiceHost: true);

    public StoreCall? Read(StoreRequest request, StoreAddress address)
    {
        string? target = request.Header("x-amz-target");
        if (
            address.RawPath != "/"
            || !(target?.StartsWith(Target, StringComparison.Ordinal) ?? address.Region is not null)
        )
        {
            return null;
        }

        return new StoreCall(
            request,
            address,
            target == Target + "DescribeKey" ? Operations.DescribeKey : Operations.UnknownOfKeyService,
            SigV4Claim.Parse(request.Header("authorization"))?.AccessKeyId
        )
        {
            KmsKey = KeyAnswers.Text(KeyAnswers.Read(request)?["KeyId"]) is { } named ? KmsKeys.NameOf(named) : null,
        };
    }

    public StoreAnswer Answer(StoreCall call)
    {
        (Account? account, SigV4Scope? scope, StoreError? refusal) = _authorization.Check(call);
        if (account is null || scope is null)
        {
            return Refuse(refusal!);
        }

        if (call.Operation != Operations.DescribeKey)
        {
            return Refuse(new(400, "UnknownOperationException", ""));
        }

        if (KeyAnswers.Read(call.Request) is not { } body || call.Request.Header("content-type") != Type)
        {
            return Refuse(new(400, "SerializationException", "Could not parse the request."));
        }

        if (KeyAnswers.Text(body["KeyId"]) is not { Length: > 0 } named)
        {
            return Refuse(
                new(
                    400,
                    "ValidationException",
                    "1 validation error detected: Value at 'keyId' failed to satisfy constraint: "
                        + "Member must not be null"
                )
            );
        }

        return Describe(named, scope.Region, call, account);
    }

    public StoreAnswer Refuse(StoreError error)
    {
        // AccessDeniedException has its text under a name with a capital letter.
        string message = error.Code == "AccessDeniedException" ? "Message" : "message";
        return KeyAnswers
            .Json(
                world,
                error.Status,
                error.Code,
                Type,
                new JsonObject { ["__type"] = error.Code, [message] = error.Message }
            )
            .With("x-amzn-RequestId", NextRequestId());
    }

    private StoreAnswer Describe(string named, string region, StoreCall call, Account account)
    {
        string[] arn = named.Split(':');
        bool byArn = arn is ["arn", _, "kms", _, _, _];
        if (!byArn && arn.Length > 1)
        {
            return Refuse(new(400, "InvalidArnException", $"Invalid arn {named}"));
        }

        if (byArn && arn[3] != region)
        {
            return Refuse(new(400, "NotFoundException", $"Invalid arn {arn[3]}"));
        }

        string name = KmsKeys.NameOf(named);
        string full = name.StartsWith(AliasPrefix, StringComparison.Ordinal) ? name : $"key/{name}";
        string asked = byArn ? named : $"arn:aws:kms:{region}:{account.Owner}:{full}";
        StoreError denied = new(
            400,
            "AccessDeniedException",
            $"User: arn:aws:iam::{account.Owner}:user/simulated is not authorized to perform: kms:DescribeKey on "
                + $"resource: {asked}"
        );
        if (world.DenyRules.Find(call) is { } rule)
        {
            return Refuse(rule.AsError(denied, denied));
        }

        FoundKey? found = world.KmsKeys.Find(name);
        bool isOthers = found is { IsSet: true } && !byArn && found.Key.Owner != account.Owner;
        if (found is null || isOthers || (found.Key.Region ?? region) != region)
        {
            return Refuse(
                new(
                    400,
                    "NotFoundException",
                    name == full ? $"Alias {asked} is not found." : $"Key '{asked}' does not exist"
                )
            );
        }

        return KeyAnswers.MayDescribe(found, account, call.AccessKeyId)
            ? Json(found, region, found.IsSet ? found.Key.Owner : account.Owner)
            : Refuse(denied);
    }

    private StoreAnswer Json(FoundKey found, string region, string owner)
    {
        KmsKey key = found.Key;
        string spec = key.Spec ?? "SYMMETRIC_DEFAULT";
        JsonObject metadata = new()
        {
            ["AWSAccountId"] = owner,
            ["Arn"] = $"arn:aws:kms:{region}:{owner}:key/{found.Id}",
            ["CreationDate"] = 1767323045.123,
            ["CustomerMasterKeySpec"] = spec,
            ["Description"] = "",
            ["Enabled"] = key.State == KmsKey.Enabled,
            ["EncryptionAlgorithms"] = new JsonArray(spec),
            ["KeyId"] = found.Id,
            ["KeyManager"] = key.Managed ? "AWS" : "CUSTOMER",
            ["KeySpec"] = spec,
            ["KeyState"] = key.State,
            ["KeyUsage"] = key.Usage ?? "ENCRYPT_DECRYPT",
            ["MultiRegion"] = key.MultiRegion,
            ["Origin"] = key.Origin ?? "AWS_KMS",
        };
        if (key.DeletionDate is { } date)
        {
            metadata["DeletionDate"] = date.ToUnixTimeMilliseconds() / 1000.0;
        }

        return KeyAnswers
            .Json(world, 200, code: null, Type, new JsonObject { ["KeyMetadata"] = metadata })
            .With("x-amzn-RequestId", NextRequestId());
    }

    private string NextRequestId() => $"00000000-0000-0000-0001-{Interlocked.Increment(ref _lastRequestId):D12}";

    [GeneratedRegex(
        @"^kms(-fips)?\.(?<region>[a-z0-9-]+)\.(amazonaws\.com(\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex ServiceHost();
}
