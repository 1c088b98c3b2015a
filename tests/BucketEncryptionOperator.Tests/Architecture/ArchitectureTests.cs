using System.Text.RegularExpressions;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Architecture;

/// <summary>The rules of CONTRIBUTING ("Layout") that a compiler does not hold, by reading the sources.</summary>
public sealed partial class ArchitectureTests
{
    private const string Root = "(root)";
    private const string Operator = "src/BucketEncryptionOperator";

    /// <summary>
    /// CONTRIBUTING's table: folder → the folders of its project that it may use. <c>(root)</c> are the files beside
    /// the folders.
    /// </summary>
    private static readonly Dictionary<string, string[]> MayUse = File.ReadLines(
            Path.Combine(Repository.Root, "CONTRIBUTING.md")
        )
        .Select(line => FolderRow().Match(line))
        .Where(row => row.Success)
        .ToDictionary(
            row => $"src/{row.Groups["project"].Value}/{row.Groups["folder"].Value}",
            row =>
                row.Groups["uses"]
                    .Value.Split(
                        [',', ' ', '`', '—'],
                        StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
                    ),
            StringComparer.Ordinal
        );

    private static readonly string[] OperatorFolders =
    [
        .. MayUse.Keys.Where(f =>
            f.StartsWith(Operator, StringComparison.Ordinal) && !f.EndsWith(Root, StringComparison.Ordinal)
        ),
    ];

    private static readonly string[] NamesVendors =
    [
        "/Api/BucketStore.cs",
        "/Api/CredentialsSpec.cs",
        "/Specs/StoreSpecMapping.cs",
        "/Credentials/WebIdentitySource.cs",
        "/Credentials/AwsPartition.cs",
    ];

    public static TheoryData<string> Folders => new(MayUse.Keys);

    [Fact]
    public void Every_folder_has_a_row_in_the_table_of_CONTRIBUTING()
    {
        var folders =
            from project in (string[])["src/KubeRuntime", Operator]
            from path in Directory.GetDirectories(Path.Combine(Repository.Root, project))
            let folder = Path.GetFileName(path)
            where folder is not ("bin" or "obj")
            select $"{project}/{folder}";

        Assert.Equal(
            folders.Order(StringComparer.Ordinal),
            MayUse.Keys.Where(f => !f.EndsWith(Root, StringComparison.Ordinal)).Order(StringComparer.Ordinal)
        );
    }

    /// <summary>A table with a circle would allow one in the code.</summary>
    [Fact]
    public void The_table_lists_lower_floors_first()
    {
        var above = new HashSet<string>(MayUse.Keys, StringComparer.Ordinal);
        foreach (var (folder, uses) in MayUse)
        {
            Assert.DoesNotContain(uses, used => above.Contains(Sibling(folder, used)));
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
            from Match use in Use().Matches(file.Code)
            let used = $"src/{use.Groups["project"].Value}/{use.Groups["folder"].Value}"
            where
                used != folder
                && MayUse.ContainsKey(used)
                && used.Split('/')[1] == folder.Split('/')[1]
                && !MayUse[folder].Contains(use.Groups["folder"].Value)
            select $"{file.Path}: {use.Value}"
        );
    }

    [Theory]
    [InlineData("using KubeRuntime.Controllers;", "KubeRuntime", "Controllers")]
    [InlineData("new KubeRuntime.Client.KubeClient()", "KubeRuntime", "Client")]
    [InlineData("using static BucketEncryptionOperator.Specs.StoreRules;", "BucketEncryptionOperator", "Specs")]
    public void The_scan_for_dependencies_finds(string line, string project, string folder)
    {
        var use = Use().Match(line);

        Assert.Equal((project, folder), (use.Groups["project"].Value, use.Groups["folder"].Value));
    }

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
            from folder in OperatorFolders.Where(f => f != $"{Operator}/Vendors")
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
            from folder in OperatorFolders.Where(f => f != $"{Operator}/Vendors")
            from file in Sources(folder)
            where
                !NamesVendors.Any(n => file.Path.EndsWith(n, StringComparison.Ordinal))
                && VendorName().IsMatch(file.Code)
            select $"{file.Path}: {VendorName().Match(file.Code).Value}";

        Assert.Empty(wrong);
    }

    /// <summary>
    /// A new vendor is a folder and a line: what all of them share names none, and the catalog alone uses their
    /// folders.
    /// </summary>
    [Fact]
    public void What_vendors_share_knows_none_of_them()
    {
        var wrong =
            from file in Sources($"{Operator}/Vendors")
            where
                file.Path.Count(c => c == '/') == 3
                && Path.GetFileName(file.Path) != "VendorCatalog.cs"
                && VendorFolder().IsMatch(file.Code)
            select file.Path;

        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("new OssDialect()", true)]
    [InlineData("\"AlibabaOSS\"", true)]
    [InlineData("S3Options options", true)]
    [InlineData("using BucketEncryptionOperator.Vendors.Huawei;", true)]
    [InlineData("// as at AWS", false)]
    [InlineData("new BucketEncryption.Aes256()", false)]
    [InlineData("observed.Possible", false)]
    public void The_scan_for_vendors_finds(string line, bool found) =>
        Assert.Equal(found, VendorName().IsMatch(WithoutComments(line)));

    [Fact]
    public void A_vendor_does_not_use_another()
    {
        var vendors = Directory
            .GetDirectories(Path.Combine(Repository.Root, Operator, "Vendors"))
            .Select(d => Path.GetFileName(d)!)
            .ToList();

        foreach (var vendor in vendors)
        {
            var others = vendors.Where(v => v != vendor).Select(v => $"Vendors.{v}").ToList();
            Assert.DoesNotContain(
                Sources($"{Operator}/Vendors/{vendor}"),
                f => others.Exists(o => f.Code.Contains(o, StringComparison.Ordinal))
            );
        }
        Assert.NotEmpty(vendors);
    }

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

    private static string Sibling(string folder, string used) => $"{folder[..folder.LastIndexOf('/')]}/{used}";

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

    private static string WithoutComments(string code) => Comment().Replace(code, "");

    [GeneratedRegex(@"(?<!:)//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    /// <summary>A using or a qualified name.</summary>
    [GeneratedRegex(@"\b(?<project>KubeRuntime|BucketEncryptionOperator)\.(?<folder>[A-Za-z]+)")]
    private static partial Regex Use();

    [GeneratedRegex(
        @"^\| `(?<project>KubeRuntime|BucketEncryptionOperator)/(?<folder>[A-Za-z]+|\(root\))` \| (?<uses>[^|]*) \|"
    )]
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

    [GeneratedRegex(@"\b(Alibaba|Aliyun|Huawei|JDCloud|Aws|AWS|MinIO|Oss(?=[A-Z])|OSS|Obs(?=[A-Z])|OBS|S3)")]
    private static partial Regex VendorName();

    [GeneratedRegex(@"\b(Vendors\.(Alibaba|Huawei|JDCloud|S3)|(Oss|Obs|JDCloud|S3)[A-Z][a-z]+)\b")]
    private static partial Regex VendorFolder();

    [GeneratedRegex(@"catch\s*(\(Exception( e)?\)(?!\s*when)|\(Exception e\)\s+when\s*\(\s*e is not|\{)")]
    private static partial Regex CatchAll();
}
