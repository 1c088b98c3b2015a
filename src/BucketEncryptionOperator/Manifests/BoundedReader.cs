namespace BucketEncryptionOperator.Manifests;

/// <summary>
/// Reads a text of at most so many characters. The size of a file does not say when it ends: a link may lead to a
/// device.
/// </summary>
/// <exception cref="ManifestException">There is more.</exception>
internal sealed class BoundedReader(TextReader text, SourcePosition at, long most) : TextReader
{
    private long _read;

    public override int Peek() => text.Peek();

    public override int Read() => text.Read() is >= 0 and var read ? (char)Counted(read, 1) : -1;

    public override int Read(char[] buffer, int index, int count)
    {
        var read = text.Read(buffer, index, count);
        return Counted(read, read);
    }

    private int Counted(int result, int characters) =>
        (_read += characters) <= most ? result : throw new ManifestException(at, $"larger than {most} characters");
}
