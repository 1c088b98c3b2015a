using System.Text.Json.Nodes;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using TestKit;

namespace KubeRuntime.Tests.Controllers;

public sealed class FinalizersTests
{
    private const string Ours = "example.com/ours";
    private const string Theirs = "example.com/theirs";

    [Fact]
    public void One_is_added_once_at_the_end_and_taken_away_without_the_others()
    {
        var meta = new ObjectMeta { Finalizers = [Theirs] };

        var with = meta with { Finalizers = Finalizers.With(meta, Ours) };

        Assert.False(Finalizers.Has(meta, Ours));
        Assert.True(Finalizers.Has(with, Ours));
        Assert.Equal($"{Theirs} {Ours}", Words(with.Finalizers));
        Assert.Equal($"{Theirs} {Ours}", Words(Finalizers.With(with, Ours)));
        Assert.Equal(Theirs, Words(Finalizers.Without(with, Ours)));
        Assert.Equal(Theirs, Words(Finalizers.Without(meta, Ours)));
    }

    [Fact]
    public async Task The_list_is_written_whole_and_bound_to_the_version_that_it_was_read_with()
    {
        await using var server = ScriptedApiServer.Start(
            Answer.Whole(
                """
                {"metadata":{"name":"a","namespace":"ns","resourceVersion":"8",
                "finalizers":["example.com/theirs","example.com/ours"]}}
                """
            )
        );
        using var client = Client(server);
        var widget = Given(Theirs);

        var stored = await Finalizers.WriteAsync(
            client,
            Widget.Resource,
            widget,
            Finalizers.With(widget.Metadata, Ours),
            CancellationToken.None
        );

        Assert.Equal($"{Theirs} {Ours}", Words(stored.Metadata.Finalizers));
        var request = Assert.Single(server.Requests);
        Assert.Equal(("PATCH", "/apis/test.example.com/v1/namespaces/ns/widgets/a"), (request.Method, request.Path));
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse(
                    """{"metadata":{"resourceVersion":"7","finalizers":["example.com/theirs","example.com/ours"]}}"""
                ),
                JsonNode.Parse(request.Body)
            ),
            request.Body
        );
    }

    [Fact]
    public async Task The_last_one_leaves_an_empty_list_which_a_merge_patch_takes_as_such()
    {
        await using var server = ScriptedApiServer.Start(
            Answer.Whole("""{"metadata":{"name":"a","namespace":"ns","resourceVersion":"8"}}""")
        );
        using var client = Client(server);
        var widget = Given(Ours);

        await Finalizers.WriteAsync(
            client,
            Widget.Resource,
            widget,
            Finalizers.Without(widget.Metadata, Ours),
            CancellationToken.None
        );

        Assert.Contains("\"finalizers\":[]", Assert.Single(server.Requests).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_so_already_is_not_written()
    {
        await using var server = ScriptedApiServer.Start();
        using var client = Client(server);
        var widget = Given(Theirs, Ours);

        var same = await Finalizers.WriteAsync(
            client,
            Widget.Resource,
            widget,
            Finalizers.With(widget.Metadata, Ours),
            CancellationToken.None
        );

        Assert.Same(widget, same);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(409, "Conflict", KubeFailureKind.Conflict)]
    [InlineData(404, "NotFound", KubeFailureKind.NotFound)]
    [InlineData(422, "Invalid", KubeFailureKind.Invalid)]
    public async Task What_came_in_between_is_said_and_not_overwritten(int code, string reason, KubeFailureKind failure)
    {
        await using var server = ScriptedApiServer.Start(Answer.Whole(Widget.Status(code, reason, "no"), code));
        using var client = Client(server);

        var thrown = await Assert.ThrowsAsync<KubeApiException>(() =>
            Finalizers.WriteAsync(client, Widget.Resource, Given(), [Ours], CancellationToken.None)
        );

        Assert.Equal(failure, thrown.Failure);
    }

    private static string Words(IEnumerable<string> finalizers) => string.Join(' ', finalizers);

    private static KubeClient Client(ScriptedApiServer server) =>
        new(new KubeConnection(server.Address), "test/1.0", new ManualTimeProvider());

    private static Widget Given(params string[] finalizers) =>
        new()
        {
            Metadata = new ObjectMeta
            {
                Name = "a",
                Namespace = "ns",
                ResourceVersion = "7",
                Finalizers = [.. finalizers],
            },
        };
}
