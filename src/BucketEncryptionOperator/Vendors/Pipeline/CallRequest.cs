using System.Xml.Linq;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>One request of a call. A step passes on a copy with what it adds.</summary>
/// <param name="Operation">The vendor's name of the operation.</param>
internal sealed record CallRequest(CallContext Call, HttpMethod Method, string Operation)
{
    public Resource Resource { get; init; } = Resource.Encryption;

    /// <summary>What a read of an account must be answered with; null for a bucket's encryption.</summary>
    public IAccountDocument? Expected { get; init; }

    /// <summary>What a key service is asked; null for every other request.</summary>
    public KeyQuestion? Question { get; init; }

    /// <summary>The document of a PUT, or the body of a question; null for all others.</summary>
    public string? Body { get; init; }

    /// <summary>
    /// Called for a write when the request is complete; a failure means that it must not be sent. Null for a read.
    /// </summary>
    public Func<Failure?>? LastCheck { get; init; }

    /// <summary>The signed request, from the step <c>signature</c> on.</summary>
    public HttpRequestMessage? Message { get; init; }

    /// <summary>Maximum time for this request, where that is less than for any request.</summary>
    public TimeSpan AtMost { get; init; } = TimeSpan.MaxValue;

    public bool IsWrite => LastCheck is not null;

    public VendorAddress Address => Call.Address;
}

/// <summary>The answer to a request. A step passes on a copy with what it adds.</summary>
internal sealed record VendorAnswer
{
    /// <summary>Null where a test answers without HTTP.</summary>
    public VendorResponse? Response { get; init; }

    /// <summary>
    /// What the vendor said was wrong; null for a success. "Not configured" counts as a problem here.
    /// </summary>
    public Failure? Problem { get; init; }

    /// <summary>The signature was refused for its time, as the step <c>answer</c> reads it.</summary>
    public bool IsSkewed { get; init; }

    /// <summary>What a key service says of a key, from the step <c>answer</c> on; null where it says nothing.</summary>
    public KeyHealth? Health { get; init; }

    /// <summary>The document that was expected of a read of an account, from the step <c>answer</c> on.</summary>
    public XElement? Document { get; init; }

    /// <summary>What a read of an encryption found, from the step <c>result</c> on.</summary>
    public Observation? Observed { get; init; }

    /// <summary>Why the operation is not done, from the step <c>result</c> on; null where it is done.</summary>
    public Failure? Error { get; init; }
}
