using System.Globalization;
using System.Net;
using System.Net.Sockets;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Transport;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Planning;

/// <summary>
/// Checks the way to a store, from the outside in: endpoint, name, proxy, connection, clock, key. It sends one request
/// without a signature, and asks for the account's list. It writes nothing.
/// </summary>
internal sealed class StoreChecks(
    EndpointAllowList allowed,
    VendorHttp http,
    VendorConnections vendors,
    IWebProxy proxy,
    TimeProvider time
)
{
    private const string Connect = "Connect";

    /// <summary>Vendors refuse signatures that are 15 minutes off; some less.</summary>
    private static readonly TimeSpan TolerableSkew = TimeSpan.FromMinutes(1);

    /// <param name="key">The key for the store, or why there is none.</param>
    public async Task<IReadOnlyList<Check>> CheckAsync(
        string subject,
        Store store,
        Result<AccessKey> key,
        CancellationToken cancellationToken
    )
    {
        var endpoint = store.Place.Endpoint;
        var checks = new List<Check>
        {
            new(subject, "endpoint", CheckResult.Ok, $"{endpoint.GetLeftPart(UriPartial.Authority)} is allowed"),
        };
        var way = proxy.GetProxy(endpoint);
        checks.Add(new Check(subject, "proxy", CheckResult.Ok, way is null ? "none" : way.Authority));
        if (way is null)
            checks.Add(await ResolveAsync(subject, endpoint, cancellationToken));
        checks.AddRange(await ConnectAsync(subject, store, cancellationToken));
        if (checks.Exists(c => c.Result == CheckResult.Failed))
            return checks;
        checks.Add(
            key.Value is { } found
                ? await TryKeyAsync(subject, store, found, cancellationToken)
                : Check.Of(subject, "key", key.Failure ?? throw new InvalidOperationException("no key and no reason"))
        );
        return checks;
    }

    /// <summary>What nobody checks here, and why.</summary>
    public static IEnumerable<Check> NotChecked(string subject) =>
        [new(subject, "writing", CheckResult.NotChecked, "a write would change a bucket")];

    private async Task<Check> ResolveAsync(string subject, Uri endpoint, CancellationToken cancellationToken)
    {
        const string Name = "name";
        try
        {
            var addresses = await new StaggeredConnector(time).ResolveAsync(
                endpoint.IdnHost.Trim('[', ']'),
                cancellationToken
            );
            var problem = addresses
                .Select(a => AddressRules.ProblemOf(a, allowed.TrustOf(endpoint)))
                .FirstOrDefault(p => p is not null);
            return problem is null
                ? new Check(
                    subject,
                    Name,
                    CheckResult.Ok,
                    $"{endpoint.IdnHost} has {addresses.Length} {(addresses.Length == 1 ? "address" : "addresses")}"
                )
                : new Check(subject, Name, CheckResult.Failed, $"{endpoint.IdnHost} is {problem}")
                {
                    Hint = "Correct the store's endpoint, or list it by its full name in --allowed-endpoints.",
                };
        }
        catch (SocketException e)
        {
            return new Check(
                subject,
                Name,
                CheckResult.Failed,
                $"{endpoint.IdnHost} does not resolve ({e.SocketErrorCode})"
            )
            {
                Hint = "Check the store's region and endpoint, and the name service.",
            };
        }
    }

    /// <summary>
    /// Sends a request without a signature: whatever the answer, the connection and its certificate are good.
    /// </summary>
    private async Task<IEnumerable<Check>> ConnectAsync(
        string subject,
        Store store,
        CancellationToken cancellationToken
    )
    {
        const string Name = "connection";
        using var request = new HttpRequestMessage(HttpMethod.Get, store.Place.Endpoint);
        try
        {
            var sent = time.GetUtcNow();
            var answer = await http.SendAsync(
                request,
                Connect,
                new VendorExchange { CaBundle = store.Place.CaBundle },
                cancellationToken
            );
            return
            [
                new Check(
                    subject,
                    Name,
                    store.Place.Endpoint.Scheme == Uri.UriSchemeHttps ? CheckResult.Ok : CheckResult.Warning,
                    store.Place.Endpoint.Scheme == Uri.UriSchemeHttps
                        ? "the endpoint answers, and its certificate is accepted"
                        : "the endpoint answers, without encryption: signatures can be read on the way"
                ),
                ClockOf(subject, sent, answer),
            ];
        }
        catch (VendorException e)
        {
            return [Check.Of(subject, Name, e.Failure)];
        }
    }

    private static Check ClockOf(string subject, DateTimeOffset sent, VendorResponse answer)
    {
        const string Name = "clock";
        if (answer.Headers.Date is not { } date)
            return new Check(subject, Name, CheckResult.NotChecked, "the endpoint's answer has no time");
        var skew = (date - sent).Duration();
        var text = string.Create(CultureInfo.InvariantCulture, $"{skew.TotalSeconds:0} s from the endpoint's");
        return skew <= TolerableSkew
            ? new Check(subject, Name, CheckResult.Ok, text)
            : new Check(subject, Name, CheckResult.Warning, text)
            {
                Hint = "Correct this machine's clock: vendors refuse signatures with a wrong time.",
            };
    }

    /// <summary>
    /// Asks for the account's list. A key without the right to list is a good key: only selectors need the right.
    /// </summary>
    private async Task<Check> TryKeyAsync(
        string subject,
        Store store,
        AccessKey key,
        CancellationToken cancellationToken
    )
    {
        const string Name = "key";
        if (store.Place.Addressing == Addressing.CName)
            return new Check(subject, Name, CheckResult.NotChecked, "the endpoint is one bucket's: its rows say it");
        try
        {
            var buckets = await vendors
                .Accounts[store.Vendor]
                .ListBucketsAsync(store.Place.Store, key, cancellationToken);
            return new Check(subject, Name, CheckResult.Ok, $"accepted; it lists {buckets.Length} buckets");
        }
        catch (VendorException e) when (e.Failure is { Kind: FailureKind.Denied, ConcernsCredentials: false })
        {
            return new Check(subject, Name, CheckResult.Ok, "accepted; it may not list the account's buckets")
            {
                Hint = "Only policies with bucketSelector need that right.",
            };
        }
        catch (VendorException e)
        {
            return Check.Of(subject, Name, e.Failure);
        }
    }
}
