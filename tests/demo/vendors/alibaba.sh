# Alibaba Cloud OSS: the samples are as they are. Read by demo.sh, which says what each name is for.
# shellcheck shell=bash disable=SC2034
vendor=AlibabaOSS region=cn-hangzhou endpoint=http://oss-cn-hangzhou.aliyuncs.com elsewhere=cn-beijing owner=123456789012
store=hangzhou store_sample=deploy/samples/bucketstore.yaml secret=oss-keys
policy=finance policy_sample=deploy/samples/policy-kms.yaml buckets=(finance-archive finance-ledger) key=example-kms-key-id
mark="<KMSMasterKeyID>$key</KMSMasterKeyID>"
samples=(any-key sm4 aes256)
weak=AES256 scratch=AES256 scratch_removed=None
plain=AES256
strong_policy=$policy strong_bucket=finance-archive strong_key=$key
weaken='{"spec":{"encryption":{"algorithm":"AES256","kmsKey":null}}}'
mend='{"spec":{"encryption":{"algorithm":"KMS","kmsKey":{"id":"'$key'"}}}}'
not_offered='{algorithm: KMS, bucketKeyEnabled: true}' refusal='spec.encryption.bucketKeyEnabled: AlibabaOSS does not offer it'
kms=KMS before='<ServerSideEncryptionRule>' after='</ServerSideEncryptionRule>'
