namespace Integration.Tests;

public sealed partial class CrdRulesTests
{
    private static (string Case, string Kind, string Spec, string Message)[] RefusedSelectors =>
        [
            (
                "neither-buckets-nor-selector",
                Policy,
                "{storeRef: {name: oss}, encryption: {algorithm: AES256}}",
                "exactly one of the two"
            ),
            (
                "buckets-and-selector",
                Policy,
                Spec("{algorithm: AES256}", more: ", mode: Audit, bucketSelector: {matchNames: ['*']}"),
                "exactly one of the two"
            ),
            (
                "selector-without-mode",
                Policy,
                Selecting("{matchNames: ['*']}", more: ""),
                "a policy with bucketSelector must say its mode"
            ),
            (
                "selector-that-deletes",
                Policy,
                Selecting("{matchNames: ['*']}", more: ", mode: Enforce, deletionPolicy: Delete, allowDowngrade: true"),
                "with bucketSelector deletionPolicy must be Retain"
            ),
            (
                "selector-that-restores",
                Policy,
                Selecting("{matchNames: ['*']}", more: ", mode: Enforce, deletionPolicy: Restore"),
                "one wrong list must not change the encryption of buckets"
            ),
            ("selector-of-nothing", Policy, Selecting("{}"), "bucketSelector.matchNames: Required value"),
            ("selector-without-names", Policy, Selecting("{matchNames: []}"), "should have at least 1 items"),
            ("pattern-of-another-language", Policy, Selecting("{matchNames: ['[a-z]+']}"), "a pattern has lower-case"),
            ("pattern-upper-case", Policy, Selecting("{matchNames: ['Team-*']}"), "a pattern has lower-case letters"),
            (
                "pattern-excluded-with-a-blank",
                Policy,
                Selecting("{matchNames: ['*'], excludeNames: ['a b']}"),
                "a pattern has"
            ),
            ("no-tags", Policy, Selecting("{matchNames: ['*'], matchTags: {}}"), "should have at least 1 properties"),
            (
                "fewer-writes-than-none",
                Policy,
                Selecting("{matchNames: ['*'], maxWrites: -1}"),
                "greater than or equal to 0"
            ),
            (
                "more-writes-than-buckets",
                Policy,
                Selecting("{matchNames: ['*'], maxWrites: 1001}"),
                "less than or equal to 1000"
            ),
            (
                "selectable-of-another-placeholder",
                ClusterStore,
                StoreSpec(more: ", allowedNamespaces: {names: [team-a], selectableBuckets: ['{team}-*']}"),
                "{namespace} for the policy's namespace"
            ),
        ];
}
