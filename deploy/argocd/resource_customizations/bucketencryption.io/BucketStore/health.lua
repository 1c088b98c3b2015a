-- The health of the kinds of bucketencryption.io: one script for all three. kstatus decides in the same way where it has a word for it; Suspended, and a deletion that is stuck,
-- are only here. Argo CD runs it with Lua 5.1, and gives the object as `obj`.
local health = { status = "Progressing", message = "The operator has not looked yet." }
local conditions = {}
for _, condition in ipairs(obj.status and obj.status.conditions or {}) do
  conditions[condition.type] = condition
end
local function is_true(name)
  return conditions[name] ~= nil and conditions[name].status == "True"
end
if conditions.Ready ~= nil and conditions.Ready.reason ~= "Pending" then
  health.message = conditions.Ready.message
end

-- A deletion that waits for a person is stuck; any other goes on.
if obj.metadata.deletionTimestamp ~= nil then
  health.status = is_true("Stalled") and "Degraded" or "Progressing"
  return health
end
if obj.spec ~= nil and obj.spec.suspend == true then
  health.status = "Suspended"
  return health
end
-- An older operator writes no status of stores; what is wrong with one shows in its policies.
if obj.status == nil and obj.kind ~= "BucketEncryptionPolicy" then
  return { status = "Healthy", message = "This store has no status of its own." }
end
-- The status of another spec says nothing about this one.
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  health.message = "The operator has not looked yet."
  return health
end
if is_true("Stalled") then
  health.status = "Degraded"
elseif is_true("Ready") then
  health.status = "Healthy"
end
return health
