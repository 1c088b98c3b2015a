using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>A write without a read before it, for tests that need no more.</summary>
internal static class Writes
{
    public static async Task PutAsync(
        this IBucketEncryptionApi api,
        BucketAddress address,
        AccessKey key,
        string document,
        Func<Failure?>? lastCheck = null
    )
    {
        using var write = await api.BeginWriteAsync(address, key, CancellationToken.None);
        await write.PutAsync(document, lastCheck ?? Nothing, CancellationToken.None);
    }

    public static async Task DeleteAsync(
        this IBucketEncryptionApi api,
        BucketAddress address,
        AccessKey key,
        Func<Failure?>? lastCheck = null
    )
    {
        using var write = await api.BeginWriteAsync(address, key, CancellationToken.None);
        await write.DeleteAsync(lastCheck ?? Nothing, CancellationToken.None);
    }

    private static Failure? Nothing() => null;
}
