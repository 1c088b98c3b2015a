using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>What a key service is asked.</summary>
internal sealed record KeyQuestion(KeyServiceAddress Service, KmsKeyName KmsKey);

/// <summary>The request for a question, before it is signed.</summary>
/// <param name="Operation">The vendor's name of the call.</param>
internal sealed record KeyRequest(string Operation, HttpMethod Method, Resource Resource, string? Body = null);

/// <summary>What an answer of a key service means: exactly one of health and failure.</summary>
internal sealed record KeyAnswer(KeyHealth? Health, Failure? Failure)
{
    /// <summary>The signature was refused, and the operator's clock may be why.</summary>
    public bool IsSkewed { get; init; }

    public static KeyAnswer Of(KeyHealth health) => new(health, Failure: null);
}

/// <summary>
/// What differs between key services that all are asked for the state of one key. Pure, but for what a request is
/// signed with.
/// </summary>
internal interface IKeyServiceDialect : IRequestSigner
{
    /// <inheritdoc cref="IKeyServiceApi.MayAsk"/>
    bool MayAsk(KmsKeyName kmsKey);

    /// <summary>Returns what the key's name alone says, so that nobody needs to be asked; or null.</summary>
    KeyHealth? Foresee(KeyQuestion question);

    /// <param name="question">About a key that may be asked for.</param>
    /// <exception cref="VendorException">Something is missing that the request needs.</exception>
    KeyRequest Ask(KeyQuestion question);

    /// <summary>
    /// Reads any answer. Only what the key service itself says in its own form counts: a state that is not known here,
    /// another key than was asked for, a page of a gateway, are failures.
    /// </summary>
    KeyAnswer Read(KeyQuestion question, VendorResponse response, AnswerContext context);

    /// <summary>Whether an error code is known here.</summary>
    bool Knows(string code);
}
