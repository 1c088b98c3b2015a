using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Tests.Specs;

/// <summary>
/// Which store a policy uses. The namespace is the border: what is behind it must not be told apart from what does not
/// exist.
/// </summary>
public sealed class StoresTests
{
    private const string Operators = "operators";

    private static readonly StoreReader Reader = new(
        new EndpointAllowList(VendorCatalog.DefaultEndpointPatterns, VendorCatalog.Endpoints),
        Partitions.None,
        new KeySourceReader(AmbientRules.None)
    );

    private readonly ObjectCache<BucketStore> _stores = new();
    private readonly ObjectCache<ClusterBucketStore> _clusterStores = new();
    private readonly ObjectCache<Namespace> _namespaces = new();
    private readonly Stores _room;

    public StoresTests() =>
        _room = new Stores(_stores, new ClusterStores(_clusterStores, _namespaces, Operators), Reader);

    [Theory]
    [InlineData(null)]
    [InlineData("BucketStore")]
    public void A_store_of_the_policys_namespace_is_found_with_the_Secret_beside_it(string? kind)
    {
        Add(Given.Store());

        var (store, failure) = _room.Find(Reference(kind), Given.Namespace);

        Assert.Null(failure);
        Assert.Equal(
            ("AlibabaOSS", (KeySource)new KeySource.FromSecret(new SecretSource(Given.SecretKey))),
            (store?.Vendor, store?.Keys)
        );
    }

    [Fact]
    public void Another_namespaces_store_is_not_there()
    {
        Add(Given.Store());

        var failure = _room.Find(Reference("BucketStore"), "team-b").Failure;

        Assert.Equal((FailureKind.Missing, "StoreNotFound"), (failure?.Kind, failure?.Code));
    }

    [Fact]
    public void A_name_alone_never_leads_to_a_store_of_the_cluster()
    {
        Add(Given.ClusterStore(new AllowedNamespacesSpec { Names = [Given.Namespace] }));

        Assert.Equal("StoreNotFound", _room.Find(Reference("BucketStore"), Given.Namespace).Failure?.Code);
        Assert.Equal("StoreNotFound", _room.Find(Reference("BucketStore"), "").Failure?.Code);
    }

    [Fact]
    public void A_store_of_the_cluster_is_found_where_it_allows_the_namespace_with_the_Secret_beside_the_operator()
    {
        Add(Given.Store());
        Add(Given.ClusterStore(new AllowedNamespacesSpec { Names = [Given.Namespace] }));

        var (store, failure) = _room.Find(Given.ClusterStoreReference, Given.Namespace);

        Assert.Null(failure);
        Assert.Equal(
            new KeySource.FromSecret(new SecretSource(new NamespacedName(Operators, Given.SecretKey.Name))),
            store?.Keys
        );
    }

    [Fact]
    public void A_label_gives_the_namespace_a_store_and_takes_it_away()
    {
        var selector = new LabelSelectorSpec
        {
            MatchExpressions = [new LabelRequirementSpec { Key = "buckets", Operator = "Exists" }],
        };
        Add(Given.ClusterStore(new AllowedNamespacesSpec { Selector = selector }));

        var found = new List<bool>();
        foreach (
            var ns in (Namespace[])
                [Given.NamespaceWith(), Given.NamespaceWith(("buckets", "yes")), Given.NamespaceWith(("other", "yes"))]
        )
        {
            _namespaces.Apply(
                new WatchEvent<Namespace>.Applied(
                    ns with
                    {
                        Metadata = ns.Metadata with { ResourceVersion = $"{found.Count}" },
                    }
                )
            );
            found.Add(_room.Find(Given.ClusterStoreReference, Given.Namespace).Value is not null);
        }

        Assert.Equal([false, true, false], found);
    }

