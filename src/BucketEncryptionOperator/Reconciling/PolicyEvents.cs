using System.Collections.Immutable;
using System.Globalization;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Controllers;
using KubeRuntime.Events;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// The events of a reconcile, from the same findings as the status: a pure function, one event per change and none for
/// what stays. Buckets to which the same happened share one, for a policy may have 256 of them. No event
/// holds a vendor's own text; what one says is made of names, codes and the request id.
/// </summary>
internal static class PolicyEvents
{
    private const int NamedBuckets = 10;

    /// <summary>
    /// What was done to buckets, and the drift that it corrects: reported whether or not the status can be written, for
    /// it is not done again.
    /// </summary>
    public static IEnumerable<Occurrence> Done(BucketEncryptionPolicy policy, Findings findings, DateTimeOffset now)
    {
        var before = RowsOfThisSpec(policy);
        var facts = new List<Fact>();
        foreach (var result in findings.Buckets.Concat(findings.Releases))
        {
            if (result.Outcome is Outcome.Released { Skipped: { } why })
                facts.Add(
                    new Fact(
                        result.Bucket,
                        IsWarning: true,
                        why.Code,
                        why.Operation,
                        Messages.Join(why.Message, why.Hint)
                    )
                );
            if (result.Applied is not { } applied)
                continue;
            if (before.GetValueOrDefault(result.Bucket) is { State: BucketStatus.InSync, Observed: { } kept })
                facts.Add(Drift(result.Bucket, kept, ObservedEncryptions.Of(applied.From)));
            facts.Add(
                applied.To is BucketEncryption.None
                    ? new Fact(
                        result.Bucket,
                        IsWarning: false,
                        Reasons.EncryptionRemoved.Name,
                        "Delete",
                        $"default encryption removed; it was {applied.From}."
                    )
                    : new Fact(
                        result.Bucket,
                        IsWarning: false,
                        Reasons.EncryptionApplied.Name,
                        "Put",
                        $"default encryption is now {applied.To}; it was {applied.From}."
                    )
            );
        }
        return Group(policy, facts, now);
    }

    /// <summary>
    /// What the status says for the first time: reported once it is written, or it would be reported again.
    /// </summary>
    /// <param name="written">Buckets that were written: <see cref="Done"/> has reported their drift.</param>
    public static IEnumerable<Occurrence> Changes(
        BucketEncryptionPolicy policy,
        ComposedStatus after,
        IReadOnlySet<string> written,
        DateTimeOffset now
    )
    {
        var before = RowsOfThisSpec(policy);
        var facts = new List<Fact>();
        foreach (var row in after.Status.Buckets)
        {
            var last = before.GetValueOrDefault(row.Name);
            if (
                last is { State: BucketStatus.InSync, Observed: { } kept }
                && row is { State: not BucketStatus.InSync, Observed: { } seen }
                && kept != seen
                && !written.Contains(row.Name)
            )
                facts.Add(Drift(row.Name, kept, seen));
            else if (row is { Planned: not null, Observed: { } found } && last?.Planned is null)
                facts.Add(
                    new Fact(
                        row.Name,
                        IsWarning: true,
                        Reasons.DriftDetected.Name,
                        "Get",
                        $"default encryption is not as declared: {Words(found)}. Nothing is written; the status says "
                            + "what would be."
                    )
                );
            if (after.NewErrorOf(row) is { } error && Problem(row.Name, error) is { } problem)
                facts.Add(problem);
        }
        return Group(policy, facts, now).Concat(KeyChange(policy, after.Status, now));
    }

    /// <summary>
    /// The event of a KMS key that cannot be used, or can be used again. A change of the texts is reported too: another
    /// date of deletion, or another bucket with the key.
    /// </summary>
    private static IEnumerable<Occurrence> KeyChange(
        BucketEncryptionPolicy policy,
        PolicyStatus after,
        DateTimeOffset now
    )
    {
        var before = policy.Status?.Conditions.Find(ConditionTypes.KeyUsable);
        if (after.Conditions.Find(ConditionTypes.KeyUsable) is not { } usable)
            yield break;
        var isWarning = usable.Status == Condition.False;
        var isNews = isWarning
            ? before is null
                || (before.Status, before.Reason, before.Message) != (usable.Status, usable.Reason, usable.Message)
            : usable.Status == Condition.True && before is { Status: not Condition.True };
        if (isNews)
            yield return new Occurrence(
                SubjectOf(policy),
                isWarning,
                usable.Reason,
                "DescribeKey",
                usable.Message,
                now
            );
    }

