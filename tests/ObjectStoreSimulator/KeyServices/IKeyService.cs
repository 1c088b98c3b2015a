using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.KeyServices;

/// <summary>The key service of one vendor: requests, signatures, answers, errors. It does no input or output.</summary>
internal interface IKeyService
{
    /// <summary>The service's own host names; group <c>region</c>.</summary>
    HostRules Hosts { get; }

    /// <summary>Null: the request is not for the key service.</summary>
    StoreCall? Read(StoreRequest request, StoreAddress address);

    /// <summary>Checks the signature, and describes the key.</summary>
    StoreAnswer Answer(StoreCall call);

    /// <summary>The error in the vendor's shape.</summary>
    StoreAnswer Refuse(StoreError error);
}

/// <summary>What the key services' answers have in common.</summary>
internal static class KeyAnswers
{
    public static StoreAnswer Json(World world, int status, string? code, string type, JsonObject body) =>
        new(
            status,
            code,
            ImmutableArray.Create<KeyValuePair<string, string>>(
                new("Content-Type", type),
                new("Date", world.Clock.UtcNow.ToString("r"))
            ),
            Encoding.UTF8.GetBytes(body.ToJsonString())
        );

    /// <summary>
    /// Whether this access key may ask for the key; a key that nobody has set may be asked for by all.
    /// </summary>
    public static bool MayDescribe(FoundKey found, Account account, string? accessKeyId) =>
        !found.IsSet
        || (
            found.Key.MayDescribe is { } allowed
                ? allowed.Contains(accessKeyId ?? "", StringComparer.Ordinal)
                : found.Key.Owner == account.Owner
        );

    public static string? Text(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    /// <summary>Null: not a JSON object.</summary>
    public static JsonObject? Read(StoreRequest request)
    {
        try
        {
            return JsonNode.Parse(request.Body.Span) as JsonObject;
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
