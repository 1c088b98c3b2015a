namespace BucketEncryptionOperator.Encryption;

/// <summary>What is to be done with one bucket.</summary>
internal abstract record Plan
{
    private Plan() { }

    /// <summary>As wanted: nothing.</summary>
    /// <param name="History">Still remembered: somebody has put the bucket back before.</param>
    public sealed record Keep(WriteHistory? History) : Plan;

    /// <summary>Write <paramref name="Target"/>; where it is none, remove the default encryption.</summary>
    /// <param name="History">
    /// With this write counted: it must be on record before the write is sent, or a crash would forget it.
    /// </param>
    public sealed record Write(BucketEncryption Target, WriteHistory History) : Plan
    {
        public bool Removes => Target is BucketEncryption.None;
    }

    /// <summary>It differs, and is left so, for a reason that a person must settle.</summary>
    public sealed record Refuse(Failure Failure) : Plan;

    /// <summary>
    /// It differs, and the same write was sent before: look again, and write no earlier than the history says.
    /// </summary>
    public sealed record Wait(BucketEncryption Target, WriteHistory History) : Plan;
}
