using System.Collections.Immutable;
using System.Text;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Vendors;
using KubeRuntime.Api;
using KubeRuntime.Control;
using KubeRuntime.Watching;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// What must be on record before a vendor is written to, so that no crash in between is forgotten: that the policy keeps the bucket, what it had before, that the
/// same write was sent already; and the finalizer, so that the policy cannot go before its buckets are released. The status comes first: a finalizer without an
/// original then means that the original was lost, and not that nothing was written yet.
/// </summary>
internal sealed class Keeper(KubeClient client, Mirror<BucketEncryptionPolicy> policies, StatusWriter writer, TimeProvider time)
{
    public const string Finalizer = "bucketencryption.io/release";
    public const string OriginalTooLarge = "OriginalTooLarge";

    public static bool HasFinalizer(BucketEncryptionPolicy policy) => Finalizers.Has(policy.Metadata, Finalizer);

    /// <summary>
    /// The finalizer is there and the status was never written, or has been cleared: a policy restored from a backup, or a status that somebody has replaced.
    /// </summary>
    public static bool HasLostStatus(BucketEncryptionPolicy policy) => HasFinalizer(policy) && policy.Status?.ObservedGeneration is null or < 0 && (policy.Status?.Buckets ?? []).All(b => b.HeldTime is null && b.Original is null);

    /// <summary>What must be recorded for the buckets that the policy keeps, and which of them cannot be.</summary>
    public (ImmutableArray<BucketRow> Rows, ImmutableDictionary<string, Failure> Refused) Records(
        BucketEncryptionPolicy policy, PolicyTerms terms, IBucketEncryptionApi api, IReadOnlyList<BucketLook.Seen> held)
    {
        var now = KubeTimeConverter.Truncate(time.GetUtcNow());
        var (lost, room) = (HasLostStatus(policy), Original.MaxDocuments - (policy.Status?.Buckets ?? []).Sum(b => Bytes(b.Original?.Document)));
        var before = (policy.Status?.Buckets ?? []).ToDictionary(b => b.Name, StringComparer.Ordinal);
        var rows = ImmutableArray.CreateBuilder<BucketRow>();
        var refused = ImmutableDictionary.CreateBuilder<string, Failure>(StringComparer.Ordinal);
        foreach (var look in held)
        {
            var row = before.GetValueOrDefault(look.Task.Bucket) ?? new BucketRow { Name = look.Task.Bucket, State = BucketRow.Unknown };
            var next = row;
            if (terms.Deletion != DeletionPolicy.Retain && !look.Task.IsRelease)
                next = next with { HeldTime = row.HeldTime ?? now };
            if (terms.Deletion == DeletionPolicy.Restore && !look.Task.IsRelease && row.Original is null)
            {
                var original = lost || look.Task.Memory.WasWritten ? new Original.Unavailable() : (Original)new Original.Recorded(look.Observed.Encryption, api.Repeat(look.Observed), now);
                var size = Bytes((original as Original.Recorded)?.Document);
                if (size > Original.MaxDocument || size > room)
                {
                    if (look.Plan is Plan.Write)
                        refused.Add(look.Task.Bucket, TooLarge(size));
                    continue;
                }
                (next, room) = (next with { Original = BucketMemory.Row(original) }, room - size);
            }
            if (look.Plan is Plan.Write { IsRepeated: true } write)
                next = next with { Writes = BucketMemory.Row(write.History) };
            if (next != row)
                rows.Add(next);
        }
        return (rows.ToImmutable(), refused.ToImmutable());
    }

    /// <returns>The policy with the rows in its status and, if need be, with the finalizer.</returns>
    /// <exception cref="KubeApiException">Nothing may be written to a vendor then.</exception>
    public async Task<BucketEncryptionPolicy> PrepareAsync(BucketEncryptionPolicy policy, ImmutableArray<BucketRow> rows, bool needsFinalizer, CancellationToken cancellationToken)
    {
        if (rows.Length > 0)
            policy = await writer.WriteAsync(policy, StatusComposer.WithRows(policy, rows), cancellationToken);
        return needsFinalizer ? await SetAsync(policy, Finalizers.With(policy.Metadata, Finalizer), cancellationToken) : policy;
    }

    /// <summary>Nothing remains to be done for the policy's buckets.</summary>
    public Task<BucketEncryptionPolicy> LetGoAsync(BucketEncryptionPolicy policy, CancellationToken cancellationToken) =>
        SetAsync(policy, Finalizers.Without(policy.Metadata, Finalizer), cancellationToken);

    /// <summary>Who keeps the bucket from now on gets to know what it had before the first of all writes.</summary>
    public async Task PassOnAsync(BucketEncryptionPolicy heir, string bucket, Original? original, CancellationToken cancellationToken)
    {
        if (original is not Original.Recorded recorded || heir.Status?.Buckets.FirstOrDefault(b => b.Name == bucket) is not { } row)
            return;
        if (row.Original is { State: OriginalRow.Recorded, RecordedTime: { } own } && own <= recorded.At)
            return;
        await writer.WriteAsync(heir, StatusComposer.WithRows(heir, [row with { Original = BucketMemory.Row(original) }]), cancellationToken);
    }

    private async Task<BucketEncryptionPolicy> SetAsync(BucketEncryptionPolicy policy, ImmutableArray<string> finalizers, CancellationToken cancellationToken)
    {
        var written = await Finalizers.WriteAsync(client, Kinds.Policies, policy, finalizers, cancellationToken);
        policies.Replace(policy.Metadata.ResourceVersion, written);
        return written;
    }

    private static int Bytes(string? document) => document is null ? 0 : Encoding.UTF8.GetByteCount(document);

    private static Failure TooLarge(int size) => new(FailureKind.Refused, Planner.Step, OriginalTooLarge)
    {
        Message = $"What the bucket has now takes {size} bytes to remember; {Original.MaxDocument} are allowed for a bucket, and {Original.MaxDocuments} for a policy. Nothing was written.",
        Hint = "Use deletionPolicy Retain for this bucket, or split the policy.",
    };
}
