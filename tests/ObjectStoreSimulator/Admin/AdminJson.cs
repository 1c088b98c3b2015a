using System.Collections.Immutable;
using System.Text.Json.Serialization;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Admin;

/// <summary>
/// The admin API's documents. Names are camelCase; what is null is left out; what is unknown is an error, so that a
/// misspelt rule does not silently match everything.
/// </summary>
/// <remarks>
/// Documents that come in have <c>set</c> where a value has a default: the generated reader gives an absent <c>init</c>
/// property null, zero or false instead.
/// </remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true
)]
[JsonSerializable(typeof(Seed))]
[JsonSerializable(typeof(Account))]
[JsonSerializable(typeof(ImmutableArray<AccountView>))]
[JsonSerializable(typeof(BucketSettings))]
[JsonSerializable(typeof(ImmutableArray<BucketView>))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, string>))]
[JsonSerializable(typeof(DenyRule))]
[JsonSerializable(typeof(ImmutableArray<DenyRule>))]
[JsonSerializable(typeof(FaultRule))]
[JsonSerializable(typeof(ImmutableArray<FaultStatus>))]
[JsonSerializable(typeof(HoldRule))]
[JsonSerializable(typeof(HoldsView))]
[JsonSerializable(typeof(IdentityValues))]
[JsonSerializable(typeof(KmsKey))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, KmsKey>))]
[JsonSerializable(typeof(SettingValues))]
[JsonSerializable(typeof(CounterValues))]
[JsonSerializable(typeof(ImmutableArray<RecordedRequest>))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(Released))]
internal sealed partial class AdminJson : JsonSerializerContext;

/// <summary>An account as the admin API shows it: no secret, no token.</summary>
internal sealed record AccountView(string AccessKeyId, bool Enabled, bool Temporary, bool KmsEnabled, bool Sm4Enabled);

internal sealed record BucketView(string Name, BucketSettings Settings, string? Encryption);

internal sealed record HoldsView(ImmutableArray<HoldRule> Rules, ImmutableArray<HeldRequest> Held);

internal sealed record Released(int Count);

internal sealed record Problem(string Error);
