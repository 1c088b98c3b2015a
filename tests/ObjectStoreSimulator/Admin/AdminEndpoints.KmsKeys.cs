using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Admin;

internal static partial class AdminEndpoints
{
    private static void MapKmsKeys(RouteGroupBuilder admin, World world)
    {
        admin.MapGet(
            "/kms",
            context => WriteAsync(context, world.KmsKeys.All, AdminJson.Default.ImmutableSortedDictionaryStringKmsKey)
        );
        admin.MapPut(
            "/kms/{id}",
            context =>
                ReadAsync(
                    context,
                    AdminJson.Default.KmsKey,
                    key =>
                    {
                        world.KmsKeys.Set(IdOf(context), key);
                        return NoContent(context);
                    }
                )
        );
        admin.MapDelete(
            "/kms/{id}",
            context =>
            {
                world.KmsKeys.Remove(IdOf(context));
                return NoContent(context);
            }
        );
    }

    /// <summary>An alias has a slash, which routing leaves escaped.</summary>
    private static string IdOf(HttpContext context) => Uri.UnescapeDataString(Route(context, "id"));
}
