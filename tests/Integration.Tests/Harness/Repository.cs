namespace Integration.Tests.Harness;

/// <summary>Where things are, found from the solution's directory, so that a test also runs from an IDE.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>
    /// The command that starts the operator: the program that BEO_OPERATOR names, else the one built beside these
    /// tests.
    /// </summary>
    public static IReadOnlyList<string> Operator =>
        Environment.GetEnvironmentVariable("BEO_OPERATOR") is { Length: > 0 } program
            ? [program]
            :
            [
                "dotnet",
                Path.Combine(
                    Root,
                    "src",
                    "BucketEncryptionOperator",
                    "bin",
                    Configuration,
                    "net10.0",
                    "bucket-encryption-operator.dll"
                ),
            ];

    public static string Configuration =>
        AppContext.BaseDirectory.Contains(
            $"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}",
            StringComparison.Ordinal
        )
            ? "Release"
            : "Debug";

    public static string ApiServerScript =>
        Environment.GetEnvironmentVariable("BEO_APISERVER_SERVE")
        ?? Path.Combine(Root, "tests", "apiserver", "serve.sh");

    public static string Kubectl => Environment.GetEnvironmentVariable("BEO_KUBECTL") ?? "kubectl";

    public static string Crd(string name) => File.ReadAllText(Path.Combine(Root, "crds", name));

    public static string Deployed(string name) => File.ReadAllText(Path.Combine(Root, "deploy", name));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "BucketEncryptionOperator.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException("BucketEncryptionOperator.sln is not above " + AppContext.BaseDirectory);
    }
}
