using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Xml;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Admin;

/// <summary>
/// The admin API, for tests: same port, <c>/_admin/…</c>, JSON, no authentication: loopback only. Contract: README.md.
/// </summary>
internal static partial class AdminEndpoints
{
    public const string Prefix = "/_admin";

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(60);

    public static void Map(WebApplication app, World world, Seed seed)
    {
        var admin = app.MapGroup(Prefix);
        admin.MapGet("/health", context => WriteAsync(context, new Problem("none"), AdminJson.Default.Problem));
        admin.MapPost(
            "/reset",
            context =>
            {
                world.Clear();
                seed.ApplyTo(world);
                return NoContent(context);
            }
        );
        admin.MapPost(
            "/seed",
            context =>
                ReadAsync(
                    context,
                    AdminJson.Default.Seed,
                    more =>
                    {
                        more.ApplyTo(world);
                        return NoContent(context);
                    }
                )
        );
        admin.MapGet("/settings", c => WriteAsync(c, world.Settings.Values, AdminJson.Default.SettingValues));
        admin.MapPut(
            "/settings",
            context =>
                ReadAsync(
                    context,
                    AdminJson.Default.SettingValues,
                    values =>
                    {
                        world.Settings.Set(values);
                        world.Clock.Offset = TimeSpan.FromSeconds(values.ClockOffsetSeconds);
                        return WriteAsync(context, values, AdminJson.Default.SettingValues);
                    }
                )
        );
        admin.MapPut(
            "/identity",
            context =>
                ReadAsync(
                    context,
                    AdminJson.Default.IdentityValues,
                    values =>
                    {
                        world.Identities.Set(values);
                        return NoContent(context);
                    }
                )
        );
        MapAccounts(admin, world);
        MapBuckets(admin, world);
        MapKmsKeys(admin, world);
        MapDenyRules(admin, world);
        MapFaults(admin, world);
        MapHolds(admin, world);
        MapObservations(admin, world);
    }

    private static void MapAccounts(RouteGroupBuilder admin, World world)
    {
        admin.MapGet(
            "/accounts",
            context =>
                WriteAsync(
                    context,
                    [
                        .. world.Accounts.All.Select(pair => new AccountView(
                            pair.Key,
                            pair.Value.Enabled,
                            pair.Value.SecurityToken is not null,
                            pair.Value.KmsEnabled,
                            pair.Value.Sm4Enabled
                        )),
                    ],
                    AdminJson.Default.ImmutableArrayAccountView
                )
        );
        admin.MapPut(
            "/accounts/{id}",
            context =>
                ReadAsync(
                    context,
                    AdminJson.Default.Account,
                    account =>
                    {
                        world.Accounts.Set(Route(context, "id"), account);
                        return NoContent(context);
                    }
                )
        );
        admin.MapDelete("/accounts/{id}", context => Done(context, world.Accounts.Remove(Route(context, "id"))));
    }

    private static void MapBuckets(RouteGroupBuilder admin, World world)
    {
        admin.MapGet(
            "/buckets",
            context =>
                WriteAsync(
                    context,
                    [
                        .. world.Buckets.All.Select(pair => new BucketView(
                            pair.Key,
                            pair.Value,
                            world.Buckets.StoredEncryption(pair.Key)
                        )),
                    ],
                    AdminJson.Default.ImmutableArrayBucketView
                )
        );
        admin.MapPut(
            "/buckets/{name}",
            context =>
                ReadAsync(
                    context,
                    AdminJson.Default.BucketSettings,
                    settings =>
                    {
                        world.Buckets.Create(Route(context, "name"), settings);
                        return NoContent(context);
                    }
                )
        );
        admin.MapPut(
            "/buckets/{name}/tags",
            context =>
                ReadAsync(
                    context,
                    AdminJson.Default.ImmutableSortedDictionaryStringString,
                    tags => Done(context, world.Buckets.SetTags(Route(context, "name"), tags))
                )
        );
        admin.MapDelete("/buckets/{name}", context => Done(context, world.Buckets.Remove(Route(context, "name"))));
        admin.MapGet(
            "/buckets/{name}/encryption",
            async context =>
            {
                if (world.Buckets.StoredEncryption(Route(context, "name")) is not { } xml)
                {
                    await Done(context, found: false);
                    return;
                }

                context.Response.ContentType = "application/xml";
                await context.Response.WriteAsync(xml, context.RequestAborted);
            }
        );
        admin.MapPut(
            "/buckets/{name}/encryption",
            async context =>
            {
                using StreamReader body = new(context.Request.Body, Encoding.UTF8);
                string xml = await body.ReadToEndAsync(context.RequestAborted);
                try
                {
                    await Done(context, world.Buckets.SetEncryptionBehindTheBack(Route(context, "name"), xml));
                }
                catch (XmlException e)
                {
                    await BadRequest(context, e.Message);
                }
            }
        );
        admin.MapDelete(
            "/buckets/{name}/encryption",
            context => Done(context, world.Buckets.SetEncryptionBehindTheBack(Route(context, "name"), xml: null))
        );
    }

