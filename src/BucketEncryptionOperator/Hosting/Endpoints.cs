using System.Net;
using BucketEncryptionOperator.Telemetry;
using KubeRuntime.Controllers;
using OpenTelemetry.Metrics;

namespace BucketEncryptionOperator.Hosting;

/// <summary>The probes that a kubelet calls.</summary>
internal static class Endpoints
{
    public static void MapProbes(this IEndpointRouteBuilder routes)
    {
        // Alive: the loops that should run forever do, and none hangs; a standby's too. Ready: the CRDs have what this
        // version needs, and everything watched is in memory.
        routes.MapGet("/livez", (ControllerGroup controllers) => Answer(controllers.UnhealthyReason));
        routes.MapGet(
            "/readyz",
            (SchemaCheck schema, ControllerGroup controllers) =>
                Answer(schema.Problem ?? (controllers.IsReady ? null : "the watched kinds are not all in memory yet"))
        );
    }

    /// <summary>
    /// Maps <c>/metrics</c>. Makes the MeterProvider now: the host would make it during its start, after the
    /// constructors of all hosted services, and their counts would be lost.
    /// </summary>
    public static void MapMetrics(this IEndpointRouteBuilder routes)
    {
        _ = routes.ServiceProvider.GetRequiredService<MeterProvider>();
        _ = routes.ServiceProvider.GetRequiredService<StateMetrics>();
        _ = routes.ServiceProvider.GetRequiredService<AccountMetrics>();
        var prometheus = routes.ServiceProvider.GetRequiredService<PrometheusExporter>();
        routes.MapGet(
            "/metrics",
            () =>
                prometheus.Read() is { } text
                    ? Results.Text(text, PrometheusText.ContentType)
                    : Results.StatusCode(StatusCodes.Status503ServiceUnavailable)
        );
    }

    /// <summary>
    /// Maps <c>/loglevel</c>: GET returns the minimum level to log, and PUT sets it to the level in the body. It has an
    /// address of its own, on loopback: only those who may forward a port of the pod can change it. The port of the
    /// connection decides. The Host header, which a page in a browser cannot choose, keeps such pages out.
    /// </summary>
    /// <param name="port">Port of that address.</param>
    public static void MapLogLevel(this IEndpointRouteBuilder routes, int port, LogLevels levels, ILogger logger)
    {
        routes.MapGet(
            "/loglevel",
            (HttpContext context) =>
                IsAdmin(context, port) ? Results.Text(levels.Minimum.ToString()) : Results.NotFound()
        );
        routes.MapPut(
            "/loglevel",
            async (HttpContext context) =>
            {
                if (!IsAdmin(context, port))
                    return Results.NotFound();
                var word = new char[LongestLevel + 1];
                using var body = new StreamReader(context.Request.Body);
                var text = new string(word, 0, await body.ReadBlockAsync(word, context.RequestAborted)).Trim();
                if (!Enum.TryParse<LogLevel>(text, ignoreCase: true, out var level) || !char.IsAsciiLetter(text[0]))
                    return Results.Text(
                        $"the body must be one of {string.Join(", ", Enum.GetNames<LogLevel>())}",
                        statusCode: StatusCodes.Status400BadRequest
                    );
                var before = levels.Minimum;
                levels.Minimum = level < before ? level : before; // the change is logged at the lower of the two
                Log.LevelChanged(logger, before, level);
                levels.Minimum = level;
                return Results.Text(level.ToString());
            }
        );
    }

    private const int LongestLevel = 16;

    private static bool IsAdmin(HttpContext context, int port) =>
        context.Connection.LocalPort == port
        && (
            context.Request.Host.Host == "localhost"
            || (
                IPAddress.TryParse(context.Request.Host.Host.Trim('[', ']'), out var host) && IPAddress.IsLoopback(host)
            )
        );

    private static IResult Answer(string? problem) =>
        problem is null
            ? Results.Text("ok")
            : Results.Text(problem, statusCode: StatusCodes.Status503ServiceUnavailable);
}
