-- budget 40 ms, string 1310720 bytes
--
-- Long strings under the limit that they have by default, where Lua goes through all their bytes
-- within one instruction: chains of tables that are looked through for a key nearly like theirs,
-- comparisons.
local MOST = 1310720

local function most(byte, last)
  return (byte or "x"):rep(MOST - 1) .. (last or "a")
end

local stored, asked = most("x", "a"), most("x", "b")

-- Tables that lead to each other, each with the one key; as many as Lua follows.
local function chain(event)
  local t = {}
  for _ = 1, 1990 do t = setmetatable({ [stored] = 1 }, { [event] = t }) end
  return t
end

local chains = { __index = chain("__index"), __newindex = chain("__newindex") }
local circle = { [stored] = 1 }
circle.__index = circle
setmetatable(circle, circle)

local attacks = {
  index = function() while true do local x = chains.__index[asked] end end, --> index cpu
  newindex = function() --> newindex cpu
    while true do
      chains.__newindex[asked] = 1
      setmetatable({}, { __newindex = chains.__newindex })[asked] = 1
    end
  end,
  circle = function() while true do pcall(function() return circle[asked] end) end end, --> circle cpu
  first_use = function() local t = {} while true do t[most()] = nil end end, --> first_use cpu
  equal = function() while true do local same = stored == asked end end, --> equal cpu
  raw_equal = function() while true do rawequal(stored, asked) end end, --> raw_equal cpu
  zeros = function() local a, b = most("\0", "a"), most("\0", "b") while true do local less = a < b end end, --> zeros cpu
  sort = function() local a, b = most("\0", "a"), most("\0", "b") while true do table.sort { b, a, b, a } end end, --> sort cpu
  to_number = function() local s = most("1", "1") while true do tonumber(s) end end, --> to_number cpu
}