    /// <summary>
    /// A row of another spec says nothing about drift: somebody has changed the declaration, not the bucket.
    /// </summary>
    private static Dictionary<string, BucketStatus> RowsOfThisSpec(BucketEncryptionPolicy policy) =>
        policy.Status is { } status && status.ObservedGeneration == policy.Metadata.Generation
            ? status.Buckets.ToDictionary(b => b.Name, StringComparer.Ordinal)
            : [];

    private static Fact Drift(string bucket, ObservedEncryption from, ObservedEncryption? to) =>
        new(
            bucket,
            IsWarning: true,
            Reasons.DriftDetected.Name,
            "Get",
            $"default encryption was changed by somebody else, from {Words(from)} to "
                + $"{(to is null ? "something unread" : Words(to))}."
        );

    private static Fact? Problem(string bucket, BucketError error) =>
        error.Event() switch
        {
            ReasonEvent.None => null,
            ReasonEvent.VendorError => new Fact(
                bucket,
                IsWarning: true,
                Reasons.CommonEvent.Name,
                error.Operation,
                Messages.Join($"{error.Operation} failed with {error.Code}{Answered(error)}.", error.Hint)
            )
            {
                RequestId = error.RequestId,
            },
            var own => new Fact(
                bucket,
                IsWarning: own == ReasonEvent.Warning,
                error.Code,
                error.Operation,
                Messages.Join(error.Message, error.Hint)
            ),
        };

    private static string Answered(BucketError error) =>
        error.HttpStatus is { } status ? string.Create(CultureInfo.InvariantCulture, $" (HTTP {status})") : "";

    private static string Words(ObservedEncryption row) =>
        string.Join(
            ' ',
            new[]
            {
                row.Algorithm,
                row.KmsKeyId is { } key ? $"with key {key}" : null,
                row.KmsProjectId is { } project ? $"of project {project}" : null,
                row.KmsDataEncryption is { } cipher ? $"and {cipher} data encryption" : null,
                row.BucketKeyEnabled is true ? "and a bucket key" : null,
                BlockedTypes.Of(row.BlockedEncryptionTypes ?? []) is { IsEmpty: false } types
                    ? $"and {types} blocked"
                    : null,
            }.Where(t => t is not null)
        );

    /// <summary>One event for each thing that happened; the request id is that of the first bucket.</summary>
    private static IEnumerable<Occurrence> Group(BucketEncryptionPolicy policy, List<Fact> facts, DateTimeOffset now)
    {
        var subject = SubjectOf(policy);
        return facts
            .GroupBy(f => f with { Bucket = "", RequestId = null })
            .Select(same =>
            {
                var fact = same.Key;
                var buckets = same.Select(f => f.Bucket).ToImmutableArray();
                var request = same.Select(f => f.RequestId).FirstOrDefault(id => id is not null);
                var note = $"{Names(buckets)}: {fact.Text}{(request is null ? "" : $" Request {request}.")}";
                return new Occurrence(subject, fact.IsWarning, fact.Reason, fact.Action, note, now);
            });
    }

    private static EventSubject SubjectOf(BucketEncryptionPolicy policy) =>
        new(
            $"{ApiResources.Group}/{ApiResources.Version}",
            ApiResources.Policy,
            policy.Metadata.Key,
            policy.Metadata.Uid
        );

    private static string Names(ImmutableArray<string> buckets) =>
        (buckets.Length == 1 ? "Bucket " : "Buckets ")
        + string.Join(", ", buckets.Take(NamedBuckets))
        + (buckets.Length > NamedBuckets ? $" and {buckets.Length - NamedBuckets} more" : "");

    private sealed record Fact(string Bucket, bool IsWarning, string Reason, string Action, string Text)
    {
        public string? RequestId { get; init; }
    }
}
