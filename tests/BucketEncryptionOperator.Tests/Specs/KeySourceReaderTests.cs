using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Specs;

public sealed class KeySourceReaderTests
{
    private static readonly CredentialsSpec Rrsa = new()
    {
        Rrsa = new RrsaSpec { RoleArn = "role", OidcProviderArn = "provider" },
    };
    private static readonly CredentialsSpec Ecs = new() { EcsRamRole = new EcsRamRoleSpec() };
    private static readonly CredentialsSpec Web = new() { WebIdentity = new WebIdentitySpec { RoleArn = "role" } };

    private static readonly StoreScope Own = new(Given.Namespace, IsNamespaced: true);

    private readonly KeySourceReader _reader = new(ambientInNamespacedStores: false);

    [Fact]
    public void A_Secret_is_for_every_store() =>
        Assert.Equal(
            new KeySource.FromSecret(new SecretSource(Given.SecretKey)),
            _reader.Read("A store", Given.Store().Spec, Own).Value
        );

    [Fact]
    public void The_operators_own_identities_are_read()
    {
        Assert.Equal(
            new KeySource.FromIdentity(
                new AmbientIdentity.Rrsa("role", "provider", "bucket-encryption-operator", "cn-hangzhou")
            ),
            Read(Rrsa, "AlibabaOSS").Value
        );
        Assert.Equal(new KeySource.FromIdentity(new AmbientIdentity.EcsRamRole(null)), Read(Ecs, "AlibabaOSS").Value);
        Assert.Equal(
            new KeySource.FromIdentity(new AmbientIdentity.WebIdentity("role", "cn-hangzhou")),
            Read(Web, "S3").Value
        );
    }

    [Fact]
    public void They_are_refused_in_a_store_of_a_namespace_unless_the_flag_allows_them()
    {
        var spec = Given.Store().Spec with { Credentials = Rrsa };

        var (_, refused) = _reader.Read("A store", spec, Own);

        Assert.Equal((FailureKind.Invalid, "AmbientNotAllowed"), (refused?.Kind, refused?.Code));
        Assert.Contains("--ambient-credentials-in-namespaced-stores", refused?.Hint, StringComparison.Ordinal);
        Assert.NotNull(new KeySourceReader(ambientInNamespacedStores: true).Read("A store", spec, Own).Value);
    }

    [Fact]
    public void Exactly_one_is_given_also_where_an_older_CRD_let_it_through()
    {
        Assert.Contains(
            "exactly one of secretRef, rrsa, ecsRamRole and webIdentity; none is given",
            Read(new CredentialsSpec(), "AlibabaOSS").Failure?.Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "; rrsa and ecsRamRole are given",
            Read(Rrsa with { EcsRamRole = new EcsRamRoleSpec() }, "AlibabaOSS").Failure?.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Each_goes_with_its_vendor_only()
    {
        Assert.Contains(
            "rrsa: goes only with vendor AlibabaOSS, and the vendor is S3",
            Read(Rrsa, "S3").Failure?.Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "ecsRamRole: goes only with vendor AlibabaOSS",
            Read(Ecs, "HuaweiOBS").Failure?.Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "webIdentity: goes only with vendor S3",
            Read(Web, "AlibabaOSS").Failure?.Message,
            StringComparison.Ordinal
        );
    }

    private Result<KeySource> Read(CredentialsSpec credentials, string vendor) =>
        _reader.Read(
            "A store",
            Given.Store().Spec with
            {
                Credentials = credentials,
                Vendor = vendor,
            },
            new StoreScope("operators", IsNamespaced: false)
        );
}
