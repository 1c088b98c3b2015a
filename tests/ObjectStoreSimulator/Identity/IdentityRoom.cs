using System.Collections.Immutable;
using System.Text;
using System.Web;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.Identity;

/// <summary>
/// The rooms beside a store where temporary keys are given: Alibaba Cloud's and AWS's token services, an ECS instance's
/// metadata, and the agent of EKS Pod Identity. They are on the store's own port, and told apart by requests that no
/// store gets: <c>POST /</c>, <c>/latest/…</c> and <c>/v1/credentials</c>. As operations of their own they can be
/// recorded, counted, held and made to fail like any other.
/// </summary>
internal sealed class IdentityRoom(World world, IDialect store) : IDialect
{
    private readonly AlibabaTokenService _alibaba = new(world);
    private readonly AwsTokenService _aws = new(world);
    private readonly InstanceMetadata _metadata = new(world);
    private readonly PodIdentityAgent _agent = new(world);

    public StoreCall Read(StoreRequest request)
    {
        int mark = request.RawTarget.IndexOf('?', StringComparison.Ordinal);
        string path = PathOf(mark < 0 ? request.RawTarget : request.RawTarget[..mark]);
        string? operation = (request.Method, path) switch
        {
            ("POST", "/") when mark > 0 => IsRole(IdentityAnswers.Query(request))
                ? IdentityOperations.Role
                : IdentityOperations.Oidc,
            ("POST", "/") => IsRole(IdentityAnswers.Form(request))
                ? IdentityOperations.Role
                : IdentityOperations.WebIdentity,
            ("GET", PodIdentityAgent.Path) => IdentityOperations.PodIdentity,
            ("PUT", InstanceMetadata.TokenPath) => IdentityOperations.MetadataToken,
            ("GET", InstanceMetadata.RolesPath) => IdentityOperations.RoleName,
            ("GET", _) when path.StartsWith(InstanceMetadata.RolesPath, StringComparison.Ordinal) =>
                IdentityOperations.RoleKeys,
            _ => null,
        };
        return operation is null
            ? store.Read(request)
            : new StoreCall(
                request,
                new StoreAddress(
                    AddressStyle.Path,
                    request.Host,
                    path,
                    Bucket: null,
                    "",
                    Region: null,
                    CloudBoxId: null,
                    []
                ),
                operation,
                AccessKeyId: null
            );
    }

    public StoreAnswer Answer(StoreCall call) =>
        call.Operation switch
        {
            IdentityOperations.Oidc => _alibaba.Answer(call),
            IdentityOperations.WebIdentity => _aws.Answer(call),
            IdentityOperations.Role => IsRpc(call) ? _alibaba.Answer(call) : _aws.Answer(call),
            IdentityOperations.PodIdentity => _agent.Answer(call),
            IdentityOperations.MetadataToken or IdentityOperations.RoleName or IdentityOperations.RoleKeys =>
                _metadata.Answer(call),
            _ => store.Answer(call),
        };

    public StoreAnswer Refuse(StoreCall call, StoreError error) =>
        call.Operation switch
        {
            IdentityOperations.Oidc => _alibaba.Refuse(error),
            IdentityOperations.WebIdentity => _aws.Refuse(error),
            IdentityOperations.Role => IsRpc(call) ? _alibaba.Refuse(error) : _aws.Refuse(error),
            IdentityOperations.PodIdentity => _agent.Refuse(error),
            IdentityOperations.MetadataToken or IdentityOperations.RoleName or IdentityOperations.RoleKeys =>
                InstanceMetadata.Refuse(error),
            _ => store.Refuse(call, error),
        };

    public StoreAnswer WithoutBody(StoreAnswer answer) => store.WithoutBody(answer);

    /// <summary>Through a proxy the target has the host, too.</summary>
    private static string PathOf(string target) =>
        Uri.TryCreate(target, UriKind.Absolute, out Uri? whole) && whole.Scheme == Uri.UriSchemeHttp
            ? whole.AbsolutePath
            : target;

    private static bool IsRole(ILookup<string, string> parameters) =>
        parameters["Action"].SingleOrDefault() == IdentityOperations.Role;

    /// <summary>Alibaba Cloud's: the action is in the query.</summary>
    private static bool IsRpc(StoreCall call) => call.Request.RawTarget.Contains('?', StringComparison.Ordinal);
}

internal static class IdentityOperations
{
    public const string Oidc = "AssumeRoleWithOIDC";
    public const string WebIdentity = "AssumeRoleWithWebIdentity";
    public const string Role = "AssumeRole";
    public const string PodIdentity = "GetPodIdentityCredentials";
    public const string MetadataToken = "GetMetadataToken";
    public const string RoleName = "GetRamRoleName";
    public const string RoleKeys = "GetRamRoleCredentials";
}

/// <summary>What the rooms' answers have in common.</summary>
internal static class IdentityAnswers
{
    public static StoreAnswer Make(World world, int status, string? code, string type, string body) =>
        new(
            status,
            code,
            ImmutableArray.Create<KeyValuePair<string, string>>(
                new("Content-Type", type),
                new("Date", world.Clock.UtcNow.ToString("r"))
            ),
            Encoding.UTF8.GetBytes(body)
        );

    public static ILookup<string, string> Form(StoreRequest request) =>
        Pairs(Encoding.UTF8.GetString(request.Body.Span));

    public static ILookup<string, string> Query(StoreRequest request) =>
        Pairs(request.RawTarget[(request.RawTarget.IndexOf('?', StringComparison.Ordinal) + 1)..]);

    private static ILookup<string, string> Pairs(string text)
    {
        System.Collections.Specialized.NameValueCollection pairs = HttpUtility.ParseQueryString(text);
        return pairs
            .AllKeys.Where(name => name is not null)
            .ToLookup(name => name!, name => pairs[name]!, StringComparer.Ordinal);
    }

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
}
