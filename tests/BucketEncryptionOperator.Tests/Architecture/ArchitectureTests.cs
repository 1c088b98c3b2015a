using System.Text.RegularExpressions;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Architecture;

/// <summary>The rules of CONTRIBUTING ("Layout") that a compiler does not hold, by reading the sources.</summary>
public sealed partial class ArchitectureTests
{
    private const string Root = "(root)";
    private const string Operator = "src/BucketEncryptionOperator";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);
    private const string Vendors = $"{Operator}/Vendors";

    /// <summary>Stands in the table for each folder of Vendors that has no row of its own.</summary>
    private const string AnyVendor = "<vendor>";

    /// <summary>Folders of Vendors that have no row of their own, so that a new vendor needs none.</summary>
    private static readonly string[] VendorFolders = [.. FoldersOf(Vendors).Except(Rows().Select(r => r.Folder))];

    /// <summary>
    /// CONTRIBUTING's table: folder → the folders that it may use. <c>(root)</c> are the files beside the folders.
    /// </summary>
    private static readonly Dictionary<string, string[]> MayUse = Rows()
        .SelectMany(row => Expand(row.Folder).Select(f => (Folder: f, Uses: row.Uses.SelectMany(Expand).ToArray())))
        .ToDictionary(r => r.Folder, r => r.Uses, StringComparer.Ordinal);

    /// <summary>Folders that must not know which vendor it is.</summary>
    private static readonly string[] OutsideOfVendors =
    [
        .. MayUse.Keys.Where(f =>
            f.StartsWith(Operator + "/", StringComparison.Ordinal)
            && !f.StartsWith(Vendors + "/", StringComparison.Ordinal)
            && !f.EndsWith(Root, StringComparison.Ordinal)
        ),
    ];

    private static readonly string[] NamesVendors =
    [
        "/Api/BucketStore.cs",
        "/Api/CredentialsSpec.cs",
        "/Specs/StoreSpecMapping.cs",
        "/Credentials/WebIdentitySource.cs",
        "/Credentials/AwsPartition.cs",
        "/Credentials/AwsTokenEndpoint.cs",
        "/Credentials/PodIdentitySource.cs",
    ];

    public static TheoryData<string> Folders => new(MayUse.Keys);

    [Fact]
    public void Every_folder_has_a_row_in_the_table_of_CONTRIBUTING()
    {
        var folders =
            from project in (string[])["src/KubeRuntime", Operator]
            from folder in FoldersOf(project)
            from floor in folder == Vendors ? FoldersOf(folder) : [folder]
            select floor;

        Assert.Equal(
            folders.Order(StringComparer.Ordinal),
            MayUse.Keys.Where(f => !f.EndsWith(Root, StringComparison.Ordinal)).Order(StringComparer.Ordinal)
        );
        Assert.Empty(Directory.GetFiles(Path.Combine(Repository.Root, Vendors)));
    }

    /// <summary>A shared folder whose row was forgotten would otherwise pass for a vendor's.</summary>
    [Fact]
    public void A_folder_of_Vendors_without_a_row_has_a_dialect()
    {
        Assert.NotEmpty(VendorFolders);
        Assert.All(
            VendorFolders,
            folder =>
                Assert.Contains(Sources(folder), f => f.Code.Contains(": IVendorDialect", StringComparison.Ordinal))
        );
    }

    /// <summary>A table with a circle would allow one in the code.</summary>
    [Fact]
    public void The_table_lists_lower_floors_first()
    {
        var above = new HashSet<string>(MayUse.Keys, StringComparer.Ordinal);
        foreach (var (folder, uses) in MayUse)
        {
            Assert.DoesNotContain(uses, above.Contains);
            Assert.All(uses, used => Assert.Contains(used, MayUse.Keys));
            above.Remove(folder);
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Dependencies_point_one_way(string folder)
    {
        var files = Sources(folder).ToList();

        Assert.NotEmpty(files);
        Assert.Empty(
            from file in files
            from use in Uses(file.Code)
            where use != folder && ProjectOf(use) == ProjectOf(folder) && !MayUse[folder].Contains(use)
            select $"{file.Path}: {use}"
        );
    }

    /// <summary>Inside of Vendors such a name needs no using, so the scan for dependencies would not see it.</summary>
    [Fact]
    public void A_folder_of_Vendors_is_named_in_full()
    {
        var names = string.Join('|', FoldersOf(Vendors).Select(Path.GetFileName));

        Assert.DoesNotContain(
            Sources(Vendors),
            f => Regex.IsMatch(f.Code, $@"(?<![\w.""])({names})\.[A-Z]", RegexOptions.ExplicitCapture, Limit)
        );
    }

    [Theory]
    [InlineData("using KubeRuntime.Controllers;", "src/KubeRuntime/Controllers")]
    [InlineData("new KubeRuntime.Client.KubeClient()", "src/KubeRuntime/Client")]
    [InlineData("using static BucketEncryptionOperator.Specs.StoreReader;", $"{Operator}/Specs")]
    [InlineData("using BucketEncryptionOperator.Vendors.Protocol;", $"{Vendors}/Protocol")]
    [InlineData("using OssDialect = BucketEncryptionOperator.Vendors.S3.S3Dialect;", $"{Vendors}/S3")]
    public void The_scan_for_dependencies_finds(string line, string folder) => Assert.Equal([folder], Uses(line));

    [Fact]
    public void The_decision_is_pure()
    {
        AssertNever($"{Operator}/Encryption", PureBan());
        AssertNever($"{Operator}/Encryption", KubernetesWord());
    }

    [Theory]
    [InlineData("StatusComposer.cs")]
    [InlineData("BucketStatuses.cs")]
    [InlineData("PolicyEvents.cs")]
    public void Telling_is_composed_by_pure_functions(string file) =>
        AssertNever($"{Operator}/Reconciling", PureBan(), file);

    [Fact]
    public void The_runtime_does_not_know_what_a_bucket_is() => AssertNever("src/KubeRuntime", BucketWord());

    /// <summary>But for what the command prints: those who read it expect ossutil's words.</summary>
    [Fact]
    public void A_vendors_words_stay_in_its_folder()
    {
        var wrong =
            from folder in OutsideOfVendors
            from file in Sources(folder)
            where
                !file.Path.EndsWith("/Commands/OssutilOutput.cs", StringComparison.Ordinal)
                && VendorWord().IsMatch(file.Code)
            select $"{file.Path}: {VendorWord().Match(file.Code).Value}";

        Assert.Empty(wrong);
    }

    /// <summary>
    /// But for the wire records of a store, whose fields are named after vendors, and a source of keys that only one
    /// vendor has.
    /// </summary>
    [Fact]
    public void Nobody_outside_of_Vendors_knows_which_vendor_it_is()
    {
        var wrong =
            from folder in OutsideOfVendors
            from file in Sources(folder)
            where
                !NamesVendors.Any(n => file.Path.EndsWith(n, StringComparison.Ordinal)) && VendorName.IsMatch(file.Code)
            select $"{file.Path}: {VendorName.Match(file.Code).Value}";

        Assert.Empty(wrong);
    }

    /// <summary>The list of vendors is composed from above: what a call passes through is the same for all.</summary>
    [Fact]
    public void Only_composition_reaches_the_list_of_vendors() =>
        Assert.Equal(
            [$"{Operator}/Commands", $"{Operator}/Hosting", $"{Operator}/Specs"],
            MayUse.Where(r => r.Value.Contains($"{Vendors}/Catalog")).Select(r => r.Key).Order(StringComparer.Ordinal)
        );

    /// <summary>A new vendor is a folder and a line in the catalogue.</summary>
    [Fact]
    public void Only_the_catalogue_uses_the_folders_of_vendors() =>
        Assert.Equal(
            [$"{Vendors}/Catalog"],
            MayUse.Where(r => r.Value.Intersect(VendorFolders).Any()).Select(r => r.Key)
        );

    [Theory]
    [InlineData("new OssDialect()", true)]
    [InlineData("\"AlibabaOSS\"", true)]
    [InlineData("S3Options options", true)]
    [InlineData("using BucketEncryptionOperator.Vendors.Huawei;", true)]
    [InlineData("// as at AWS", false)]
    [InlineData("new BucketEncryption.Aes256()", false)]
    [InlineData("observed.Possible", false)]
    public void The_scan_for_vendors_finds(string line, bool found) =>
        Assert.Equal(found, VendorName.IsMatch(WithoutComments(line)));

    /// <summary>The two catch-alls of the conventions: the reconciler here, the worker loop in the runtime.</summary>
    [Fact]
    public void Every_exception_is_caught_in_three_places_only()
    {
        var places = Sources("src")
            .Where(f => CatchAll().IsMatch(f.Code))
            .Select(f => Path.GetFileName(f.Path))
            .Order(StringComparer.Ordinal);

        Assert.Equal(["BucketEncryptionCommand.cs", "Controller.cs", "PolicyReconciler.cs"], places);
    }

    [Theory]
    [InlineData("Task<int> x;", true)]
    [InlineData("/// a Task in a comment", false)]
    [InlineData("var text = \"Task\";", true)]
    [InlineData("var multitasking = 1;", false)]
    [InlineData("using System.Net.Http;", true)]
    [InlineData("ILogger logger", true)]
    [InlineData("TimeProvider time", true)]
    public void The_scan_finds(string line, bool found) =>
        Assert.Equal(found, PureBan().IsMatch(WithoutComments(line)));

    private static void AssertNever(string folder, Regex word, string? only = null)
    {
        var files = Sources(folder).Where(f => only is null || Path.GetFileName(f.Path) == only).ToList();

        Assert.NotEmpty(files);
        Assert.Empty(files.Where(f => word.IsMatch(f.Code)).Select(f => $"{f.Path}: {word.Match(f.Code).Value}"));
    }

    /// <summary>The rows of the table in its order, with the folders written as paths from the root.</summary>
    private static IEnumerable<(string Folder, string[] Uses)> Rows() =>
        from line in File.ReadLines(Path.Combine(Repository.Root, "CONTRIBUTING.md"))
        let row = FolderRow().Match(line)
        where row.Success
        let project = $"src/{row.Groups["project"].Value}/"
        select (
            project + row.Groups["folder"].Value,
            (string[])
                [
                    .. row.Groups["uses"]
                        .Value.Split([',', ' ', '`', '—'], StringSplitOptions.RemoveEmptyEntries)
                        .Select(u => project + u),
                ]
        );

    private static string[] Expand(string folder) =>
        folder.EndsWith(AnyVendor, StringComparison.Ordinal) ? VendorFolders : [folder];

    private static IEnumerable<string> FoldersOf(string path) =>
        Directory
            .GetDirectories(Path.Combine(Repository.Root, path))
            .Select(Path.GetFileName)
            .Where(f => f is not ("bin" or "obj"))
            .Select(f => $"{path}/{f}");

    /// <summary>The folders that a file names: a sub-folder where the table has rows for sub-folders.</summary>
    private static IEnumerable<string> Uses(string code) =>
        from Match use in Use().Matches(code)
        let folder = $"src/{use.Groups["project"].Value}/{use.Groups["folder"].Value}"
        let floor = folder == Vendors ? $"{folder}/{use.Groups["inner"].Value}" : folder
        where MayUse.ContainsKey(floor)
        select floor;

    private static string ProjectOf(string folder) => folder.Split('/')[1];

    /// <param name="folder">Ends with <see cref="Root"/> for the files beside a project's folders.</param>
    private static IEnumerable<(string Path, string Code)> Sources(string folder) =>
        from file in Directory.EnumerateFiles(
            Path.Combine(Repository.Root, folder.Replace("/" + Root, "", StringComparison.Ordinal)),
            "*.cs",
            folder.EndsWith(Root, StringComparison.Ordinal)
                ? SearchOption.TopDirectoryOnly
                : SearchOption.AllDirectories
        )
        let path = Path.GetRelativePath(Repository.Root, file).Replace('\\', '/')
        where !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
        select (path, WithoutComments(File.ReadAllText(file)));

    /// <summary>The names of the vendors' folders, and what else their products and types are called.</summary>
    private static readonly Regex VendorName = new(
        $@"\b({string.Join('|', VendorFolders.Select(Path.GetFileName))}|Aliyun|Aws|AWS|MinIO|Oss(?=[A-Z])|OSS|"
            + "Obs(?=[A-Z])|OBS)",
        RegexOptions.ExplicitCapture,
        Limit
    );

    private static string WithoutComments(string code) => Comment().Replace(code, "");

    [GeneratedRegex(@"(?<!:)//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    /// <summary>A using or a qualified name.</summary>
    [GeneratedRegex(@"\b(?<project>KubeRuntime|BucketEncryptionOperator)\.(?<folder>\w+)(\.(?<inner>\w+))?")]
    private static partial Regex Use();

    [GeneratedRegex(@"^\| `(?<project>KubeRuntime|BucketEncryptionOperator)/(?<folder>[^`]+)` \| (?<uses>[^|]*) \|")]
    private static partial Regex FolderRow();

    [GeneratedRegex(@"\b(Task|ValueTask|async|await|Http(?!Status\b)[A-Za-z]*|ILogger|TimeProvider|Random|DateTime)\b")]
    private static partial Regex PureBan();

    [GeneratedRegex(@"\b(Kube[A-Za-z]*|Condition|ObjectMeta|Json[A-Za-z]*)\b")]
    private static partial Regex KubernetesWord();

    /// <summary>A histogram has buckets of its own.</summary>
    [GeneratedRegex("(?<!Histogram)bucket", RegexOptions.IgnoreCase)]
    private static partial Regex BucketWord();

    [GeneratedRegex("SSEAlgorithm|KMSMasterKeyID|x-(oss|obs|amz)-|ServerSideEncryption(Rule|Configuration)|aws:kms")]
    private static partial Regex VendorWord();

    [GeneratedRegex(@"catch\s*(\(Exception( e)?\)(?!\s*when)|\(Exception e\)\s+when\s*\(\s*e is not|\{)")]
    private static partial Regex CatchAll();
}
