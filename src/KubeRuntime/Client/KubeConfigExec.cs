using System.Globalization;
using System.Text;
using System.Text.Json;
using k8s.KubeConfigModels;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KubeRuntime.Client;

/// <summary>
/// Reads the <c>exec</c> section of a kubeconfig's user, and tells the plugin of its cluster if it wants to know.
/// </summary>
internal static class KubeConfigExec
{
    /// <summary>Name of a cluster's extension whose value goes to the plugin.</summary>
    private const string ClusterExtension = "client.authentication.k8s.io/exec";

    private static readonly string[] ApiVersions =
    [
        "client.authentication.k8s.io/v1",
        "client.authentication.k8s.io/v1beta1",
    ];

    /// <param name="where">Names file, user and context.</param>
    /// <param name="cluster">Of the context.</param>
    /// <exception cref="KubeConfigException">The section cannot be used, or the program is not installed.</exception>
    public static ExecPlugin Read(
        ConfigFile file,
        string where,
        YamlMappingNode exec,
        (ConfigFile File, YamlMappingNode Node) cluster,
        Func<string, string?> environment,
        TimeProvider time
    )
    {
        var version = ConfigFile.Text(exec, "apiVersion");
        if (!ApiVersions.Contains(version))
            throw new KubeConfigException(
                $"{where}: exec.apiVersion \"{version}\" is not supported, use {string.Join(" or ", ApiVersions)}"
            );
        if (ConfigFile.Text(exec, "command") is not { } command)
            throw new KubeConfigException($"{where}: exec.command is missing, name the plugin's program");
        switch (ConfigFile.Text(exec, "interactiveMode"))
        {
            case null or "Never" or "IfAvailable":
                break;
            case "Always":
                throw new KubeConfigException(
                    $"{where}: exec plugin \"{command}\" has interactiveMode Always, and nobody can be asked here; "
                        + "use a plugin that runs by itself"
                );
            case var mode:
                throw new KubeConfigException(
                    $"{where}: exec.interactiveMode \"{mode}\" is not one of Never, IfAvailable, Always"
                );
        }
        var execution = new ExternalExecution
        {
            ApiVersion = version,
            // As kubectl does: a path with a folder is relative to the kubeconfig, a bare name is looked for in PATH.
            Command = command.Contains('/', StringComparison.Ordinal) ? file.Resolve(command) : command,
            Arguments = ConfigFile.List(exec, "args"),
            EnvironmentVariables = Variables(where, exec),
            InstallHint = ConfigFile.Text(exec, "installHint"),
            ProvideClusterInfo = string.Equals(
                ConfigFile.Text(exec, "provideClusterInfo"),
                "true",
                StringComparison.OrdinalIgnoreCase
            ),
        };
        if (!ExecPlugin.IsInstalled(execution.Command, environment("PATH")))
        {
            var hint = execution.InstallHint is { } text ? " " + text.ReplaceLineEndings(" ").Trim() : "";
            throw new KubeConfigException($"{where}: exec plugin \"{command}\" is not installed.{hint}");
        }
        return new ExecPlugin(execution, Info(where, execution, cluster), where, time);
    }

    private static List<Dictionary<string, string>> Variables(string where, YamlMappingNode exec)
    {
        if (!exec.Children.TryGetValue("env", out var value) || value is not YamlSequenceNode list)
            return [];
        return
        [
            .. list.Select(entry =>
                entry is YamlMappingNode variable
                && ConfigFile.Text(variable, "name") is { } name
                && !name.Contains('=', StringComparison.Ordinal)
                    ? new Dictionary<string, string>(StringComparer.Ordinal)
                    {
                        ["name"] = name,
                        ["value"] = ConfigFile.Text(variable, "value") ?? "",
                    }
                    : throw new KubeConfigException($"{where}: an entry of exec.env has no name")
            ),
        ];
    }

    /// <summary>The <c>ExecCredential</c> that the plugin is given.</summary>
    private static string Info(string where, ExternalExecution exec, (ConfigFile File, YamlMappingNode Node) cluster)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("apiVersion", exec.ApiVersion);
            json.WriteString("kind", "ExecCredential");
            json.WriteStartObject("spec");
            json.WriteBoolean("interactive", value: false);
            if (exec.ProvideClusterInfo)
                WriteCluster(json, where, cluster.File, cluster.Node);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(text.ToArray());
    }

    private static void WriteCluster(Utf8JsonWriter json, string where, ConfigFile file, YamlMappingNode cluster)
    {
        json.WriteStartObject("cluster");
        foreach (var field in (string[])["server", "tls-server-name", "proxy-url"])
        {
            if (ConfigFile.Text(cluster, field) is { } value)
                json.WriteString(field, value);
        }
        if (file.Pem(where, cluster, "certificate-authority") is { } pem)
            json.WriteBase64String("certificate-authority-data", Encoding.UTF8.GetBytes(pem()));
        if (
            cluster.Children.TryGetValue("extensions", out var extensions)
            && extensions is YamlSequenceNode list
            && list.OfType<YamlMappingNode>().FirstOrDefault(e => ConfigFile.Text(e, "name") == ClusterExtension)
                is { } extension
            && extension.Children.TryGetValue("extension", out var config)
        )
        {
            json.WritePropertyName("config");
            Write(json, config);
        }
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, YamlNode node)
    {
        switch (node)
        {
            case YamlMappingNode mapping:
                json.WriteStartObject();
                foreach (var (name, value) in mapping.Children)
                {
                    json.WritePropertyName(name is YamlScalarNode scalar ? scalar.Value ?? "" : name.ToString());
                    Write(json, value);
                }
                json.WriteEndObject();
                break;
            case YamlSequenceNode sequence:
                json.WriteStartArray();
                foreach (var entry in sequence)
                    Write(json, entry);
                json.WriteEndArray();
                break;
            case YamlScalarNode { Style: not ScalarStyle.Plain } quoted:
                json.WriteStringValue(quoted.Value);
                break;
            case YamlScalarNode { Value: null or "" or "~" or "null" }:
                json.WriteNullValue();
                break;
            case YamlScalarNode { Value: "true" or "false" } flag:
                json.WriteBooleanValue(flag.Value == "true");
                break;
            case YamlScalarNode plain
                when double.TryParse(plain.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                    && double.IsFinite(number):
                if (
                    long.TryParse(
                        plain.Value,
                        NumberStyles.AllowLeadingSign,
                        CultureInfo.InvariantCulture,
                        out var whole
                    )
                )
                    json.WriteNumberValue(whole);
                else
                    json.WriteNumberValue(number);
                break;
            case YamlScalarNode plain:
                json.WriteStringValue(plain.Value);
                break;
        }
    }
}
