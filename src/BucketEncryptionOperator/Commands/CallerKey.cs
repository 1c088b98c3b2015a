using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Description;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// A key that the caller names: <c>env</c>, the variables of the vendor's own tools, or <c>file:PATH</c>, a file in
/// ossutil's form.
/// </summary>
internal static class CallerKey
{
    public const string FromEnvironment = "env";
    public const string FromFile = "file:";

    public static bool IsSource(string text) =>
        text == FromEnvironment
        || (text.StartsWith(FromFile, StringComparison.Ordinal) && text.Length > FromFile.Length);

    /// <summary>Reads the key as <c>bucket-encryption</c> does.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public static AccessKey Read(string source, Vendor vendor, Func<string, string?> environment)
    {
        var target = new CommandTarget(BucketMethod.Get, vendor, Bucket: "");
        if (source == FromEnvironment)
        {
            if (vendor.Shell.Keys.IsEmpty)
                throw new UsageException($"the tools of {vendor.Name} have no variables; use {FromFile}PATH");
            if (vendor.Shell.Keys.All(k => string.IsNullOrWhiteSpace(environment(k.Id))))
                throw new UsageException(
                    $"set {string.Join(" or ", vendor.Shell.Keys.Select(k => $"{k.Id} and {k.Secret}"))}"
                );
            return new BucketKeyReader(target, new(), OssutilConfig.Empty, environment).Read();
        }
        var path = source[FromFile.Length..];
        var config = OssutilConfigFile.Read(path, path, environment);
        if (config.AccessKeyId is null || config.AccessKeySecret is null)
            throw new UsageException("the file has no accessKeyID and accessKeySecret in [Credentials]");
        return new BucketKeyReader(target, new(), config, _ => null).Read();
    }
}
