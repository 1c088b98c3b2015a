using System.Collections.Immutable;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Commands;

internal enum BucketMethod
{
    Get,
    Put,
    Delete,
}

/// <summary>
/// The method, vendor and bucket of a command. It is known as soon as the words are read, so that a later failure can
/// name it.
/// </summary>
internal sealed record CommandTarget(BucketMethod Method, Vendor Vendor, string Bucket);

/// <summary>One request, valid by construction.</summary>
/// <param name="Desired">Set for a put, and only then.</param>
/// <param name="Timeout">Timeout of one request.</param>
/// <param name="Warnings">Warnings for stderr.</param>
internal sealed record BucketRequest(
    CommandTarget Target,
    BucketAddress Address,
    AccessKey Key,
    DesiredEncryption? Desired,
    TimeSpan Timeout,
    ImmutableArray<string> Warnings
)
{
    private const string Algorithm = "--sse-algorithm";
    private const string KeyOption = "--kms-masterkey-id";
    private const string CipherOption = "--kms-data-encryption";

    /// <summary>
    /// Maximum length of a key id. A longer one could not be read back: such documents are not understood.
    /// </summary>
    private const int LongestKeyId = 1024;

    /// <summary>ossutil waits up to 22 minutes for a server that says nothing.</summary>
    private const int DefaultReadSeconds = 60;
    private const int DefaultConnectSeconds = 10;
    private const int MostSeconds = 3600;

    /// <summary>
    /// Reads the words alone. ossutil's own checks come first and in its wording, because scripts may look for them.
    /// </summary>
    /// <exception cref="UsageException" />
    public static CommandTarget ReadTarget(BucketEncryptionArguments given)
    {
        if (given.Words.FirstOrDefault(w => w.StartsWith('-')) is { } unknown)
            throw new UsageException($"unknown option {Clean(unknown.Split('=')[0])}");
        if (given.Words.Length != 1)
            throw new UsageException("the command needs one bucket, for example oss://my-bucket");
        if (string.IsNullOrEmpty(given.Method))
            throw new UsageException("--method value is empty");
        if (
            !Enum.TryParse<BucketMethod>(given.Method, ignoreCase: true, out var method)
            || !given.Method.All(char.IsAsciiLetter)
        )
            throw new UsageException("--method value is not in the optional value:put|get|delete");
        if (given.Unsupported.FirstOrDefault() is { } unsupported)
            throw new UsageException(UnsupportedOptions.Describe(unsupported));

        var url = given.Words[0];
        var at = url.IndexOf("://", StringComparison.Ordinal);
        var scheme = at < 0 ? "" : url[..at].ToLowerInvariant();
        var vendor = given.Vendor is null ? VendorCatalog.FindByScheme(scheme) : VendorOf(given.Vendor);
        if (vendor is null || vendor.Shell.Scheme != scheme)
        {
            var forms = (vendor is null ? VendorCatalog.All : [vendor]).Select(v => $"{v.Shell.Scheme}://bucket");
            throw new UsageException(
                $"the bucket must be given as {string.Join(", ", forms.Distinct(StringComparer.Ordinal))}"
            );
        }
        var bucket = url[(at + 3)..].TrimEnd('/');
        if (!BucketName.IsValid(bucket, edgeHyphens: true))
            throw new UsageException(
                "the bucket's name is none: it has 3 to 63 lower-case letters, digits, hyphens and dots, and no "
                    + "object follows it"
            );
        return new CommandTarget(method, vendor, bucket);
    }

    /// <summary>Precedence: options, then the config file, then the environment.</summary>
    /// <exception cref="UsageException" />
    public static BucketRequest Read(
        CommandTarget target,
        BucketEncryptionArguments given,
        OssutilConfig config,
        Func<string, string?> environment
    )
    {
        var desired = target.Method == BucketMethod.Put ? ReadDesired(given) : null;
        var key = new BucketKeyReader(target, given, config, environment).Read();
        var (address, traits, warnings) = new BucketAddressReader(target, given, config, environment).Read();
        if (
            desired is DesiredEncryption.Kms kms
            && NullIfEmpty(given.KmsDataEncryption) is null
            && !traits.DataEncryption
        )
            desired = kms with { Cipher = null }; // a store without the word has nothing to set back
        var problem =
            (desired is null ? null : StoreRules.ProblemOf(desired, traits))
            ?? StoreRules.ProblemOf(target.Bucket, traits);
        if (problem is not null)
            throw new UsageException(Describe(problem));
        var timeout =
            Seconds(given.ReadTimeout, "--read-timeout", DefaultReadSeconds)
            + Seconds(given.ConnectTimeout, "--connect-timeout", DefaultConnectSeconds);
        return new BucketRequest(target, address, key, desired, timeout, warnings);
    }

    /// <summary>
    /// Reads the rule, as ossutil does: it is given as a whole, and what is not given is not set. What no option
    /// declares is kept where possible.
    /// </summary>
    private static DesiredEncryption ReadDesired(BucketEncryptionArguments given)
    {
        var (keyId, cipher) = (NullIfEmpty(given.KmsKeyId), NullIfEmpty(given.KmsDataEncryption));
        if (
            keyId?.Length > LongestKeyId
            || keyId?.Any(c => char.IsControl(c) || char.IsSurrogate(c) || c >= '\uFFFE') == true
        )
            throw new UsageException(
                $"value of option {KeyOption} is not a key id: it has at most {LongestKeyId} characters, and no "
                    + "control characters"
            );
        KeyRequirement key = keyId is null ? new KeyRequirement.VendorDefault() : new KeyRequirement.Named(keyId);
        DesiredEncryption desired = given.SseAlgorithm?.ToUpperInvariant() switch
        {
            "AES256" => new DesiredEncryption.Aes256(),
            "SM4" => new DesiredEncryption.Sm4(),
            "KMS" => new DesiredEncryption.Kms(
                key,
                cipher?.ToUpperInvariant() switch
                {
                    null or "AES256" => DataCipher.Aes256,
                    "SM4" => DataCipher.Sm4,
                    _ => throw new UsageException($"value of option {CipherOption} must be SM4 or AES256"),
                }
            ),
            "DSSE" => new DesiredEncryption.Dsse(key),
            _ => throw new UsageException($"value of option {Algorithm} must be AES256, KMS, SM4 or DSSE"),
        };
        if (desired.AskedKey is null && keyId is not null)
            throw new UsageException(
                $"value of option {KeyOption} must be empty if value of option {Algorithm} is {desired.Algorithm}"
            );
        if (desired is not DesiredEncryption.Kms && cipher is not null)
            throw new UsageException(
                $"value of option {CipherOption} must be empty if value of option {Algorithm} is {desired.Algorithm}"
            );
        return desired;
    }

    /// <summary>Says it with the names of the options. The command has no algorithm None.</summary>
    private static string Describe(StoreProblem problem)
    {
        var option = problem.Field switch
        {
            DeclaredField.Bucket => "bucket",
            DeclaredField.Algorithm => Algorithm,
            DeclaredField.DataEncryption => CipherOption,
            DeclaredField.KeyId => KeyOption,
            _ => throw new InvalidOperationException($"no option declares {problem.Field}"),
        };
        var allowed = string.Join(", ", problem.Allowed.Where(a => a != "None"));
        return $"{option}: {problem.Message}{(allowed.Length == 0 ? "" : "; allowed are " + allowed)}.";
    }

    /// <summary>Returns the vendor that --vendor names, by the command line's word for it or by a store's.</summary>
    /// <exception cref="UsageException">It names none.</exception>
    public static Vendor VendorOf(string word) =>
        VendorCatalog.All.FirstOrDefault(v =>
            v.Shell.Word.Equals(word, StringComparison.OrdinalIgnoreCase)
            || v.Name.Equals(word, StringComparison.OrdinalIgnoreCase)
        )
        ?? throw new UsageException(
            $"--vendor must be one of {string.Join(", ", VendorCatalog.All.Select(v => v.Shell.Word))}"
        );

    private static TimeSpan Seconds(string? text, string option, int otherwise) =>
        text is null ? TimeSpan.FromSeconds(otherwise)
        : int.TryParse(text, out var seconds) && seconds is >= 1 and <= MostSeconds ? TimeSpan.FromSeconds(seconds)
        : throw new UsageException($"value of option {option} must be a number of seconds, 1 to {MostSeconds}");

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    /// <summary>Returns the characters of an unknown word that may be in a message.</summary>
    private static string Clean(string word) =>
        string.Concat(Failure.Cut(word, 40).Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));
}
