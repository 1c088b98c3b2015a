using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Specs;

public sealed class KeySourceReaderTests
{
    private static readonly CredentialsSpec Rrsa = new()
    {
        Rrsa = new RrsaSpec { RoleArn = "role", OidcProviderArn = "provider" },
    };
    private static readonly CredentialsSpec Ecs = new() { EcsRamRole = new EcsRamRoleSpec() };
    private static readonly CredentialsSpec Web = new() { WebIdentity = new WebIdentitySpec { RoleArn = "role" } };

    private static readonly CredentialsSpec Account = new()
    {
        ServiceAccountRef = new ServiceAccountReference { Name = "buckets", RoleArn = "role" },
    };

    private static readonly StoreScope Own = new(Given.Namespace, IsNamespaced: true, "oss");

    private readonly KeySourceReader _reader = new(AmbientRules.None);

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
        Assert.NotNull(
            new KeySourceReader(AmbientRules.None with { InNamespacedStores = true }).Read("A store", spec, Own).Value
        );
    }

    [Fact]
    public void Exactly_one_is_given_also_where_an_older_CRD_let_it_through()
    {
        Assert.Contains(
            "exactly one of secretRef, serviceAccountRef, rrsa, ecsRamRole, webIdentity and podIdentity; none is given",
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

    [Fact]
    public void An_account_is_of_the_stores_own_namespace_and_knows_the_stores_name() =>
        Assert.Equal(
            new KeySource.FromIdentity(
                new ServiceAccountIdentity(
                    new NamespacedName(Given.Namespace, "buckets"),
                    "oss",
                    TokenProtocol.Query,
                    "role",
                    OidcProviderArn: null,
                    $"oss@{Given.Namespace}",
                    "cn-hangzhou"
                )
            ),
            _reader.Read("A store", Spec(Account, "S3"), Own).Value
        );

    [Fact]
    public void An_account_is_not_for_a_store_of_the_cluster() =>
        Assert.Contains("has none", Read(Account, "S3").Failure?.Message, StringComparison.Ordinal);

    [Fact]
    public void Roles_are_assumed_in_turn_and_the_last_has_the_external_id_and_the_tags()
    {
        var tags = ImmutableDictionary<string, string>.Empty.Add("team", "finance");
        var chain = new CredentialsSpec
        {
            SecretRef = new SecretReference { Name = "keys" },
            AssumeRole =
            [
                new AssumeRoleSpec { RoleArn = "first" },
                new AssumeRoleSpec
                {
                    RoleArn = "second",
                    ExternalId = "agreed",
                    SessionTags = tags,
                },
            ],
        };

        var source = _reader.Read("A store", Spec(chain, "S3"), Own).Value;

        var last = Assert.IsType<AssumedRole>(Assert.IsType<KeySource.FromIdentity>(source).Identity);
        var first = Assert.IsType<AssumedRole>(Assert.IsType<KeySource.FromIdentity>(last.Base).Identity);
        Assert.Equal(
            ("second", "agreed", "team=finance", "first", null, 0),
            (
                last.RoleArn,
                last.ExternalId,
                string.Join(' ', last.Tags.Pairs.Select(t => $"{t.Key}={t.Value}")),
                first.RoleArn,
                first.ExternalId,
                first.Tags.Pairs.Length
            )
        );
        Assert.Equal(
            new KeySource.FromSecret(new SecretSource(new NamespacedName(Given.Namespace, "keys"))),
            source?.Parts.Last()
        );
        Assert.Equal(source, _reader.Read("A store", Spec(chain, "S3"), Own).Value); // equal identities, equal keys
    }

    [Theory]
    [InlineData("not listed", "arn:aws:iam::1:role/other", null, "RoleNotAllowed")]
    [InlineData("of another namespace", "arn:aws:iam::1:role/of-others", null, "RoleNotAllowed")]
    [InlineData(
        "listed, with an external id of the tenant's choice",
        "arn:aws:iam::1:role/shared",
        "x/y",
        "InvalidSpec"
    )]
    [InlineData("listed", "arn:aws:iam::1:role/shared", null, null)]
    [InlineData("listed for the namespace", "arn:aws:iam::1:role/of-team", null, null)]
    public void A_role_that_the_operator_assumes_for_a_namespace_is_listed_and_told_for_which_store(
        string sentence,
        string role,
        string? externalId,
        string? code
    )
    {
        // The flag for the identities themselves does not open what roles trust them.
        var reader = new KeySourceReader(
            new AmbientRules(
                InNamespacedStores: true,
                ["arn:aws:iam::1:role/shared", "arn:aws:iam::1:role/of-{namespace}"]
            )
        );

        var (source, failure) = reader.Read(
            "A store",
            Spec(Web with { AssumeRole = [new AssumeRoleSpec { RoleArn = role, ExternalId = externalId }] }, "S3"),
            new StoreScope("team", IsNamespaced: true, "oss")
        );

        Assert.True(code == failure?.Code, $"{sentence}: {failure}");
        if (source is KeySource.FromIdentity { Identity: AssumedRole assumed })
            Assert.Equal(("team/oss", "oss@team"), (assumed.ExternalId, assumed.SessionName));
    }

    /// <summary>A role that permits by tags would take a tenant for whoever the tenant says to be.</summary>
    [Fact]
    public void A_store_of_a_namespace_tags_no_session_of_the_operators_own_identity()
    {
        var role = new AssumeRoleSpec
        {
            RoleArn = "listed",
            SessionTags = ImmutableDictionary<string, string>.Empty.Add("team", "finance"),
        };
        var reader = new KeySourceReader(new AmbientRules(InNamespacedStores: true, ["listed"]));

        var (_, lent) = reader.Read("A store", Spec(Web with { AssumeRole = [role] }, "S3"), Own);
        var (own, _) = reader.Read("A store", Spec(Account with { AssumeRole = [role] }, "S3"), Own);

        Assert.Equal("InvalidSpec", lent?.Code);
        Assert.Contains("sessionTags cannot be chosen", lent?.Message, StringComparison.Ordinal);
        Assert.NotNull(own);
    }

    [Fact]
    public void All_roles_of_such_a_chain_are_listed()
    {
        var reader = new KeySourceReader(new AmbientRules(InNamespacedStores: false, ["listed"]));
        var chain = Web with
        {
            AssumeRole = [new AssumeRoleSpec { RoleArn = "other" }, new AssumeRoleSpec { RoleArn = "listed" }],
        };

        Assert.Equal("RoleNotAllowed", reader.Read("A store", Spec(chain, "S3"), Own).Failure?.Code);
    }

    [Fact]
    public void A_store_of_the_cluster_has_any_role_assumed_with_any_external_id()
    {
        var source = Read(
            Web with
            {
                AssumeRole = [new AssumeRoleSpec { RoleArn = "any", ExternalId = "agreed" }],
            },
            "S3"
        ).Value;

        var role = Assert.IsType<AssumedRole>(Assert.IsType<KeySource.FromIdentity>(source).Identity);
        Assert.Equal(("agreed", "shared"), (role.ExternalId, role.SessionName));
    }

    [Theory]
    [InlineData("assumeRole", "HuaweiOBS", null, "goes only with vendor AlibabaOSS or S3")]
    [InlineData("sessionTags", "AlibabaOSS", "team", "sessionTags: goes only with vendor S3")]
    public void Roles_go_with_the_vendors_that_have_them(string field, string vendor, string? tag, string message)
    {
        var role = new AssumeRoleSpec
        {
            RoleArn = "role",
            SessionTags = tag is null ? null : ImmutableDictionary<string, string>.Empty.Add(tag, "x"),
        };
        var spec = new CredentialsSpec
        {
            SecretRef = new SecretReference { Name = "keys" },
            AssumeRole = [role],
        };

        var said = Read(spec, vendor).Failure?.Message ?? "";
        Assert.True(said.Contains(message, StringComparison.Ordinal), $"{field}: {said}");
    }

    [Fact]
    public void Only_the_last_role_has_an_external_id()
    {
        var spec = new CredentialsSpec
        {
            SecretRef = new SecretReference { Name = "keys" },
            AssumeRole =
            [
                new AssumeRoleSpec { RoleArn = "first", ExternalId = "x/y" },
                new AssumeRoleSpec { RoleArn = "second" },
            ],
        };

        Assert.Contains("only the last role", Read(spec, "S3").Failure?.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("store", "team", "store@team")]
    [InlineData("s", "t", "s@t")]
    [InlineData(
        "a-store-with-a-name-of-some-length-that-ends-in-one",
        "a-namespace-with-such-a-name",
        "a-store-with-a-name-of-some-length-that-ends-in-9f9da12d"
    )]
    public void A_session_names_the_store_in_at_most_64_characters(string store, string ns, string name)
    {
        var session = new StoreScope(ns, IsNamespaced: true, store).SessionName;

        Assert.InRange(session.Length, 2, 64);
        Assert.StartsWith(name[..Math.Min(name.Length, 47)], session, StringComparison.Ordinal);
        Assert.NotEqual(session, new StoreScope(ns + "x", IsNamespaced: true, store).SessionName);
    }

    private static BucketStoreSpec Spec(CredentialsSpec credentials, string vendor) =>
        Given.Store().Spec with
        {
            Credentials = credentials,
            Vendor = vendor,
        };

    private Result<KeySource> Read(CredentialsSpec credentials, string vendor) =>
        _reader.Read(
            "A store",
            Given.Store().Spec with
            {
                Credentials = credentials,
                Vendor = vendor,
            },
            new StoreScope("operators", IsNamespaced: false, "shared")
        );
}
