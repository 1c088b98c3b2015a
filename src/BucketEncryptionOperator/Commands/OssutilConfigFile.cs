using System.Text;

namespace BucketEncryptionOperator.Commands;

/// <summary>Finds and reads ossutil's config file.</summary>
internal static class OssutilConfigFile
{
    public const string DefaultPath = "~/.ossutilconfig";

    /// <summary>
    /// The scheme of the vendor whose file <see cref="DefaultPath"/> is. Its keys go to no other vendor unless the file
    /// is named.
    /// </summary>
    public const string Scheme = "oss";

    /// <exception cref="UsageException">
    /// The file was named and is not there, or cannot be read. The message does not quote the name: as any value of an
    /// option of this command, it may be a misplaced secret.
    /// </exception>
    public static OssutilConfig Load(
        CommandTarget target,
        BucketEncryptionArguments given,
        Func<string, string?> environment
    )
    {
        if (given.ConfigFile is not null)
            return Read(given.ConfigFile, "value of option --config-file", environment);
        return target.Vendor.Shell.Scheme == Scheme
            ? ReadIfThere(DefaultPath, DefaultPath, environment) ?? OssutilConfig.Empty
            : OssutilConfig.Empty;
    }

    /// <param name="called">How a message names the file.</param>
    /// <exception cref="UsageException">It is not there, or cannot be read.</exception>
    public static OssutilConfig Read(string path, string called, Func<string, string?> environment) =>
        ReadIfThere(path, called, environment) ?? throw Unreadable(called, "there is no such file");

    private static OssutilConfig? ReadIfThere(string path, string called, Func<string, string?> environment)
    {
        if (path.StartsWith("~/", StringComparison.Ordinal))
            path = Path.Combine(environment("HOME") ?? "", path[2..]);
        try
        {
            return ReadText(path) is { } text
                ? OssutilConfig.Parse(text)
                : throw Unreadable(called, $"the file is larger than {OssutilConfig.MaxLength} bytes");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is PathTooLongException or ArgumentException)
        {
            throw Unreadable(called, "no file can have this name");
        }
        catch (UnauthorizedAccessException)
        {
            throw Unreadable(called, "this user may not read the file, or it is a directory");
        }
        catch (IOException)
        {
            throw Unreadable(called, "the file cannot be read");
        }
    }

    private static UsageException Unreadable(string called, string why) =>
        new($"Read config file error: {called}: {why}");

    /// <summary>Reads at most the maximum length: a pipe or a device has no length, and may have no end.</summary>
    /// <returns>Null if it is longer.</returns>
    private static string? ReadText(string path)
    {
        using var file = File.OpenRead(path);
        var bytes = new byte[OssutilConfig.MaxLength + 1];
        var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return length <= OssutilConfig.MaxLength ? Encoding.UTF8.GetString(bytes, 0, length) : null;
    }
}
