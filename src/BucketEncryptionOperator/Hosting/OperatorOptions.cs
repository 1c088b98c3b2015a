using System.ComponentModel.DataAnnotations;
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

    [Range(1, 64, ErrorMessage = "--workers must be from 1 to 64")]
    public int Workers { get; set; } = 4;

    [Range(1, 64, ErrorMessage = "--bucket-concurrency must be from 1 to 64")]
    public int BucketConcurrency { get; set; } = 8;

    [Required(AllowEmptyStrings = false, ErrorMessage = "--http-address must be host:port, for example 0.0.0.0:8080")]
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

[OptionsValidator]
internal sealed partial class OperatorOptionsRanges : IValidateOptions<OperatorOptions>;

/// <summary>The rules that one attribute cannot say.</summary>
internal sealed class OperatorOptionsRules : IValidateOptions<OperatorOptions>
{
    public ValidateOptionsResult Validate(string? name, OperatorOptions options)
    {
        var problems = new List<string>();
        if (options.VendorTimeout <= TimeSpan.Zero || options.VendorTimeout * 2 > options.ReconcileTimeout)
            problems.Add($"--vendor-timeout must be more than 0 and at most half of the {options.ReconcileTimeout} that a policy may take");
        if (!Uri.TryCreate("http://" + options.HttpAddress, UriKind.Absolute, out var address) || address.PathAndQuery != "/")
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
