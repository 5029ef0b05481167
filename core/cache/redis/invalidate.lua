-- Drops the entries of a key in every shape, or of a tag, marks when, and tells who listens: when, and how many it dropped.
-- KEYS: the mark; the command's shapes or the tag's entries.
-- ARGV: how long the mark stays in ms, the channel, what to tell; of a key: what its entries begin with, how they end, one shape.
local t = redis.call('TIME')
local at = string.format('%.0f', t[1] * 1000000 + t[2])
redis.call('SET', KEYS[1], at, 'PX', ARGV[1])
local dropped = 0
if #ARGV > 3 then
  local shapes = redis.pcall('ZRANGE', KEYS[2], 0, -1)
  if shapes.err then shapes = {} end
  shapes[#shapes + 1] = ARGV[6]
  for _, shape in ipairs(shapes) do
    if shape ~= '' then dropped = dropped + redis.call('UNLINK', ARGV[4] .. shape .. ARGV[5]) end
  end
else
  while true do
    local entries = redis.pcall('ZRANGE', KEYS[2], 0, 999)
    if entries.err or #entries == 0 then break end
    dropped = dropped + redis.call('UNLINK', unpack(entries))
    redis.call('ZREMRANGEBYRANK', KEYS[2], 0, 999)
  end
  redis.call('UNLINK', KEYS[2])
end
redis.call('PUBLISH', ARGV[2], at .. ' ' .. ARGV[3])
return {at, tostring(dropped)}
