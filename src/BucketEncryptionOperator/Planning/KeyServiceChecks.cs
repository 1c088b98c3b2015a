using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;

namespace BucketEncryptionOperator.Planning;

/// <summary>
/// Asks a store's key service about the KMS keys of its policies and buckets, as the operator does: once each, never
/// about a key that the vendor manages.
/// </summary>
internal sealed class KeyServiceChecks(KeyQuestions questions)
{
    private const string Name = "KMS key";

    /// <summary>Maximum number of keys that one store's key service is asked about.</summary>
    private const int MaxKeys = 100;

    /// <param name="rows">The plan of the store's policies.</param>
    public async Task<IReadOnlyList<Check>> CheckAsync(
        string subject,
        Store store,
        AccessKey key,
        IReadOnlyCollection<PlanRow> rows,
        CancellationToken cancellationToken
    )
    {
        if (store.KeyService is null)
            return [NotChecked(subject, "no key service is asked: see spec.keyChecks and --allowed-endpoints")];
        var keys = rows.SelectMany(row => KeysOf(row, store))
            .Distinct()
            .Where(k => questions.MayAsk(store, k))
            .ToList();
        if (keys.Count == 0)
            return [NotChecked(subject, "no policy and no bucket of the store has a key of the account's own")];
        var checks = new List<Check>();
        foreach (var name in keys.Take(MaxKeys))
            checks.Add(await AskAsync(subject, store, name, key, cancellationToken));
        if (keys.Count > MaxKeys)
            checks.Add(NotChecked(subject, $"{keys.Count - MaxKeys} more keys"));
        return checks;
    }

    /// <summary>The key that the policy declares, and the bucket's own.</summary>
    private static IEnumerable<KmsKeyName> KeysOf(PlanRow row, Store store)
    {
        if (
            PolicyReader.Read(row.Policy.Object, store).Value?.Terms.Goal.Encryption.AskedKey
            is KeyRequirement.Named named
        )
            yield return new KmsKeyName(named.Id, named.ProjectId);
        else if (
            row.Observed is { } observed
            && DeadKeys.NameOf(observed) is { } found
            && !KmsKeyId.IsVendors(found.Id)
        )
            yield return found;
    }

    private async Task<Check> AskAsync(
        string subject,
        Store store,
        KmsKeyName name,
        AccessKey key,
        CancellationToken cancellationToken
    ) =>
        await questions.AskAsync(store, key, name, cancellationToken) switch
        {
            KeyHealth.Usable => new Check(subject, Name, CheckResult.Ok, $"{name.Id} is enabled"),
            KeyHealth.Unusable { IsDead: var isDead } unusable => new Check(
                subject,
                Name,
                isDead ? CheckResult.Failed : CheckResult.Warning,
                $"{name.Id}: {unusable.Reason.Name}: {unusable.VendorState}"
            )
            {
                Hint = unusable.Hint,
            },
            // The operator reports this and works on
            KeyHealth.Unknown { Failure: var failure } => new Check(
                subject,
                Name,
                CheckResult.Warning,
                $"the state of {name.Id} is not known: {failure.Code}: {failure.Message}".TrimEnd(' ', ':')
            )
            {
                Hint = failure.Hint ?? "",
            },
            var other => throw new InvalidOperationException(other.GetType().Name),
        };

    private static Check NotChecked(string subject, string why) => new(subject, Name, CheckResult.NotChecked, why);
}
