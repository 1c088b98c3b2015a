using KubeRuntime.Control;

namespace BucketEncryptionOperator.Hosting;

/// <summary>What a kubelet asks.</summary>
internal static class Endpoints
{
    public static void MapProbes(this IEndpointRouteBuilder routes)
    {
        // Alive: the loops that should run for ever do. Ready: everything watched is in memory.
        routes.MapGet("/livez", (Controller controller) => Answer(controller.IsAlive, "a loop has ended"));
        routes.MapGet("/readyz", (Controller controller) => Answer(controller.IsReady, "the watched kinds are not all in memory yet"));
    }

    private static IResult Answer(bool ok, string problem) =>
        ok ? Results.Text("ok") : Results.Text(problem, statusCode: StatusCodes.Status503ServiceUnavailable);
}
