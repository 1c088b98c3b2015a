using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// One call: a read, or a read and the write that follows from it. It holds what the steps have admitted it with, until
/// it is disposed of. For one caller at a time.
/// </summary>
/// <param name="requests">Maximum number of requests, sent one after the other.</param>
internal sealed class CallContext(VendorAddress address, AccessKey key, int requests) : IDisposable
{
    private readonly Stack<IDisposable> _held = new();

    public VendorAddress Address => address;

    public AccessKey Key => key;

    public int Requests => requests;

    /// <summary>The operation of the first request.</summary>
    public string Operation { get; init; } = AnswerContext.Get;

    /// <summary>Null where no breaker watches access keys.</summary>
    public AccessKeyCircuitBreakers.Pass? KeyPass { get; set; }

    /// <summary>Null until the rate limit has admitted the call.</summary>
    public AdaptiveRateLimiter.Permit? Permit { get; set; }

    /// <summary>Releases <paramref name="held"/> when the call ends; what was held last goes first.</summary>
    public T Hold<T>(T held)
        where T : IDisposable
    {
        _held.Push(held);
        return held;
    }

    public void Dispose()
    {
        while (_held.TryPop(out var held))
            held.Dispose();
    }
}
