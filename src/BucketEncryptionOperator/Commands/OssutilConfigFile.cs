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
    /// The file was named and is not there, or cannot be read. The message does not quote the name: a secret may have
    /// been typed in its place.
    /// </exception>
    public static OssutilConfig Load(
        CommandTarget target,
        BucketEncryptionArguments given,
        Func<string, string?> environment
    )
    {
        if (given.ConfigFile is null && target.Vendor.Shell.Scheme != Scheme)
            return OssutilConfig.Empty;
        var path = given.ConfigFile ?? DefaultPath;
        if (path.StartsWith("~/", StringComparison.Ordinal))
            path = Path.Combine(environment("HOME") ?? "", path[2..]);
        try
        {
            return OssutilConfig.Parse(ReadText(path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return given.ConfigFile is null ? OssutilConfig.Empty : throw Unreadable("is not there");
        }
        catch (UnauthorizedAccessException)
        {
            throw Unreadable("may not be read by this user, or is a directory");
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            throw Unreadable("cannot be read");
        }

        UsageException Unreadable(string what) =>
            new($"Read config file error: {(given.ConfigFile is null ? DefaultPath : "the file of -c")} {what}");
    }

    /// <summary>Reads at most the maximum length: a pipe or a device has no length, and may have no end.</summary>
    private static string ReadText(string path)
    {
        using var file = File.OpenRead(path);
        var bytes = new byte[OssutilConfig.MaxLength + 1];
        var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return length <= OssutilConfig.MaxLength
            ? Encoding.UTF8.GetString(bytes, 0, length)
            : throw new UsageException($"Read config file error: it is larger than {OssutilConfig.MaxLength} bytes");
    }
}
