using System.Collections.Immutable;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Client;
using Microsoft.Extensions.Options;

namespace BucketEncryptionOperator.Hosting;

/// <summary>
/// <c>--token-audiences</c>: the audience that each vendor's token service wants, as VENDOR=AUDIENCE. A vendor that is
/// not named has the default.
/// </summary>
internal static class TokenAudienceFlag
{
    private const int MaxLength = 256;

    /// <summary>As the vendors' own webhooks ask for.</summary>
    public static ImmutableArray<string> Defaults { get; } =
    [.. StoreSpecMapping.TokenAudiences.Select(a => $"{a.Vendor}={a.Audience}")];

    public static TokenAudiences TokenAudienceNames(this OperatorOptions options, KubeConnection connection)
    {
        var given = Given(options.TokenAudiences);
        return new TokenAudiences(
            StoreSpecMapping.TokenAudiences.ToDictionary(a => a.Protocol, a => AudienceOf(a.Vendor, given)),
            () => connection.Token?.Current
        );
    }

    public static IEnumerable<string> Problems(IReadOnlyList<string> audiences)
    {
        var vendors = StoreSpecMapping.TokenAudiences.Select(a => a.Vendor).ToList();
        var given = Given(audiences);
        var malformed = audiences
            .Where(a =>
                a.Split('=', 2) is not [{ } vendor, { Length: > 0 and <= MaxLength } audience]
                || !vendors.Contains(vendor, StringComparer.Ordinal)
                || !VisibleAscii.IsAll(audience)
            )
            .Select(a =>
                $"--token-audiences: \"{a}\" must be VENDOR=AUDIENCE, with one of the vendors "
                + string.Join(", ", vendors)
            );
        var repeated = given
            .Where(g => g.Count() > 1)
            .Select(g => $"--token-audiences: {g.Key} is there {g.Count()} times; a token is for one audience");
        var shared = vendors
            .GroupBy(v => AudienceOf(v, given), StringComparer.Ordinal)
            .Where(g => g.Count() > 1)
            .Select(g =>
                $"--token-audiences: {string.Join(" and ", g)} have the audience \"{g.Key}\"; a token that one vendor "
                + "has seen must be good at no other"
            );
        return [.. malformed, .. repeated, .. shared];
    }

    private static ILookup<string, string> Given(IReadOnlyList<string> audiences) =>
        audiences.Select(a => a.Split('=', 2)).ToLookup(a => a[0], a => a[^1], StringComparer.Ordinal);

    private static string AudienceOf(string vendor, ILookup<string, string> given) =>
        given[vendor].LastOrDefault() ?? StoreSpecMapping.TokenAudiences.First(a => a.Vendor == vendor).Audience;
}

/// <summary>
/// Keeps the operator from starting with an audience that is the API server's: a token service would get tokens that
/// are good in the cluster. A default is not refused here: where it is the API server's, no store gets such a token
/// (<see cref="Encryption.Reasons.AudienceNotAllowed"/>), and stores without one work.
/// </summary>
internal sealed class TokenAudienceRules(KubeConnection connection) : IValidateOptions<OperatorOptions>
{
    public ValidateOptionsResult Validate(string? name, OperatorOptions options)
    {
        var own = options
            .TokenAudiences.Except(TokenAudienceFlag.Defaults, StringComparer.Ordinal)
            .Select(a => a.Split('=', 2)[^1])
            .FirstOrDefault(a => TokenAudiences.IsOfApiServer(a, connection.Token?.Current));
        return own is null
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"--token-audiences: \"{own}\" is an audience of the API server; a token service must not get tokens "
                    + "that the API server takes"
            );
    }
}
