using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Specs;

/// <summary>
/// By reflection: a field of <c>spec.encryption</c> that the reader forgot would be accepted and do nothing.
/// </summary>
public sealed class EncryptionFieldsTests
{
    private static readonly EncryptionSpec Base = new()
    {
        Algorithm = "KMS",
        KmsKey = new KmsKeySpec { Id = "k-1" },
    };

    [Fact]
    public void Every_field_changes_what_is_desired_or_is_refused()
    {
        var fields = typeof(EncryptionSpec).GetProperties().Where(p => p.CanWrite).ToList();

        Assert.InRange(fields.Count, 5, 50);
        Assert.All(
            fields,
            field =>
            {
                var changed = Base with { };
                field.SetValue(changed, Other(field.PropertyType));
                Assert.True(Read(changed) != Read(Base), $"{field.Name} is not read");
            }
        );
    }

    private static object Other(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) switch
        {
            var text when text == typeof(string) => "SM4",
            var flag when flag == typeof(bool) => true,
            var list when list == typeof(ImmutableArray<string>) => ImmutableArray.Create("SSE-C"),
            var key when key == typeof(KmsKeySpec) => new KmsKeySpec { VendorDefault = true },
            var other => throw new InvalidOperationException($"give a value of {other}"),
        };

    private static string? Read(EncryptionSpec spec)
    {
        var (terms, failure) = PolicyReader.ReadTerms(Given.Policy().With(spec).Spec);
        return terms?.Goal.Encryption.Fingerprint ?? failure?.Message;
    }
}
