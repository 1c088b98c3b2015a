using System.Globalization;
using System.Text.Json.Nodes;
using Integration.Tests.Harness;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Integration.Tests.Scenarios;

/// <summary>
/// Reads scenario files. A word that <see cref="Scenario"/> does not know is an error, so that a misspelt expectation
/// does not expect nothing.
/// </summary>
internal static class ScenarioReader
{
    private static string Folder => Path.Combine(Repository.Root, "tests", "scenarios");

    /// <summary>Paths below tests/scenarios.</summary>
    public static IReadOnlyList<string> Files { get; } =
    [
        .. Directory
            .EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Folder, f))
            .Order(StringComparer.Ordinal),
    ];

    public static string Text(string file) => System.IO.File.ReadAllText(Path.Combine(Folder, file));

    /// <exception cref="FormatException">With file, line and what is wrong.</exception>
    public static Scenario Read(string file, string text)
    {
        var reader = new DeserializerBuilder()
            .WithNamingConvention(CamelCaseNamingConvention.Instance)
            .WithTypeConverter(new JsonConverter())
            .WithDuplicateKeyChecking()
            .Build();
        Scenario scenario;
        try
        {
            scenario = reader.Deserialize<Scenario>(text) ?? throw new FormatException($"{file}: is empty");
        }
        catch (YamlException e)
        {
            throw new FormatException($"{file}: line {e.Start.Line}: {e.Message} {e.InnerException?.Message}", e);
        }
        scenario.File = file;
        return Problem(scenario) is { } problem ? throw new FormatException($"{file}: {problem}") : scenario;
    }

    private static string? Problem(Scenario scenario)
    {
        if (scenario.Title.Length == 0)
            return "title: is missing";
        if (!scenario.Steps.Any(s => s.Expect is not null || s.Refused is not null))
            return "steps: expect nothing";
        for (var i = 0; i < scenario.Steps.Count; i++)
        {
            var step = scenario.Steps[i];
            object?[] actions =
            [
                step.Apply,
                step.Patch,
                step.Delete,
                step.Vendor,
                step.Operator,
                step.Resyncs,
                step.Lists,
                step.Describes,
            ];
            if (actions.Count(a => a is not null) > 1)
                return $"steps[{i}]: one thing at a time";
            if (
                new[] { step.Apply, step.Patch, step.Delete }.FirstOrDefault(t => t is not null) is { } target
                && new[]
                {
                    target.Policy,
                    target.Store,
                    target.ClusterStore,
                    target.Secret,
                    target.ServiceAccount,
                    target.Namespace,
                }.Count(n => n is not null) != 1
            )
                return $"steps[{i}]: name one object";
            if (step.Operator is not (null or "kill" or "stop" or "start"))
                return $"steps[{i}].operator: is kill, stop or start";
            foreach (var asked in step.Expect?.Asked ?? [])
            {
                if (Audience.RangeOf(asked.Value) is null)
                    return $"steps[{i}].expect.asked: \"{asked.Value}\" is neither a number nor two, as in 1-3";
            }
        }
        return null;
    }

    /// <summary>Parts that are the API's or the simulator's own: plain YAML, as JSON.</summary>
    private sealed class JsonConverter : IYamlTypeConverter
    {
        public bool Accepts(Type type) => type == typeof(JsonNode);

        public object? ReadYaml(IParser parser, Type type, ObjectDeserializer rootDeserializer) => Read(parser);

        public void WriteYaml(IEmitter emitter, object? value, Type type, ObjectSerializer serializer) =>
            throw new NotSupportedException();

        private static JsonNode? Read(IParser parser)
        {
            if (parser.TryConsume<Scalar>(out var scalar))
                return Scalar(scalar);
            if (parser.TryConsume<SequenceStart>(out _))
            {
                var list = new JsonArray();
                while (!parser.TryConsume<SequenceEnd>(out _))
                    list.Add(Read(parser));
                return list;
            }
            parser.Consume<MappingStart>();
            var map = new JsonObject();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                var key = parser.Consume<Scalar>();
                if (map.ContainsKey(key.Value))
                    throw new YamlException(key.Start, key.End, $"\"{key.Value}\" is there twice");
                map[key.Value] = Read(parser);
            }
            return map;
        }

        private static JsonValue? Scalar(Scalar scalar) =>
            scalar switch
            {
                { Style: not ScalarStyle.Plain } => JsonValue.Create(scalar.Value),
                { Value: "null" or "~" or "" } => null,
                { Value: "true" or "false" } => JsonValue.Create(scalar.Value == "true"),
                _ when long.TryParse(
                        scalar.Value,
                        NumberStyles.AllowLeadingSign,
                        CultureInfo.InvariantCulture,
                        out var number
                    ) => JsonValue.Create(number),
                _ => JsonValue.Create(scalar.Value),
            };
    }
}
