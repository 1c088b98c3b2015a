# JD Cloud OSS knows KMS only: AES256 of the samples becomes KMS, drift is a bucket without encryption, and what may not be weakened is a bucket's own key.
# shellcheck shell=bash disable=SC2034
vendor=JDCloudOSS region=cn-north-1 endpoint=http://s3.cn-north-1.jdcloud-oss.com elsewhere=cn-south-1 owner=123456789012
store=jd-beijing store_sample=deploy/samples/bucketstore-jdcloud.yaml secret=jd-keys
policy=jd-finance policy_sample=deploy/samples/policy-jdcloud.yaml buckets=(finance-archive) key=
mark='<SSEAlgorithm>aws:kms</SSEAlgorithm>'
samples=(any-key)
weak=None scratch=aws:kms scratch_removed=None
plain=KMS
strong_policy=backups strong_bucket=backup-daily strong_key=example-backup-key-id
weaken='{"spec":{"encryption":{"kmsKey":{"vendorDefault":true}}}}'
mend='{"spec":{"encryption":{"kmsKey":null}}}'
not_offered='{algorithm: AES256}' refusal='spec.encryption.algorithm: JDCloudOSS does not offer AES256'
kms=aws:kms before='<ServerSideEncryptionConfiguration><Rule>' after='</Rule></ServerSideEncryptionConfiguration>'
