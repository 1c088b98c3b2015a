using System.Collections.Immutable;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <summary>
/// The accounts of a schedule: from an endpoint to the account behind it, with a gate before each call and one before
/// its answer.
/// </summary>
/// <param name="refuse">From an account, a call and its key: why the vendor refuses it; null where it does not.</param>
internal sealed class ModelAccounts(
    Func<Uri, InMemoryAccount> accountOf,
    Func<InMemoryAccount, VendorCall, AccessKey, Failure?> refuse,
    Func<ModelRun, string, Task> gate,
    OwnershipOracle oracle
) : IAccountApi
{
    public Task<ImmutableArray<ListedBucket>> ListBucketsAsync(
        StoreAddress store,
        AccessKey key,
        CancellationToken cancellationToken
    ) =>
        CallAsync(
            accountOf(store.Endpoint),
            new VendorCall(InMemoryAccount.List, ""),
            key,
            account => account.ListBucketsAsync(store, key, cancellationToken),
            (run, asker, list) => oracle.Lists.Listed(run, asker, list)
        );

    public Task<BucketPlace> LocateAsync(BucketAddress bucket, AccessKey key, CancellationToken cancellationToken) =>
        CallAsync(
            accountOf(bucket.Endpoint),
            new VendorCall(InMemoryAccount.Location, bucket.Bucket),
            key,
            account => account.LocateAsync(bucket, key, cancellationToken),
            (_, asker, place) => oracle.Lists.Located(asker, bucket.Bucket, place)
        );

    public Task<ImmutableDictionary<string, string>> GetTagsAsync(
        BucketAddress bucket,
        AccessKey key,
        CancellationToken cancellationToken
    ) =>
        CallAsync(
            accountOf(bucket.Endpoint),
            new VendorCall(InMemoryAccount.Tagging, bucket.Bucket),
            key,
            account => account.GetTagsAsync(bucket, key, cancellationToken),
            (_, asker, tags) => oracle.Lists.Tagged(asker, bucket.Bucket, tags)
        );

    private async Task<T> CallAsync<T>(
        InMemoryAccount account,
        VendorCall call,
        AccessKey key,
        Func<InMemoryAccount, Task<T>> ask,
        Action<ModelRun, Asker, T> answered
    )
    {
        var run = ModelRun.Current ?? throw new InvalidOperationException("a call outside of any reconcile");
        await gate(run, $"{call.Operation} {call.Bucket}");
        var asker = oracle.Asks(run, call, key);
        try
        {
            if (refuse(account, call, key) is { } refusal)
                throw new VendorException(refusal);
            var answer = await ask(account);
            answered(run, asker, answer);
            return answer;
        }
        catch (VendorException)
        {
            OwnershipOracle.AskedInVain(run, call, asker);
            throw;
        }
        finally
        {
            await gate(run, $"{call.Operation} {call.Bucket} answered");
        }
    }
}
