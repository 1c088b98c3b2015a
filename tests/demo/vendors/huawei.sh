# Huawei Cloud OBS: its own store and first policy (key, project, bucket key); the other samples at this store.
# shellcheck shell=bash disable=SC2034
vendor=HuaweiOBS region=cn-north-4 endpoint=http://obs.cn-north-4.myhuaweicloud.com elsewhere=cn-south-1 owner=123456789012
store=huawei-beijing store_sample=deploy/samples/bucketstore-huawei.yaml secret=obs-keys
policy=huawei-finance policy_sample=deploy/samples/policy-huawei.yaml buckets=(finance-archive) key=example-kms-key-id
mark="<KMSMasterKeyID>$key</KMSMasterKeyID><ProjectID>example-project-id</ProjectID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled>"
samples=(any-key sm4 aes256)
weak=AES256 scratch=AES256 scratch_removed=None
plain=AES256
strong_policy=$policy strong_bucket=finance-archive strong_key=$key
weaken='{"spec":{"encryption":{"algorithm":"AES256","kmsKey":null,"kmsProjectId":null,"bucketKeyEnabled":null}}}'
mend='{"spec":{"encryption":{"algorithm":"KMS","kmsKey":{"id":"'$key'"},"kmsProjectId":"example-project-id","bucketKeyEnabled":true}}}'
not_offered='{algorithm: SM4}' refusal='spec.encryption.algorithm: HuaweiOBS does not offer SM4'
kms=kms before='<ServerSideEncryptionConfiguration><Rule>' after='</Rule></ServerSideEncryptionConfiguration>'
