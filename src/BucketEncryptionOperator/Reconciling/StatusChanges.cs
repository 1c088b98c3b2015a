using BucketEncryptionOperator.Api;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What is new in a status: log and events tell the same.</summary>
internal static class StatusChanges
{
    /// <returns>
    /// The row's error where it was not told before. <see cref="BucketStatuses"/> keeps the very object of an error
    /// that is the same again.
    /// </returns>
    public static BucketError? NewError(PolicyStatus? before, BucketStatus row) =>
        row.Error is { } error
        && !ReferenceEquals(before?.Buckets.FirstOrDefault(b => b.Name == row.Name)?.Error, error)
            ? error
            : null;
}
