using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.KmsKeys;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// The KMS keys of a policy: which ones are asked for, which ones no bucket may be moved to, and what is reported of
/// them. A policy's keys are the one that it names, and those of its buckets that are as declared. What is known comes
/// from <see cref="KeyHealths"/>; no bucket waits for it, but for the one second before a first write to a new key.
/// </summary>
/// <param name="services">One per vendor, by the vendor's name.</param>
internal sealed class KeyChecks(
    KeyHealths healths,
    StoreKeys storeKeys,
    IReadOnlyDictionary<string, IKeyServiceApi> services
)
{
    /// <summary>Maximum number of keys of one policy that are asked for.</summary>
    internal const int MaxKeys = 32;

    /// <summary>A key is dead only by an answer that is no older: it refuses a write.</summary>
    internal static readonly TimeSpan DeadFor = TimeSpan.FromMinutes(1);

    /// <summary>
    /// A person who requests a reconcile wants to know how it is now. Requests for many policies of one key are one
    /// question per second.
    /// </summary>
    private static readonly TimeSpan RequestSpacing = TimeSpan.FromSeconds(1);

    /// <summary>A reconcile begins: asks for what is new, and for everything if a person has requested it.</summary>
    public void Begin(ReconcileContext context)
    {
        var keys = FollowAlso(context, Asked(context, Uses(context, results: null)));
        var requested = Schedule.RequestedAtOf(context.Policy.Now);
        if (requested is null || requested == context.Policy.Now.Status?.LastHandledReconcileAt)
            return;
        foreach (var key in keys)
            healths.AskAgain(key, RequestSpacing);
    }

    /// <summary>
    /// Returns the keys that no bucket may be moved to, of those that the plans would name. Only the vendor's own word
    /// counts, and only one that is younger than a minute.
    /// </summary>
    public async Task<DeadKeys> FindDeadAsync(
        ReconcileContext context,
        IReadOnlyList<BucketObservation> observations,
        CancellationToken cancellationToken
    )
    {
        var named = observations
            .OfType<BucketObservation.Seen>()
            .Select(s => s.Plan is Plan.Write write ? DeadKeys.NewKeyOf(write, s.Observed.Encryption) : null)
            .OfType<KmsKeyName>()
            .Distinct()
            .ToList();
        var questions = Asked(context, named);
        if (questions.Count == 0)
            return DeadKeys.None;
        FollowAlso(context, questions);
        var answers = await Task.WhenAll(questions.Select(q => healths.GetAsync(q, DeadFor, cancellationToken)));
        return new DeadKeys(
            questions
                .Zip(answers)
                .Where(a => a.Second is KeyHealth.Unusable { IsDead: true })
                .ToImmutableDictionary(a => a.First.Key, a => (KeyHealth.Unusable)a.Second!)
        );
    }

    /// <summary>The buckets have their results: what is known of the policy's keys now.</summary>
    /// <returns>Null where no key is asked for.</returns>
    public KeyFindings? Conclude(ReconcileContext context, ImmutableArray<BucketResult> results)
    {
        var uses = Uses(context, results);
        var questions = Asked(context, uses);
        // A release that is tried again asks no second time about what it restores
        if (context.Policy.IsBeingDeleted)
            FollowAlso(context, questions);
        else
            healths.Follow(context.Policy.Key, questions);
        if (questions.Count == 0)
            return null;
        if (results.Any(WasRefusedByKms))
        {
            foreach (var question in questions)
                healths.AskAgain(question, DeadFor);
        }
        var buckets = BucketsByKey(context, results);
        return new KeyFindings(
            [
                .. questions.Select(q => new KeyUse(
                    q.Key,
                    healths.Report(context.Policy.Key, q),
                    [.. buckets[q.Key].Order(StringComparer.Ordinal)]
                )),
            ],
            uses.Count(u => services[context.Store.Vendor].MayAsk(u)) - questions.Count
        );
    }

    public void Leave(NamespacedName policy) => healths.Leave(policy);

    /// <summary>
    /// Follows questions beside those that the policy follows already with the same access key. Which of these its
    /// buckets still need, is known when they are read: a question that is dropped before would be asked again.
    /// </summary>
    /// <returns>All that the policy follows now.</returns>
    private ImmutableArray<FollowedKey> FollowAlso(ReconcileContext context, IReadOnlyList<FollowedKey> questions)
    {
        var policy = context.Policy.Key;
        var version = storeKeys.VersionOf(context.Store.Keys);
        ImmutableArray<FollowedKey> all =
        [
            .. questions.Union(
                healths
                    .FollowedBy(policy)
                    .Where(q =>
                        (q.Vendor, q.Service, q.Credentials, q.CredentialsVersion)
                        == (context.Store.Vendor, context.Store.KeyService, context.Store.Keys, version)
                    )
            ),
        ];
        healths.Follow(policy, all);
        return all;
    }

    /// <summary>The questions about some keys: none where the store's keys are not asked for.</summary>
    private List<FollowedKey> Asked(ReconcileContext context, IEnumerable<KmsKeyName> keys)
    {
        if (context.Store.KeyService is not { } service)
            return [];
        var (vendor, version) = (context.Store.Vendor, storeKeys.VersionOf(context.Store.Keys));
        return
        [
            .. keys.Where(services[vendor].MayAsk)
                .Take(MaxKeys)
                .Select(k => new FollowedKey(vendor, service, context.Store.Keys, version, k)),
        ];
    }

    /// <summary>The keys of a policy: the one that it names first, then those of its buckets.</summary>
    private static List<KmsKeyName> Uses(ReconcileContext context, ImmutableArray<BucketResult>? results) =>
        [
            .. (DeclaredKey(context) is { } declared ? [declared] : Array.Empty<KmsKeyName>()).Union(
                BucketsByKey(context, results).Select(g => g.Key)
            ),
        ];

    private static KmsKeyName? DeclaredKey(ReconcileContext context) =>
        context.Terms.Goal.Encryption.AskedKey is KeyRequirement.Named named
            ? new KmsKeyName(named.Id, named.ProjectId)
            : null;

    /// <summary>
    /// The buckets that are as declared, by their key. A bucket that this reconcile has not read counts by its last
    /// row. One key has several spellings: the declared key has the spelling of the policy.
    /// </summary>
    /// <param name="results">Null: no bucket is read yet, and the last rows count.</param>
    private static ILookup<KmsKeyName, string> BucketsByKey(
        ReconcileContext context,
        ImmutableArray<BucketResult>? results
    )
    {
        var requirement = context.Terms.Goal.Encryption.AskedKey;
        if (requirement is KeyRequirement.VendorDefault)
            return Enumerable.Empty<string>().ToLookup(_ => new KmsKeyName(""), b => b);
        var declared = DeclaredKey(context);
        var status = context.Policy.Now.Status;
        var rows =
            status?.ObservedGeneration == context.Policy.Now.Metadata.Generation
                ? status.Buckets.ToDictionary(b => b.Name, StringComparer.Ordinal)
                : [];
        var found = results is { } read
            ? read.Select(r => (r.Bucket, OfResult(r)))
            : rows.Values.Select(r => (r.Name, OfRow(r)));
        return found
            .Where(f => f.Item2 is not null)
            .ToLookup(
                f => declared is not null && KmsKeyId.Same(declared.Id, f.Item2!.Id) ? declared : f.Item2!,
                f => f.Item1
            );

        KmsKeyName? OfResult(BucketResult result)
        {
            var row = rows.GetValueOrDefault(result.Bucket);
            return result.Outcome switch
            {
                Outcome.InSync sync => WithoutVendors(sync.Observed, result.VendorKey ?? row?.VendorKeyId),
                Outcome.Yielded { IsMet: true } yielded => WithoutVendors(yielded.Observed, row?.VendorKeyId),
                Outcome.Failed { Observed: null } when row is not null => OfRow(row),
                _ => null,
            };
        }

        static KmsKeyName? OfRow(BucketStatus row) =>
            row is { State: BucketStatus.InSync, Observed: { } observed }
                ? WithoutVendors(ObservedEncryptions.Read(observed), row.VendorKeyId)
                : null;

        static KmsKeyName? WithoutVendors(BucketEncryption observed, string? vendorKey) =>
            DeadKeys.NameOf(observed) is { } key && !KmsKeyId.IsVendors(key.Id) && !KmsKeyId.Same(vendorKey, key.Id)
                ? key
                : null;
    }

    /// <summary>The vendor refused a write, and its reason may be the key.</summary>
    private static bool WasRefusedByKms(BucketResult result) =>
        result.Outcome is Outcome.Failed { Failure: { Operation: AnswerContext.Put, IsVendorAnswer: true } failure }
        && (failure.Kind == FailureKind.Refused || failure.Code.Contains("kms", StringComparison.OrdinalIgnoreCase));
}
