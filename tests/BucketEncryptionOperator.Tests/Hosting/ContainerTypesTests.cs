using System.Collections;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using BucketEncryptionOperator.Commands;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Hosting;

/// <summary>
/// The generic types that the container makes are named in ContainerTypes.rd.xml, so that the AOT compiler compiles
/// them. A type that is not named works too, but each start makes it anew. The container tells what it made only by
/// fields of its own; a new version of it may name them otherwise.
/// </summary>
[Collection(Telemetry.ObservabilityTests.Meters)]
public sealed partial class ContainerTypesTests
{
    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public;

    [Fact]
    public async Task Each_generic_type_that_the_container_makes_at_a_start_is_compiled_ahead()
    {
        var parsed = RunCommand
            .Build()
            .Parse(["--http-address", "127.0.0.1:0", "--leader-elect", "--lease-namespace", "x"]);
        var options = new OperatorOptions();
        RunFlags.Fill(options, parsed);
        await using var app = RunCommand.Compose(options, parsed, ServicesTests.Connection);
        await app.StartAsync();
        var made = MadeBy(app.Services);
        await app.StopAsync();

        var path = Path.Combine(Repository.Root, "src/BucketEncryptionOperator/ContainerTypes.rd.xml");
        var named = XDocument
            .Load(path)
            .Descendants()
            .Where(e => e.Name.LocalName == "Type")
            .Select(e => $"{e.Parent?.Attribute("Name")?.Value}: {e.Attribute("Name")?.Value}")
            .ToHashSet(StringComparer.Ordinal);

        Assert.Equal("", Lines(made.Except(named, StringComparer.Ordinal)));
        Assert.Equal("", Lines(named.Except(made, StringComparer.Ordinal)));
    }

    private static string Lines(IEnumerable<string> types) => string.Join('\n', types.Order(StringComparer.Ordinal));

    /// <returns>Each as <c>assembly: name</c>, the name as in the file.</returns>
    private static HashSet<string> MadeBy(IServiceProvider services)
    {
        var provider = services.GetType().GetProperty("RootProvider", Any)?.GetValue(services) ?? services;
        var factory = Value(provider, "CallSiteFactory");
        var cache = (IEnumerable?)factory.GetType().GetField("_callSiteCache", Any)?.GetValue(factory);
        Assert.NotNull(cache);
        return cache
            .Cast<object>()
            .Select(entry => Value(entry, "Value"))
            .Select(site => site.GetType().GetProperty("ImplementationType", Any)?.GetValue(site))
            .OfType<Type>()
            .Where(type => type.IsGenericType)
            .Select(type => $"{type.Assembly.GetName().Name}: {Version().Replace(type.FullName ?? "", "")}")
            .ToHashSet(StringComparer.Ordinal);
    }

    private static object Value(object of, string property) =>
        of.GetType().GetProperty(property, Any)?.GetValue(of)
        ?? throw new InvalidOperationException($"{of.GetType()} has no {property}");

    [GeneratedRegex(@", Version=[^],]+, Culture=[^],]+, PublicKeyToken=[^],]+", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Version();
}
