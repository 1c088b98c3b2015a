using BucketEncryptionOperator.Policies;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What is new in a status: log and events tell the same.</summary>
internal static class StatusChanges
{
    /// <returns>The row's error where it was not told before. <see cref="BucketRows"/> keeps the very object of an error that is the same again.</returns>
    public static ErrorRow? NewError(PolicyStatus? before, BucketRow row) =>
        row.Error is { } error
        && !ReferenceEquals(before?.Buckets.FirstOrDefault(b => b.Name == row.Name)?.Error, error)
            ? error
            : null;
}
