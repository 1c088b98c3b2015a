using BucketEncryptionOperator.Manifests;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Manifests;

public sealed class ManifestLoaderTests : IDisposable
{
    private const string Head = "apiVersion: bucketencryption.io/v1alpha1\nkind: BucketEncryptionPolicy\n";

    private readonly string _folder = Directory.CreateTempSubdirectory("beo-manifests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Every_sample_is_accepted()
    {
        var set = Load(Path.Combine(Repository.Root, "deploy", "samples"));

        Assert.Empty(set.Problems);
        Assert.NotEmpty(set.Policies);
        Assert.NotEmpty(set.Stores);
        Assert.NotEmpty(set.ClusterStores);
        Assert.Equal(2, set.Others); // a Secret and a ServiceAccount
    }

    [Fact]
    public void Defaults_are_those_of_the_CRD()
    {
        var policy = Assert.Single(Given(Head + Rest("{algorithm: AES256}")).Policies).Object;

        Assert.Equal(
            ("BucketStore", "Exact", "10m"),
            (policy.Spec.StoreRef.Kind, policy.Spec.Match, policy.Spec.ResyncInterval)
        );
        Assert.Equal(("default", 1L), (policy.Metadata.Namespace, policy.Metadata.Generation));
    }

    [Theory]
    [InlineData("{algorithm: ROT13}", "5:", "spec.encryption.algorithm: \"ROT13\" is not one of \"AES256\", \"KMS\"")]
    [InlineData("{algorithm: AES256, kmsKey: {id: k}}", "5:", "spec.encryption.kmsKey: a KMS key goes only with")]
    [InlineData("{algorithm: KMS, kmsKey: {}}", "5:", "spec.encryption.kmsKey: name exactly one of id")]
    [InlineData("{algorithm: KMS, kmskey: {id: k}}", "5:", "spec.encryption.kmskey: unknown field")]
    [InlineData("{algorithm: yes}", "5:", "must be of type string, and is of type boolean; put it in quotes")]
    [InlineData("{}", "5:", "spec.encryption.algorithm: is required")]
    [InlineData("{algorithm: None}", "4:", "spec.allowDowngrade: algorithm None removes the encryption")]
    public void A_mistake_is_said_with_file_line_and_field(string encryption, string line, string message)
    {
        var problem = Assert.Single(Given(Head + Rest(encryption)).Problems).ToString();

        Assert.StartsWith($"{_folder}/f.yaml:{line}", problem, StringComparison.Ordinal);
        Assert.Contains(message, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_of_objects_are_taken_apart_and_the_last_of_two_counts()
    {
        var one =
            "{apiVersion: bucketencryption.io/v1alpha1, kind: BucketEncryptionPolicy, metadata: {name: p}, "
            + "spec: {storeRef: {name: %}, buckets: [{name: abc}], encryption: {algorithm: AES256}}}";
        var set = Given(
            $"apiVersion: v1\nkind: List\nitems:\n- {one.Replace('%', 'a')}\n- {one.Replace('%', 'b')}\n"
                + "- {apiVersion: v1, kind: ConfigMap}\n"
        );

        Assert.Empty(set.Problems);
        Assert.Equal("b", Assert.Single(set.Policies).Object.Spec.StoreRef.Name);
        Assert.Equal(1, set.Others);
    }

    [Fact]
    public void A_folder_is_read_by_name_and_others_only_where_it_is_asked_for()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "inner"));
        File.WriteAllText(Path.Combine(_folder, "b.yml"), "apiVersion: v1\nkind: ConfigMap\n");
        File.WriteAllText(Path.Combine(_folder, "a.json"), """{"apiVersion": "v1", "kind": "ConfigMap"}""");
        File.WriteAllText(Path.Combine(_folder, "readme.md"), "kind: [");
        File.WriteAllText(Path.Combine(_folder, "inner", "c.yaml"), "apiVersion: v1\nkind: ConfigMap\n");

        Assert.Equal(2, Load(_folder).Others);
        Assert.Equal(3, Load(_folder, isRecursive: true).Others);
    }

