using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using ObjectStoreSimulator.Admin;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator;

/// <summary>
/// What a simulator is started with. Everything else is said later through the admin API (README.md).
/// </summary>
internal sealed record SimulatorOptions
{
    /// <summary>Port 0 takes a free one; <see cref="SimulatorServer.Url"/> tells which.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);

    public Vendor Vendor { get; init; } = Vendor.AlibabaOSS;

    /// <summary>TLS, with a certificate of this authority. Null: plain HTTP.</summary>
    public TestAuthority? Authority { get; init; }

    /// <summary>Every instant the simulator knows, and every wait that it makes, come from here.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Accounts and buckets at the start and after a reset.</summary>
    public Seed Seed { get; init; } = Seed.Empty;

    /// <summary>How many requests are remembered for <c>/_admin/requests</c>; older ones are forgotten.</summary>
    public int RecordedRequests { get; init; } = 1000;
}

/// <summary>The seed file's shape (JSON); also the body of <c>POST /_admin/seed</c>.</summary>
internal sealed record Seed(ImmutableArray<SeedAccount> Accounts, ImmutableArray<SeedBucket> Buckets)
{
    public static readonly Seed Empty = new([], []);

    /// <exception cref="JsonException">The file is not a seed.</exception>
    public static async Task<Seed> ReadAsync(string path, CancellationToken cancellationToken)
    {
        await using FileStream file = File.OpenRead(path);
        return await JsonSerializer.DeserializeAsync(file, AdminJson.Default.Seed, cancellationToken) ?? Empty;
    }

    public void ApplyTo(World world)
    {
        foreach (SeedAccount account in Accounts.IsDefault ? [] : Accounts)
        {
            world.Accounts.Set(account.AccessKeyId, account);
        }

        foreach (SeedBucket bucket in Buckets.IsDefault ? [] : Buckets)
        {
            world.Buckets.Create(bucket.Name, bucket);
            if (bucket.Encryption is { } xml)
            {
                world.Buckets.SetEncryptionBehindTheBack(bucket.Name, xml);
            }
        }
    }
}

internal sealed record SeedAccount : Account
{
    public required string AccessKeyId { get; init; }
}

internal sealed record SeedBucket : BucketSettings
{
    public required string Name { get; init; }

    /// <summary>The vendor's XML, as GET is to return it.</summary>
    public string? Encryption { get; set; }
}
