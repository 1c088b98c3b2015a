using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Reconciling;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// Every field of a status counts, by reflection: a field that the comparison forgot would never be written, and one
/// that the JSON forgot would be written at each reconcile.
/// </summary>
public sealed class StatusFieldsTests
{
    private static readonly DateTimeOffset Time = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private static PolicyStatus Policy => (PolicyStatus)Filled(typeof(PolicyStatus));

    private static StoreStatus Store => (StoreStatus)Filled(typeof(StoreStatus));

    [Fact]
    public void A_policys_status_that_differs_in_any_field_is_another()
    {
        var changed = Changes(Policy).ToList();

        Assert.InRange(changed.Count, 50, 500);
        Assert.Empty(changed.Where(c => StatusWriter.IsSame(Policy, (PolicyStatus)c.Value)).Select(c => c.Path));
    }

    [Fact]
    public void A_stores_status_that_differs_in_any_field_is_another()
    {
        var changed = Changes(Store).ToList();

        Assert.InRange(changed.Count, 7, 100);
        Assert.Empty(changed.Where(c => Store.IsSame((StoreStatus)c.Value)).Select(c => c.Path));
    }

    [Fact]
    public void Equal_statuses_are_the_same() =>
        Assert.Equal((true, true), (StatusWriter.IsSame(Policy, Policy), Store.IsSame(Store)));

    [Fact]
    public void A_status_with_every_field_survives_the_wire()
    {
        var patch = new StatusPatch
        {
            Metadata = new PatchMeta { ResourceVersion = "1" },
            Status = Policy,
        };

        var back = JsonSerializer.Deserialize(
            JsonSerializer.Serialize(patch, ApiJsonContext.Default.StatusPatch),
            ApiJsonContext.Default.StatusPatch
        );

        Assert.True(StatusWriter.IsSame(Policy, back!.Status));
    }

    /// <summary>A value in which every field is set.</summary>
    private static object Filled(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain == typeof(string))
            return "a";
        if (plain == typeof(int))
            return 1;
        if (plain == typeof(long))
            return 1L;
        if (plain == typeof(bool))
            return true;
        if (plain == typeof(DateTimeOffset))
            return Time;
        if (IsList(plain, out var item))
            return ListOf(plain, Filled(item));
        var value = Activator.CreateInstance(plain)!;
        foreach (var property in FieldsOf(plain))
            property.SetValue(value, Filled(property.PropertyType));
        return value;
    }

    /// <summary>One copy of the value per field at any depth, in which that field alone is another.</summary>
    private static IEnumerable<(string Path, object Value)> Changes(object value)
    {
        switch (value)
        {
            case string text:
                yield return ("", text + "b");
                yield break;
            case int number:
                yield return ("", number + 1);
                yield break;
            case long number:
                yield return ("", number + 1);
                yield break;
            case bool flag:
                yield return ("", !flag);
                yield break;
            case DateTimeOffset time:
                yield return ("", time.AddSeconds(1));
                yield break;
        }
        var type = value.GetType();
        if (IsList(type, out var item))
        {
            yield return ("[]", ListOf(type));
            foreach (var (path, changed) in Changes(Filled(item)))
                yield return ($"[0]{path}", ListOf(type, changed));
            yield break;
        }
        foreach (var property in FieldsOf(type))
        {
            foreach (var (path, changed) in Changes(property.GetValue(value)!))
            {
                var copy = Filled(type);
                property.SetValue(copy, changed);
                yield return ($".{property.Name}{path}", copy);
            }
        }
    }

    private static IEnumerable<PropertyInfo> FieldsOf(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite);

    private static bool IsList(Type type, out Type item)
    {
        var isList = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ImmutableArray<>);
        item = isList ? type.GetGenericArguments()[0] : type;
        return isList;
    }

    private static object ListOf(Type list, params object[] items)
    {
        var item = list.GetGenericArguments()[0];
        var array = Array.CreateInstance(item, items.Length);
        items.CopyTo(array, 0);
        return typeof(ImmutableArray)
            .GetMethods()
            .Single(m =>
                m.Name == nameof(ImmutableArray.Create) && m.GetParameters() is [{ ParameterType: { IsArray: true } }]
            )
            .MakeGenericMethod(item)
            .Invoke(null, [array])!;
    }
}