    [Fact]
    public void Stdin_is_read_and_a_file_that_is_not_there_is_a_problem()
    {
        var loader = new ManifestLoader("team", new StringReader(Head + Rest("{algorithm: AES256}")));

        var set = loader.Load(["-", Path.Combine(_folder, "none.yaml")], isRecursive: false);

        Assert.Equal("team", Assert.Single(set.Policies).Object.Metadata.Namespace);
        Assert.Contains("none.yaml", Assert.Single(set.Problems).ToString(), StringComparison.Ordinal);
    }

    /// <summary>kubectl follows links to files, and none to folders.</summary>
    [Fact]
    public async Task Links_to_folders_are_not_followed()
    {
        foreach (var name in (string[])["a", "b"])
        {
            Directory.CreateDirectory(Path.Combine(_folder, name));
            Directory.CreateSymbolicLink(Path.Combine(_folder, name, "up"), "..");
        }
        File.WriteAllText(Path.Combine(_folder, "a", "c.yaml"), "apiVersion: v1\nkind: ConfigMap\n");
        File.CreateSymbolicLink(Path.Combine(_folder, "b", "d.yaml"), "../a/c.yaml");

        var set = await Task.Run(() => Load(_folder, isRecursive: true)).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Equal((2, 0), (set.Others, set.Problems.Length));
    }

    [Fact]
    public async Task A_long_list_takes_no_long_time()
    {
        var finalizers = string.Join(',', Enumerable.Repeat("x/y", 300_000));
        var yaml = Head + $"metadata: {{name: p, finalizers: [{finalizers}]}}\nspec: {{}}\n";

        var set = await Task.Run(() => Given(yaml)).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(2, set.Problems.Length);
    }

    [Theory]
    [InlineData("[]", "is no object")]
    [InlineData("kind: BucketEncryptionPolicy", "an object has an apiVersion and a kind")]
    [InlineData("apiVersion: bucketencryption.io/v1\nkind: BucketStore", "bucketencryption.io/v1 has no BucketStore")]
    [InlineData(
        "apiVersion: bucketencryption.io/v1alpha1\nkind: ObjectStore",
        "bucketencryption.io/v1alpha1 has no ObjectStore"
    )]
    [InlineData(
        Head
            + "metadata: {}\nspec: {storeRef: {name: o}, buckets: [{name: abc}], "
            + "encryption: {algorithm: AES256}}",
        "metadata.name: is required"
    )]
    [InlineData(
        Head
            + "metadata: {name: Upper}\nspec: {storeRef: {name: o}, buckets: [{name: abc}], "
            + "encryption: {algorithm: AES256}}",
        "metadata.name: must have lower-case"
    )]
    public void What_is_no_object_of_ours_is_said(string yaml, string expected) =>
        Assert.Contains(expected, Assert.Single(Given(yaml).Problems).ToString(), StringComparison.Ordinal);

    [Fact]
    public void Fields_have_places_for_later_messages()
    {
        var policy = Assert.Single(Given(Head + Rest("{algorithm: AES256}")).Policies);

        Assert.Equal(5, policy.PositionOf("spec.encryption.algorithm").Line);
        Assert.Equal(4, policy.PositionOf("spec.deletionPolicy").Line);
        Assert.Equal(4, policy.PositionOf("spec.absent").Line);
    }

    private static string Rest(string encryption) =>
        "metadata: {name: p}\nspec: {storeRef: {name: oss}, buckets: [{name: abc}],\n"
        + $"  encryption: {encryption}}}\n";

    private ManifestSet Given(string yaml)
    {
        File.WriteAllText(Path.Combine(_folder, "f.yaml"), yaml);
        return Load(Path.Combine(_folder, "f.yaml"));
    }

    private static ManifestSet Load(string path, bool isRecursive = false) =>
        new ManifestLoader("default", TextReader.Null).Load([path], isRecursive);
}
