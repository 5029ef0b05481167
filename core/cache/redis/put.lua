-- Writes an entry unless it was invalidated since it was asked for.
-- KEYS: the entry, the command's shapes, the key's mark; then of each tag its mark and its entries.
-- ARGV: the value, its life in ms, when it was asked for in µs, the shape to note or "", how long to note it in ms.
local asked = tonumber(ARGV[3])
local function gone(mark)
  local at = redis.call('GET', mark)
  return at and asked <= tonumber(at)
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function member(set, name, life)
  redis.call('ZREMRANGEBYSCORE', set, '-inf', now)
  redis.call('ZADD', set, string.format('%.0f', now + life), name)
  if redis.call('PTTL', set) < life then redis.call('PEXPIRE', set, life) end
end
if ARGV[4] ~= '' then member(KEYS[2], ARGV[4], tonumber(ARGV[5])) end
if gone(KEYS[3]) then return 0 end
for i = 4, #KEYS, 2 do
  if gone(KEYS[i]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
for i = 5, #KEYS, 2 do member(KEYS[i], KEYS[1], tonumber(ARGV[2])) end
return 1
