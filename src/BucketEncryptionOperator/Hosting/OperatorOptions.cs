using BucketEncryptionOperator.Vendors;
using Microsoft.Extensions.Options;

namespace BucketEncryptionOperator.Hosting;

internal enum LogFormat
{
    Json,
    Plain,
}

/// <summary>The settings of the operator; each is a flag of <c>run</c>.</summary>
internal sealed class OperatorOptions
{
    /// <summary>Namespace to work in; null for all.</summary>
    public string? Namespace { get; set; }

    public IReadOnlyList<string> AllowedEndpoints { get; set; } = VendorCatalog.DefaultEndpointPatterns;

    public int Workers { get; set; } = 4;

    public int BucketConcurrency { get; set; } = 8;

    public string HttpAddress { get; set; } = "0.0.0.0:8080";

    public LogFormat LogFormat { get; set; } = LogFormat.Json;

    public LogLevel LogLevel { get; set; } = LogLevel.Information;

    /// <summary>For one vendor request.</summary>
    public TimeSpan VendorTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>For one policy.</summary>
    public TimeSpan ReconcileTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>For running reconciles after a stop was asked for.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);
}

/// <summary>Written by hand: the messages name flags, and the generated validator drops an attribute's own message.</summary>
internal sealed class OperatorOptionsRules : IValidateOptions<OperatorOptions>
{
    private const int MaxParallel = 64;

    public ValidateOptionsResult Validate(string? name, OperatorOptions options)
    {
        var problems = new List<string>();
        if (options.Workers is < 1 or > MaxParallel)
            problems.Add($"--workers must be from 1 to {MaxParallel}");
        if (options.BucketConcurrency is < 1 or > MaxParallel)
            problems.Add($"--bucket-concurrency must be from 1 to {MaxParallel}");
        if (options.VendorTimeout <= TimeSpan.Zero || options.VendorTimeout * 2 > options.ReconcileTimeout)
            problems.Add($"--vendor-timeout must be more than 0 and at most half of the {options.ReconcileTimeout} that a policy may take");
        if (options.DrainTimeout < TimeSpan.Zero)
            problems.Add("--drain-timeout must be 0 or more");
        // A bare word would be bound as port 80 of every interface.
        if (!Uri.TryCreate("http://" + options.HttpAddress, UriKind.Absolute, out var address) || address.PathAndQuery != "/" || !options.HttpAddress.EndsWith($":{address.Port}", StringComparison.Ordinal))
            problems.Add($"--http-address \"{options.HttpAddress}\" must be host:port, for example 0.0.0.0:8080");
        try
        {
            _ = new EndpointAllowList(options.AllowedEndpoints);
        }
        catch (FormatException e)
        {
            problems.Add($"--allowed-endpoints: {e.Message}");
        }
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
