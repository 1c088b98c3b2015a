using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// <c>bucket-encryption</c>: one bucket by hand, as Alibaba's ossutil does it, through the operator's own vendor code,
/// for every vendor. Read what was typed, act, show: docs/bucket-encryption-command.md.
/// </summary>
internal static class BucketEncryptionCommand
{
    private const string Name = "bucket-encryption";

    private const string DefaultConfigFile = "~/.ossutilconfig";

    /// <summary>
    /// The scheme of the vendor whose file <see cref="DefaultConfigFile"/> is: its keys go to no other unless the file
    /// is named.
    /// </summary>
    private const string ConfigScheme = "oss";

    private static readonly Argument<string[]> Words = new("bucket")
    {
        Description = "oss://bucket, obs://bucket or s3://bucket.",
        Arity = ArgumentArity.ZeroOrMore,
    };
    private static readonly Option<string?> Method = new("--method") { Description = "put, get or delete." };
    private static readonly Option<string?> SseAlgorithm = new("--sse-algorithm")
    {
        Description = "put: AES256, KMS or SM4.",
    };
    private static readonly Option<string?> KmsMasterKeyId = new("--kms-masterkey-id")
    {
        Description = "put, with KMS: the key. Default: the one that the vendor manages.",
    };
    private static readonly Option<string?> KmsDataEncryption = new("--kms-data-encryption")
    {
        Description = "put, with KMS: SM4, or AES256 (the default).",
    };
    private static readonly Option<string?> Endpoint = new("--endpoint", "-e")
    {
        Description =
            "[scheme://]host[:port]; https unless given. Leaves out the config file's sections for buckets. Default: "
            + "the vendor's for --region.",
    };
    private static readonly Option<string?> AccessKeyId = new("--access-key-id", "-i")
    {
        Description = "Access key id.",
    };
    private static readonly Option<string?> AccessKeySecret = new("--access-key-secret", "-k")
    {
        Description =
            "Access key secret. Other users of the machine may see it: rather use the config file or the environment.",
    };
    private static readonly Option<string?> StsToken = new("--sts-token", "-t")
    {
        Description = "Session token of temporary keys.",
    };
    private static readonly Option<string?> Mode = new("--mode") { Description = "AK or StsToken." };
    private static readonly Option<string?> Region = new("--region")
    {
        Description = "For signature version 4. Default: the endpoint's.",
    };
    private static readonly Option<string?> SignVersion = new("--sign-version")
    {
        Description = "oss://: v1 or v4. Default: v4 where a region is known, else v1.",
    };
    private static readonly Option<string?> CloudBoxId = new("--cloudbox-id")
    {
        Description = "oss://: takes the region's place in the signature.",
    };
    private static readonly Option<bool> ForcePathStyle = new("--force-path-style")
    {
        Description = "The bucket's name goes in the path, not in the host.",
    };
    private static readonly Option<string?> ConfigFile = new("--config-file", "-c")
    {
        Description = $"Default, for {ConfigScheme}:// only: {DefaultConfigFile}.",
    };
    private static readonly Option<string?> VendorWord = new("--vendor")
    {
        Description =
            string.Join(", ", VendorCatalog.All.Select(v => v.Shell.Word)) + ". Default: by the bucket's scheme.",
    };
    private static readonly Option<string?> ReadTimeout = new("--read-timeout")
    {
        Description = "Seconds; with --connect-timeout they bound one request. Default: 60.",
    };
    private static readonly Option<string?> ConnectTimeout = new("--connect-timeout")
    {
        Description = "Seconds. Default: 10.",
    };
    private static readonly Option<bool> Json = new("--json")
    {
        Description = "One line of JSON on stdout, whatever happens.",
    };

    private static readonly Option<string?>[] Unsupported =
    [
        .. UnsupportedOptions.Names.Select(n => new Option<string?>(n)
        {
            Hidden = true,
            Arity = ArgumentArity.ZeroOrOne,
        }),
    ];

