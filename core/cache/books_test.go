package cache

// Tags returns how many tags the cache knows keys of.
func Tags[K comparable, V any](c *Cache[K, V]) int { return len(c.tagged) }
