using KubeRuntime.Control;

namespace BucketEncryptionOperator.Hosting;

/// <summary>What a kubelet asks.</summary>
internal static class Endpoints
{
    public static void MapProbes(this IEndpointRouteBuilder routes)
    {
        // Alive: the loops that should run for ever do, and none hangs; a standby's too. Ready: the CRDs have what this version needs, and everything watched is in memory.
        routes.MapGet("/livez", (ControllerGroup controllers) => Answer(controllers.Ailment));
        routes.MapGet("/readyz", (SchemaCheck schema, ControllerGroup controllers) => Answer(schema.Problem ?? (controllers.IsReady ? null : "the watched kinds are not all in memory yet")));
    }

    private static IResult Answer(string? problem) =>
        problem is null ? Results.Text("ok") : Results.Text(problem, statusCode: StatusCodes.Status503ServiceUnavailable);
}