    public static Command Build(Func<string, string?> environment, TimeProvider time)
    {
        var command = new Command(Name, "Put, get or delete one bucket's default encryption, as ossutil does.")
        {
            Words,
            Method,
            SseAlgorithm,
            KmsMasterKeyId,
            KmsDataEncryption,
            Endpoint,
            AccessKeyId,
            AccessKeySecret,
            StsToken,
            Mode,
            Region,
            SignVersion,
            CloudBoxId,
            ForcePathStyle,
            ConfigFile,
            VendorWord,
            ReadTimeout,
            ConnectTimeout,
            Json,
        };
        foreach (var option in Unsupported)
            command.Options.Add(option);
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, environment, time, cancellationToken));
        return command;
    }

    /// <summary>
    /// Why a command line of ours cannot be run at all; null when it can, and when it is another command's.
    /// </summary>
    internal static string? ProblemOf(ParseResult parsed)
    {
        if (parsed.CommandResult.Command.Name != Name)
            return null;
        var problems = parsed
            .Errors.Select(Describe)
            .Concat(WithoutValue(parsed))
            .Distinct(StringComparer.Ordinal)
            .ToList();
        if (problems.Count > 0)
            return string.Join("; ", problems);
        return AsksForJson(parsed) && parsed.Action != parsed.CommandResult.Command.Action
            ? "help is for people, and --json for scripts: leave out one of them"
            : null;
    }

    /// <summary>The parser takes whatever follows an option for its value, the name of another option too.</summary>
    private static IEnumerable<string> WithoutValue(ParseResult parsed)
    {
        var names = parsed.CommandResult.Command.Options.Select(o => o.Name).ToHashSet(StringComparer.Ordinal);
        return parsed
            .CommandResult.Children.OfType<OptionResult>()
            .Where(r => r.Tokens.Any(t => names.Contains(t.Value)))
            .Select(r => ValueIsMissing(r.Option));
    }

    internal static Task<int> RefuseAsync(ParseResult parsed, string problem, InvocationConfiguration configuration) =>
        WriteAsync(Show(parsed, task: null, new CommandResult.Unusable(problem), TimeSpan.Zero), configuration);

    /// <summary>In words of our own: the parser's quote what was typed, which may be a key.</summary>
    private static string Describe(ParseError error) =>
        error.SymbolResult switch
        {
            OptionResult { IdentifierTokenCount: > 1 } option => $"option {option.Option.Name} is given more than once",
            OptionResult { Tokens.Count: 0 } option => ValueIsMissing(option.Option),
            OptionResult option => $"value of option {option.Option.Name} cannot be read",
            _ => $"the words before {Name} cannot be read",
        };

    private static string ValueIsMissing(Option option) => $"value of option {option.Name} is missing";

    /// <summary>Wherever the word stands, and whatever the parser makes of it: whoever types it reads JSON.</summary>
    private static bool AsksForJson(ParseResult parsed) =>
        parsed.GetResult(Json) is { Implicit: false } result && !result.Errors.Any()
            ? result.GetValueOrDefault<bool>()
            : parsed.Tokens.Any(t => t.Value == Json.Name)
                || parsed.UnmatchedTokens.Contains(Json.Name, StringComparer.Ordinal);

    private static RenderedOutput Show(
        ParseResult parsed,
        CommandTarget? task,
        CommandResult result,
        TimeSpan elapsed
    ) => AsksForJson(parsed) ? JsonOutput.Show(task, result, elapsed) : OssutilOutput.Show(task, result, elapsed);

    private static async Task<int> RunAsync(
        ParseResult parsed,
        Func<string, string?> environment,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var configuration = parsed.InvocationConfiguration;
        var started = time.GetTimestamp();
        CommandTarget? task = null;
        CommandResult result;
        try
        {
            var given = Given(parsed);
            task = BucketRequest.ReadTask(given);
            var request = BucketRequest.Read(task, given, LoadConfig(task, given, environment), environment);
            foreach (var warning in request.Warnings)
                await SayAsync($"warning: {warning}", configuration);
            result = await ActAsync(
                request,
                EnvironmentProxy.Read(environment),
                time,
                configuration,
                cancellationToken
            );
        }
        catch (Exception e) when (e is UsageException or ProxyFormatException)
        {
            result = new CommandResult.Unusable(e.Message);
        }
        catch (VendorException e)
        {
            result = new CommandResult.Failed(e.Failure);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            result = new CommandResult.Interrupted();
        }
        // One of the catch-alls (CONTRIBUTING, "Errors"): a script is told of our bug in the form that it reads.
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            // Without its message: that may quote a header, and so a key.
            await SayAsync($"{e.GetType()}\n{e.StackTrace}", configuration);
            result = new CommandResult.Broken();
        }
        return await WriteAsync(Show(parsed, task, result, time.GetElapsedTime(started)), configuration);
    }

    /// <returns>The exit code: a result that nobody can read is a failure.</returns>
    private static async Task<int> WriteAsync(RenderedOutput shown, InvocationConfiguration configuration)
    {
        try
        {
            await configuration.Output.WriteAsync(shown.Text);
            return shown.ExitCode;
        }
        catch (Exception e) when (IsUnwritable(e))
        {
            await SayAsync($"cannot write the result: {e.Message}", configuration);
            return 1;
        }
    }

    /// <summary>On stderr. What cannot be said there is not said: the result counts.</summary>
    private static async Task SayAsync(string text, InvocationConfiguration configuration)
    {
        try
        {
            await configuration.Error.WriteLineAsync($"{Name}: {text}");
        }
        catch (Exception e) when (IsUnwritable(e))
        {
            // Nobody listens.
        }
    }

    /// <summary>A full disk, or a descriptor that was closed before the start.</summary>
    private static bool IsUnwritable(Exception e) => e is IOException or UnauthorizedAccessException;

    private static async Task<CommandResult> ActAsync(
        BucketRequest request,
        IWebProxy proxy,
        TimeProvider time,
        InvocationConfiguration configuration,
        CancellationToken cancellationToken
    )
    {
        using var http = new VendorHttp(Services.Product, request.Timeout, time, new VendorRoute { Proxy = proxy });
        using var limits = new VendorLimits(time);
        var services = new VendorServices(http, new ServerClocks(time), limits)
        {
            KeyBreakers = new AccessKeyCircuitBreakers(time),
        };
        var vendor = request.Task.Vendor;
        var api = services.Connect([vendor])[vendor.Name];
        var (address, key) = (request.Address, request.Key);
        if (request.Desired is { } desired)
        {
            using var put = await api.BeginWriteAsync(address, key, cancellationToken);
            var basis = await ReadBasisAsync(put, cancellationToken);
            var target = desired.TargetFrom(basis.Encryption);
            if (basis.NeedsNamedKey && target is BucketEncryption.Kms { KeyId: null })
                await SayAsync(NeedsNamedKey, configuration);
            await put.PutAsync(api.Write(target, basis), NothingToCheck, cancellationToken);
            return new CommandResult.Written(target);
        }
        if (request.Task.Method == BucketMethod.Delete)
        {
            using var delete = await api.BeginWriteAsync(address, key, cancellationToken);
            await DeleteAsync(delete, cancellationToken);
            return new CommandResult.Written(new BucketEncryption.None());
        }
        var observed = await api.GetAsync(address, key, cancellationToken);
        return new CommandResult.Read(observed.Encryption, observed.NotConfigured);
    }

    /// <summary>The operator refuses such a write. A person may mean it: an upload can name a key itself.</summary>
    private const string NeedsNamedKey =
        "warning: this store has no KMS key of its own: it will refuse every upload that names no key; "
        + "give --kms-masterkey-id";

    /// <summary>A person has asked for the write, and there is no lease.</summary>
    private static Failure? NothingToCheck() => null;

    /// <summary>
    /// Reads first. A store that does not know <c>?encryption</c> takes the DELETE for the bucket's own and deletes the
    /// bucket (Ceph 16), so the request goes only to a store that has just answered with an encryption document. Where
    /// the store says that nothing is configured, nothing is to be removed; after any other answer, a refusal of the
    /// right to read included, nothing is sent.
    /// </summary>
    private static async Task DeleteAsync(IBucketWrite write, CancellationToken cancellationToken)
    {
        var observed = await write.GetAsync(cancellationToken);
        if (observed.Document is not null)
            await write.DeleteAsync(NothingToCheck, cancellationToken);
    }

    /// <summary>
    /// What the bucket has, so that a put keeps what the options have no words for, as the operator's does. Whoever may
    /// write and not read (and is otherwise known to the vendor) puts a plain document, as ossutil would.
    /// </summary>
    private static async Task<Observation> ReadBasisAsync(IBucketWrite write, CancellationToken cancellationToken)
    {
        try
        {
            return await write.GetAsync(cancellationToken);
        }
        catch (VendorException e) when (e.Failure is { Kind: FailureKind.Denied, ConcernsCredentials: false })
        {
            return new Observation(new BucketEncryption.None(), Document: null);
        }
    }

    private static OssutilConfig LoadConfig(
        CommandTarget task,
        BucketEncryptionArguments given,
        Func<string, string?> environment
    )
    {
        if (given.ConfigFile is null && task.Vendor.Shell.Scheme != ConfigScheme)
            return OssutilConfig.Empty;
        var path = given.ConfigFile ?? DefaultConfigFile;
        if (path.StartsWith("~/", StringComparison.Ordinal))
            path = Path.Combine(environment("HOME") ?? "", path[2..]);
        try
        {
            return OssutilConfig.Parse(ReadConfig(path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return given.ConfigFile is null
                ? OssutilConfig.Empty
                : throw new UsageException($"Read config file error: there is no file {given.ConfigFile}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"Read config file error: {e.Message}");
        }
    }

    /// <summary>A pipe or a device has no length to ask for, and may have no end.</summary>
    private static string ReadConfig(string path)
    {
        using var file = File.OpenRead(path);
        var bytes = new byte[OssutilConfig.MaxLength + 1];
        var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return length <= OssutilConfig.MaxLength
            ? Encoding.UTF8.GetString(bytes, 0, length)
            : throw new UsageException($"Read config file error: it is larger than {OssutilConfig.MaxLength} bytes");
    }

    private static BucketEncryptionArguments Given(ParseResult parsed) =>
        new()
        {
            Words = [.. parsed.GetValue(Words) ?? []],
            Method = parsed.GetValue(Method),
            SseAlgorithm = parsed.GetValue(SseAlgorithm),
            KmsKeyId = parsed.GetValue(KmsMasterKeyId),
            KmsDataEncryption = parsed.GetValue(KmsDataEncryption),
            Endpoint = parsed.GetValue(Endpoint),
            AccessKeyId = parsed.GetValue(AccessKeyId),
            AccessKeySecret = parsed.GetValue(AccessKeySecret),
            StsToken = parsed.GetValue(StsToken),
            Mode = parsed.GetValue(Mode),
            Region = parsed.GetValue(Region),
            SignVersion = parsed.GetValue(SignVersion),
            CloudBoxId = parsed.GetValue(CloudBoxId),
            ForcePathStyle = parsed.GetValue(ForcePathStyle),
            ConfigFile = parsed.GetValue(ConfigFile),
            Vendor = parsed.GetValue(VendorWord),
            ReadTimeout = parsed.GetValue(ReadTimeout),
            ConnectTimeout = parsed.GetValue(ConnectTimeout),
            Unsupported = [.. Unsupported.Where(o => parsed.GetResult(o) is { Implicit: false }).Select(o => o.Name)],
        };
}