    [Fact]
    public void A_store_that_does_not_allow_the_namespace_cannot_be_told_from_one_that_is_not_there()
    {
        var absent = _room.Find(Given.ClusterStoreReference, Given.Namespace).Failure;
        Add(Given.ClusterStore(new AllowedNamespacesSpec { Names = ["team-b"] }));
        var notAllowed = _room.Find(Given.ClusterStoreReference, Given.Namespace).Failure;
        var broken = Given.ClusterStore();
        Add(
            broken with
            {
                Metadata = broken.Metadata with { ResourceVersion = "2" },
                Spec = broken.Spec with { Endpoint = "https://inside.example" },
            }
        );
        var brokenToo = _room.Find(Given.ClusterStoreReference, Given.Namespace).Failure;

        Assert.Equal((FailureKind.Missing, "StoreNotAllowed"), (absent?.Kind, absent?.Code));
        Assert.Contains("does not exist, or does not allow this namespace", absent?.Message, StringComparison.Ordinal);
        Assert.Equal(absent, notAllowed);
        Assert.Equal(absent, brokenToo);
    }

    [Fact]
    public void What_is_wrong_with_a_store_of_the_cluster_is_told_where_it_may_be_used()
    {
        var store = Given.ClusterStore(new AllowedNamespacesSpec { Names = [Given.Namespace] });
        Add(store with { Spec = store.Spec with { Vendor = "Floppy" } });

        var failure = _room.Find(Given.ClusterStoreReference, Given.Namespace).Failure;

        Assert.StartsWith(
            "ClusterBucketStore \"hangzhou\", spec.vendor: \"Floppy\"",
            failure?.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_installation_without_stores_of_the_cluster_says_so()
    {
        var failure = new Stores(_stores, shared: null, Reader)
            .Find(Given.ClusterStoreReference, Given.Namespace)
            .Failure;

        Assert.Equal((FailureKind.Invalid, "ClusterStoresNotServed"), (failure?.Kind, failure?.Code));
        Assert.Contains("--cluster-stores", failure?.Hint, StringComparison.Ordinal);
    }

    /// <summary>One partition: a bucket's name means one bucket there, whichever of the endpoints is used.</summary>
    [Theory]
    [InlineData("AlibabaOSS", "cn-hangzhou", null, "aliyuncs.com")]
    [InlineData("AlibabaOSS", "cn-hangzhou", "https://oss-cn-hangzhou-internal.aliyuncs.com", "aliyuncs.com")]
    [InlineData("AlibabaOSS", "cn-beijing", "https://cn-beijing.oss.aliyuncs.com", "aliyuncs.com")]
    [InlineData("AlibabaOSS", "cn-hangzhou", "https://oss.corp.example", "oss.corp.example:443")]
    [InlineData(
        "AlibabaOSS",
        "cn-hangzhou",
        "https://oss-cn-hangzhou.notaliyuncs.com",
        "oss-cn-hangzhou.notaliyuncs.com:443"
    )]
    [InlineData("HuaweiOBS", "cn-north-4", null, "myhuaweicloud.com")]
    [InlineData("HuaweiOBS", "eu-west-101", null, "myhuaweicloud.eu")]
    [InlineData("HuaweiOBS", "cn-north-4", "https://oss.corp.example", "oss.corp.example:443")]
    [InlineData("JDCloudOSS", "cn-north-1", null, "jdcloud-oss.com")]
    [InlineData("JDCloudOSS", "cn-east-1", "https://s3.cn-east-1.jcloudcs.com", "jdcloud-oss.com")]
    [InlineData("JDCloudOSS", "cn-east-1", "https://oss.corp.example", "oss.corp.example:443")]
    [InlineData("S3", "eu-west-1", null, "aws")]
    [InlineData("S3", "us-gov-west-1", null, "aws-us-gov")]
    [InlineData("S3", "cn-north-1", null, "aws-cn")]
    [InlineData("S3", "eu-west-1", "https://OSS.corp.example", "oss.corp.example:443")]
    [InlineData("S3", "eu-west-1", "http://127.0.0.1:9000", "127.0.0.1:9000")]
    [InlineData("S3", "eu-west-1", "http://[fd00::5]:9000", "fd00::5:9000")]
    [InlineData("S3", "eusc-de-east-1", null, "aws-eusc")]
    [InlineData("S3", "us-iso-east-1", null, "aws-iso")]
    [InlineData("S3", "us-isob-east-1", null, "aws-iso-b")]
    [InlineData("S3", "eu-isoe-west-1", null, "aws-iso-e")]
    [InlineData("S3", "us-isof-south-1", null, "aws-iso-f")]
    [InlineData("AlibabaOSS", "cn-shanghai-finance-1", null, "aliyuncs.com")]
    [InlineData("HuaweiOBS", "eu-de", null, "otc.t-systems.com")]
    [InlineData("HuaweiOBS", "eu-west-0", null, "prod-cloud-ocb.orange-business.com")]
    [InlineData("HuaweiOBS", "ru-moscow-1", null, "hc.sbercloud.ru")]
    [InlineData("HuaweiOBS", "ae-ad-1", "https://obs.ae-ad-1.g42cloud.com", "g42cloud.com")]
    [InlineData("S3", "cn-north-4", "https://obs.cn-north-4.myhuaweicloud.com", "myhuaweicloud.com")]
    [InlineData("S3", "cn-hangzhou", "https://oss-cn-hangzhou.aliyuncs.com", "aliyuncs.com")]
    [InlineData("S3", "cn-north-1", "https://s3.cn-north-1.jdcloud-oss.com", "jdcloud-oss.com")]
    [InlineData("S3", "cn-hangzhou", "https://cb-1.cn-hangzhou.oss-cloudbox.aliyuncs.com", "cb-1")]
    [InlineData("S3", "cn-hangzhou", "https://cn-hangzhou.oss-cloudbox.aliyuncs.com", "aliyuncs.com")]
    [InlineData("S3", "us-gov-west-1", "https://vpce-1a.s3.us-gov-west-1.vpce.amazonaws.com", "aws-us-gov")]
    [InlineData("JDCloudOSS", "eu-west-1", "https://s3.eu-west-1.amazonaws.com", "aws")]
    public void A_store_is_in_a_partition(string vendor, string region, string? endpoint, string expected) =>
        Assert.Equal(expected, Place(Given.Store(vendor, region).At(endpoint).Spec)?.Partition);

    /// <summary>Otherwise two policies could each keep the same bucket, and neither would know of the other.</summary>
    [Theory]
    [InlineData("https://obs.cn-north-4.myhuaweicloud.com", "cn-north-4", "HuaweiOBS", "S3")]
    [InlineData("https://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou", "AlibabaOSS", "S3")]
    [InlineData("https://s3.cn-north-1.jdcloud-oss.com", "cn-north-1", "JDCloudOSS", "S3")]
    public void One_endpoint_is_one_partition_in_every_dialect(
        string endpoint,
        string region,
        string vendor,
        string other
    ) =>
        Assert.Equal(
            Place(Given.Store(vendor, region).At(endpoint).Spec)?.Partition,
            Place(Given.Store(other, region).At(endpoint).Spec)?.Partition
        );

    [Fact]
    public void A_CloudBox_is_a_partition_of_its_own()
    {
        var spec = Given.Store().Spec with
        {
            Endpoint = "https://cb-1.cn-hangzhou.oss-cloudbox.aliyuncs.com",
            Alibaba = new AlibabaSpec { CloudBoxId = "cb-1" },
        };

        Assert.Equal("cb-1", Place(spec)?.Partition);
    }

    [Theory]
    [InlineData("as a URI has it", "a=[fd00::5]:9000", "a")]
    [InlineData("in another spelling", "a=[FD00:0:0::0005]:9000", "a")]
    [InlineData("another address", "a=[fd00::6]:9000", null)]
    [InlineData("another port", "a=[fd00::5]:9001", null)]
    public void A_partition_of_an_IPv6_address_is_found_in_every_spelling(
        string sentence,
        string entry,
        string? expected
    ) => Assert.True(expected == new Partitions([entry]).Of(new Uri("http://[fd00::5]:9000")), sentence);

    /// <summary>A namespace's author could else say that his bucket elsewhere is somebody's bucket here.</summary>
    [Theory]
    [InlineData("only the operator's administrator says which hosts are one", "https://oss.corp.example", "corp:1_a")]
    [InlineData("also over a vendor's own", "https://oss-cn-hangzhou.aliyuncs.com", "apart")]
    [InlineData("of the others the endpoint says it", "https://oss-cn-shanghai.aliyuncs.com", "aliyuncs.com")]
    public void A_partition_is_the_operators_word(string sentence, string endpoint, string expected)
    {
        var partitions = new Partitions(["corp:1_a=oss.corp.example", "apart=oss-cn-hangzhou.aliyuncs.com"]);
        var region = endpoint.Contains("shanghai", StringComparison.Ordinal) ? "cn-shanghai" : "cn-hangzhou";

        Assert.True(
            expected == Place(Given.Store().Spec with { Region = region, Endpoint = endpoint }, partitions)?.Partition,
            sentence
        );
    }

    [Fact]
    public void A_store_of_the_cluster_may_name_its_partition()
    {
        var store = Given.ClusterStore(new AllowedNamespacesSpec { Names = [Given.Namespace] });
        Add(store with { Spec = store.Spec with { Partition = "corp:1_a" } });

        Assert.Equal("corp:1_a", _room.Find(Given.ClusterStoreReference, Given.Namespace).Value?.Place.Partition);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("-a")]
    [InlineData("a/b")]
    public void An_invalid_partition_is_refused(string partition)
    {
        var store = Given.ClusterStore(new AllowedNamespacesSpec { Names = [Given.Namespace] });
        Add(store with { Spec = store.Spec with { Partition = partition } });

        var failure = _room.Find(Given.ClusterStoreReference, Given.Namespace).Failure;

        Assert.Contains($"spec.partition: \"{partition}\" is invalid", failure?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bundle_of_authorities_goes_with_every_bucket_and_one_that_is_none_is_refused()
    {
        using var authority = new TestAuthority("Corp");
        var good = Place(Given.Store().Spec with { CaBundle = authority.Pem })?.Address("finance-archive").CaBundle;
        Add(Given.Store() with { Spec = Given.Store().Spec with { CaBundle = authority.KeyPem } });

        var failure = _room.Find(Reference(kind: null), Given.Namespace).Failure;

        Assert.Equal(authority.Pem, good);
        Assert.Equal("InvalidSpec", failure?.Code);
        Assert.Equal(
            "BucketStore \"hangzhou\", spec.caBundle: it holds something that is no certificate; give certificates "
                + "only.",
            failure?.Message
        );
    }

    [Fact]
    public void The_operators_own_identity_is_for_stores_of_the_cluster()
    {
        var spec = Given.Store().Spec with { Credentials = new CredentialsSpec { EcsRamRole = new EcsRamRoleSpec() } };
        Add(Given.Store() with { Spec = spec });
        var ours = Given.ClusterStore(new AllowedNamespacesSpec { Names = [Given.Namespace] });
        Add(ours with { Spec = ours.Spec with { Credentials = spec.Credentials } });

        Assert.Equal("AmbientNotAllowed", _room.Find(Reference("BucketStore"), Given.Namespace).Failure?.Code);
        Assert.Equal(
            new KeySource.FromIdentity(new AmbientIdentity.EcsRamRole(null)),
            _room.Find(Given.ClusterStoreReference, Given.Namespace).Value?.Keys
        );
    }

    private static StorePlace? Place(BucketStoreSpec spec, Partitions? partitions = null)
    {
        var reader = new StoreReader(
            new EndpointAllowList(
                [
                    .. VendorCatalog.DefaultEndpointPatterns,
                    "oss.corp.example",
                    "oss-cn-hangzhou.notaliyuncs.com",
                    "http://127.0.0.1:9000",
                    "http://[fd00::5]:9000",
                    "*.oss-cloudbox.aliyuncs.com",
                    "vpce-*.s3.*.vpce.amazonaws.com",
                ],
                VendorCatalog.Endpoints
            ),
            partitions ?? Partitions.None,
            new KeySourceReader(AmbientRules.None)
        );
        var (store, failure) = reader.Read("store", spec, new StoreScope(Given.Namespace, IsNamespaced: true, "oss"));
        Assert.Null(failure);
        return store?.Place;
    }

    private static StoreReference Reference(string? kind) => new() { Kind = kind, Name = Given.StoreKey.Name };

    private void Add(BucketStore store) => _stores.Apply(new WatchEvent<BucketStore>.Applied(store));

    private void Add(ClusterBucketStore store) =>
        _clusterStores.Apply(new WatchEvent<ClusterBucketStore>.Applied(store));
}