    private static void MapDenyRules(RouteGroupBuilder admin, World world)
    {
        admin.MapGet(
            "/deny",
            context => WriteAsync(context, world.DenyRules.All, AdminJson.Default.ImmutableArrayDenyRule)
        );
        admin.MapPost(
            "/deny",
            context =>
                ReadAsync(
                    context,
                    AdminJson.Default.DenyRule,
                    rule => WriteAsync(context, world.DenyRules.Add(rule), AdminJson.Default.DenyRule)
                )
        );
        admin.MapDelete("/deny/{id}", context => Done(context, world.DenyRules.Remove(Route(context, "id"))));
        admin.MapDelete(
            "/deny",
            context =>
            {
                world.DenyRules.Clear();
                return NoContent(context);
            }
        );
    }

    private static void MapFaults(RouteGroupBuilder admin, World world)
    {
        admin.MapGet(
            "/faults",
            context => WriteAsync(context, world.Faults.All, AdminJson.Default.ImmutableArrayFaultStatus)
        );
        admin.MapPost(
            "/faults",
            context =>
                ReadAsync(
                    context,
                    AdminJson.Default.FaultRule,
                    rule => WriteAsync(context, world.Faults.Add(rule), AdminJson.Default.FaultRule)
                )
        );
        admin.MapDelete("/faults/{id}", context => Done(context, world.Faults.Remove(Route(context, "id"))));
        admin.MapDelete(
            "/faults",
            context =>
            {
                world.Faults.Clear();
                return NoContent(context);
            }
        );
    }

    private static void MapHolds(RouteGroupBuilder admin, World world)
    {
        admin.MapGet(
            "/holds",
            context =>
                WriteAsync(
                    context,
                    new HoldsView(world.HoldPoints.Rules, world.HoldPoints.Held),
                    AdminJson.Default.HoldsView
                )
        );
        admin.MapPost(
            "/holds",
            context =>
                ReadAsync(
                    context,
                    AdminJson.Default.HoldRule,
                    rule => WriteAsync(context, world.HoldPoints.Add(rule), AdminJson.Default.HoldRule)
                )
        );
        admin.MapGet("/held", context => WaitForHeldAsync(context, world));
        admin.MapPost(
            "/holds/{id}/release",
            async context =>
            {
                if (
                    world.HoldPoints.Release(Route(context, "id"), keepRule: context.Request.Query["keep"] == "true") is
                    { } count
                )
                {
                    await WriteAsync(context, new Released(count), AdminJson.Default.Released);
                }
                else
                {
                    await Done(context, found: false);
                }
            }
        );
        admin.MapPost(
            "/held/{id}/release",
            context => Done(context, world.HoldPoints.ReleaseOne(Route(context, "id")))
        );
        admin.MapDelete(
            "/holds",
            context =>
            {
                world.HoldPoints.ReleaseAll();
                return NoContent(context);
            }
        );
    }

    private static void MapObservations(RouteGroupBuilder admin, World world)
    {
        admin.MapGet(
            "/counters",
            context => WriteAsync(context, world.Counters.Values, AdminJson.Default.CounterValues)
        );
        admin.MapDelete(
            "/counters",
            context =>
            {
                world.Counters.Clear();
                return NoContent(context);
            }
        );
        admin.MapGet(
            "/requests",
            context => WriteAsync(context, world.Recorder.All, AdminJson.Default.ImmutableArrayRecordedRequest)
        );
        admin.MapDelete(
            "/requests",
            context =>
            {
                world.Recorder.Clear();
                return NoContent(context);
            }
        );
    }

    /// <summary>
    /// <c>?atLeast=N&amp;waitSeconds=S</c>: answers as soon as N requests are parked, or with what there is after S
    /// seconds (of the real clock: a test's own may stand still).
    /// </summary>
    private static async Task WaitForHeldAsync(HttpContext context, World world)
    {
        int count = int.TryParse(context.Request.Query["atLeast"], out int atLeast) ? atLeast : 0;
        TimeSpan wait = double.TryParse(context.Request.Query["waitSeconds"], out double seconds)
            ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, MaxWait.TotalSeconds))
            : TimeSpan.Zero;
        using CancellationTokenSource late = new(wait, TimeProvider.System);
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(
            late.Token,
            context.RequestAborted
        );
        try
        {
            await world.HoldPoints.WhenHeldAsync(count, ended.Token);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            // The caller sees in the answer that there are fewer.
        }

        await WriteAsync(
            context,
            new HoldsView(world.HoldPoints.Rules, world.HoldPoints.Held),
            AdminJson.Default.HoldsView
        );
    }

    private static async Task ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, Func<T, Task> then)
    {
        T? value;
        try
        {
            value = await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted);
        }
        catch (JsonException e)
        {
            await BadRequest(context, e.Message);
            return;
        }

        try
        {
            await (value is null ? BadRequest(context, "null") : then(value));
        }
        catch (XmlException e)
        {
            await BadRequest(context, e.Message);
        }
    }

    private static async Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(context.Response.Body, value, type, context.RequestAborted);
    }

    private static string Route(HttpContext context, string name) => (string)context.Request.RouteValues[name]!;

    private static Task NoContent(HttpContext context) => Done(context, found: true);

    private static Task Done(HttpContext context, bool found)
    {
        context.Response.StatusCode = found ? StatusCodes.Status204NoContent : StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private static Task BadRequest(HttpContext context, string why)
    {
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        return WriteAsync(context, new Problem(why), AdminJson.Default.Problem);
    }
}
