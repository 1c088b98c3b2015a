using System.Security.Cryptography;

namespace KubeRuntime.Client;

/// <summary>Makes <see cref="Renewable{T}"/>.</summary>
public static class Renewable
{
    /// <summary>Reads now, and lets the exceptions of this first read through.</summary>
    /// <param name="parse">
    /// May throw <see cref="FormatException"/>, <see cref="KubeConfigException"/> or
    /// <see cref="CryptographicException"/>.
    /// </param>
    public static Renewable<T> From<T>(Func<string> read, Func<string, T> parse, TimeProvider time)
        where T : class => new(read, parse, time);

    /// <summary>Returns a value that never changes.</summary>
    public static Renewable<T> Of<T>(T value)
        where T : class => new(() => "", _ => value, TimeProvider.System);
}

/// <summary>
/// A text from a file that proves an identity, ours or the server's. Kubelets, cert-manager and people replace such
/// files while the process runs, so a file is read again after a minute, and at once after <see cref="Doubt"/>. A file
/// that cannot be read, or has an invalid content, is being replaced: the last value stays, and is valid until the
/// other side rejects it.
/// </summary>
public sealed class Renewable<T>
    where T : class
{
    private static readonly TimeSpan RereadAfter = TimeSpan.FromMinutes(1);
    private readonly Lock _gate = new();
    private readonly Func<string> _read;
    private readonly Func<string, T> _parse;
    private readonly TimeProvider _time;
    private string _text;
    private T _value;
    private long _readAt;
    private bool _doubted;

    internal Renewable(Func<string> read, Func<string, T> parse, TimeProvider time)
    {
        _read = read;
        _parse = parse;
        _time = time;
        _text = read();
        _value = parse(_text);
        _readAt = time.GetTimestamp();
    }

    /// <summary>The current value: the same object until the text has changed.</summary>
    public T Current
    {
        get
        {
            lock (_gate)
            {
                if (_doubted || _time.GetElapsedTime(_readAt) >= RereadAfter)
                    Reread();
                return _value;
            }
        }
    }

    /// <summary>
    /// Called when the other side rejected the value, or did not match it: the file may have been replaced.
    /// </summary>
    public void Doubt()
    {
        lock (_gate)
            _doubted = true;
    }

    public override string ToString() => "(redacted)";

    private void Reread()
    {
        _readAt = _time.GetTimestamp();
        _doubted = false;
        try
        {
            var text = _read();
            if (text == _text)
                return;
            _value = _parse(text);
            _text = text;
        }
        catch (Exception e)
            when (e
                    is IOException
                        or UnauthorizedAccessException
                        or FormatException
                        or KubeConfigException
                        or CryptographicException
            )
        {
            // See above.
        }
    }
}
