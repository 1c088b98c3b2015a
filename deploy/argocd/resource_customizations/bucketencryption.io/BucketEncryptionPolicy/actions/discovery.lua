-- A suspended policy reads nothing, so there is nothing to reconcile. One that is being deleted is past all three.
local suspended = obj.spec.suspend == true
local deleted = obj.metadata.deletionTimestamp ~= nil
return {
  reconcile = { disabled = suspended or deleted },
  suspend = { disabled = suspended or deleted },
  resume = { disabled = not suspended or deleted },
}
