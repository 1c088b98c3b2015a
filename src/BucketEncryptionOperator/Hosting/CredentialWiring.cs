using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.TokenServices;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Hosting;

/// <summary>Wires where access keys come from.</summary>
internal static class CredentialWiring
{
    public static void AddCredentials(this IServiceCollection services)
    {
        services.AddSingleton<AccessKeyCircuitBreakers>();
        services.AddSingleton(s => new SecretKeys(
            (name, token) => SecretKeys.FetchAsync(s.GetRequiredService<KubeClient>(), name, token),
            s.GetRequiredService<AccessKeyCircuitBreakers>(),
            s.GetRequiredService<TimeProvider>(),
            secret => s.GetRequiredService<Stores>().Use(new KeySource.FromSecret(secret))
        ));
        services.AddSingleton(s => IdentityOptionsOf(s.GetRequiredService<OperatorOptions>()));
        services.AddSingleton<AmbientIdentities>();
        services.AddSingleton(s => new ServiceAccountTokens(
            ServiceAccountApi.Of(s.GetRequiredService<KubeClient>()),
            s.GetRequiredService<OperatorOptions>().TokenAudienceNames(s.GetRequiredService<KubeConnection>())
        ));
        services.AddSingleton(s => new RoleAssumer(
            s.GetRequiredService<IdentityOptions>(),
            s.GetRequiredService<AccessKeyCircuitBreakers>(),
            s.GetRequiredService<TimeProvider>(),
            () => Guid.NewGuid().ToString()
        ));
        services.AddSingleton<TokenServiceClient>();
        services.AddSingleton(s => new TemporaryKeys(
            s.GetRequiredService<TokenServiceClient>().FetchAsync,
            s.GetRequiredService<AccessKeyCircuitBreakers>(),
            s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<ILogger<TemporaryKeys>>(),
            identity => s.GetRequiredService<Stores>().Use(new KeySource.FromIdentity(identity))
        ));
        services.AddSingleton<StoreKeys>();
        services.AddSingleton(s => new AmbientRules(
            s.GetRequiredService<OperatorOptions>().AmbientCredentialsInNamespacedStores,
            [.. s.GetRequiredService<OperatorOptions>().AssumableRoles]
        ));
        services.AddSingleton<KeySourceReader>();
    }

    public static IdentityOptions IdentityOptionsOf(OperatorOptions options) =>
        new(
            Services.Product,
            Environment.GetEnvironmentVariable,
            UriOf(options.TokenServiceEndpoint),
            UriOf(options.MetadataEndpoint)
        );

    private static Uri? UriOf(string? endpoint) => endpoint is null ? null : new Uri(endpoint);
}
