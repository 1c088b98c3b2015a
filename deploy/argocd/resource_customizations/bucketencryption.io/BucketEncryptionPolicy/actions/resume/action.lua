-- Taken away, not set to false: so the object is again what a repository says that does not mention it.
obj.spec.suspend = nil
return obj
