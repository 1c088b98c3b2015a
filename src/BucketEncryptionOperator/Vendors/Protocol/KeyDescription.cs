using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>What an answer in a key service's own form says about one key.</summary>
/// <param name="Id">The id of the key that it describes.</param>
/// <param name="State">The vendor's word for the key's state.</param>
/// <param name="Health">What the state means; null for a state that is not known here.</param>
internal sealed record KeyDescription(string Id, string State, KeyHealth? Health)
{
    /// <summary>Returns what a description means as the answer to a question.</summary>
    /// <param name="said">Null where the answer does not have the key service's form.</param>
    public static KeyAnswer Answer(
        KeyDescription? said,
        KeyQuestion question,
        VendorResponse response,
        AnswerContext context
    )
    {
        if (said is null)
            return KeyFailures.Foreign(response, context);
        if (!KeyStates.IsAsked(question, said.Id))
            return KeyFailures.AnotherKey(response, context);
        return said.Health is { } health
            ? KeyAnswer.Of(health)
            : KeyFailures.UnknownState(response, context, said.State);
    }
}
