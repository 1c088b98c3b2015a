using System.CommandLine;
using System.CommandLine.Parsing;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// <c>bucket-encryption</c>: changes or shows one bucket by hand, as Alibaba's ossutil does, through the operator's own
/// vendor code, at every vendor. It reads what was typed, acts and shows the result: docs/bucket-encryption-command.md.
/// </summary>
internal static class BucketEncryptionCommand
{
    private const string Name = "bucket-encryption";

    private static readonly Argument<string[]> Words = new("bucket")
    {
        Description = "oss://bucket, obs://bucket or s3://bucket.",
        Arity = ArgumentArity.ZeroOrMore,
    };
    private static readonly Option<string?> Method = new("--method") { Description = "put, get or delete." };
    private static readonly Option<string?> SseAlgorithm = new("--sse-algorithm")
    {
        Description = "put: AES256, KMS, SM4 or DSSE.",
    };
    private static readonly Option<string?> KmsMasterKeyId = new("--kms-masterkey-id")
    {
        Description = "put, with KMS or DSSE: the key. Default: the one that the vendor manages.",
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
        Description = $"Default, for {OssutilConfigFile.Scheme}:// only: {OssutilConfigFile.DefaultPath}.",
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
    /// Returns why a command line of this command cannot be run at all; null if it can, and for other commands.
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

    /// <summary>
    /// Returns the options without a value. The parser takes whatever follows an option for its value, the name of
    /// another option too.
    /// </summary>
    private static IEnumerable<string> WithoutValue(ParseResult parsed)
    {
        var names = parsed.CommandResult.Command.Options.Select(o => o.Name).ToHashSet(StringComparer.Ordinal);
        return parsed
            .CommandResult.Children.OfType<OptionResult>()
            .Where(r => r.Tokens.Any(t => names.Contains(t.Value)))
            .Select(r => ValueIsMissing(r.Option));
    }

    internal static Task<int> RefuseAsync(ParseResult parsed, string problem, InvocationConfiguration configuration) =>
        WriteAsync(Render(parsed, target: null, new CommandResult.Unusable(problem), TimeSpan.Zero), configuration);

    /// <summary>
    /// Describes an error in our own words: the parser's messages quote what was typed, which may be a key.
    /// </summary>
    private static string Describe(ParseError error) =>
        error.SymbolResult switch
        {
            OptionResult { IdentifierTokenCount: > 1 } option => $"option {option.Option.Name} is given more than once",
            OptionResult { Tokens.Count: 0 } option => ValueIsMissing(option.Option),
            OptionResult option => $"value of option {option.Option.Name} cannot be read",
            _ => $"the words before {Name} cannot be read",
        };

    private static string ValueIsMissing(Option option) => $"value of option {option.Name} is missing";

    /// <summary>
    /// Returns whether the user wants JSON, wherever the option stands and whatever the parser makes of it.
    /// </summary>
    private static bool AsksForJson(ParseResult parsed) =>
        parsed.GetResult(Json) is { Implicit: false } result && !result.Errors.Any()
            ? result.GetValueOrDefault<bool>()
            : parsed.Tokens.Any(t => t.Value == Json.Name)
                || parsed.UnmatchedTokens.Contains(Json.Name, StringComparer.Ordinal);

    private static RenderedOutput Render(
        ParseResult parsed,
        CommandTarget? target,
        CommandResult result,
        TimeSpan elapsed
    ) =>
        AsksForJson(parsed)
            ? JsonOutput.Render(target, result, elapsed)
            : OssutilOutput.Render(target, result, elapsed);

    private static async Task<int> RunAsync(
        ParseResult parsed,
        Func<string, string?> environment,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var configuration = parsed.InvocationConfiguration;
        var started = time.GetTimestamp();
        CommandTarget? target = null;
        CommandResult result;
        try
        {
            var given = Given(parsed);
            target = BucketRequest.ReadTarget(given);
            var request = BucketRequest.Read(
                target,
                given,
                OssutilConfigFile.Load(target, given, environment),
                environment
            );
            foreach (var warning in request.Warnings)
                await WriteErrorAsync($"warning: {warning}", configuration);
            var action = new BucketAction(time, warning => WriteErrorAsync($"warning: {warning}", configuration));
            result = await action.RunAsync(request, EnvironmentProxy.Read(environment), cancellationToken);
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
            await WriteErrorAsync($"{e.GetType()}\n{e.StackTrace}", configuration);
            result = new CommandResult.Broken();
        }
        return await WriteAsync(Render(parsed, target, result, time.GetElapsedTime(started)), configuration);
    }

    /// <returns>The exit code. A result that cannot be written is a failure.</returns>
    private static async Task<int> WriteAsync(RenderedOutput shown, InvocationConfiguration configuration)
    {
        try
        {
            await configuration.Output.WriteAsync(shown.Text);
            return shown.ExitCode;
        }
        catch (Exception e) when (IsUnwritable(e))
        {
            await WriteErrorAsync($"cannot write the result: {e.Message}", configuration);
            return 1;
        }
    }

    /// <summary>Writes a line to stderr. A failure to write it is ignored: the result counts.</summary>
    private static async Task WriteErrorAsync(string text, InvocationConfiguration configuration)
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

    /// <summary>
    /// Returns whether a write failed: a full disk, or a descriptor that was closed before the start.
    /// </summary>
    private static bool IsUnwritable(Exception e) => e is IOException or UnauthorizedAccessException;

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
