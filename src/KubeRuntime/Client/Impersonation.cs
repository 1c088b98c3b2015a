using System.Collections.Immutable;

namespace KubeRuntime.Client;

/// <summary>
/// Whom the requests are made as (<c>as</c>, <c>as-uid</c>, <c>as-groups</c> and <c>as-user-extra</c> of a kubeconfig's
/// user). The account that authenticates needs the verb <c>impersonate</c>.
/// </summary>
public sealed record Impersonation(string User)
{
    public string? Uid { get; init; }

    public ImmutableArray<string> Groups { get; init; } = [];

    public ImmutableArray<KeyValuePair<string, string>> Extra { get; init; } = [];

    internal void Apply(HttpRequestMessage request)
    {
        request.Headers.TryAddWithoutValidation("Impersonate-User", User);
        if (Uid is not null)
            request.Headers.TryAddWithoutValidation("Impersonate-Uid", Uid);
        foreach (var group in Groups)
            request.Headers.TryAddWithoutValidation("Impersonate-Group", group);
        foreach (var (key, value) in Extra)
            request.Headers.TryAddWithoutValidation("Impersonate-Extra-" + Uri.EscapeDataString(key), value);
    }
}
