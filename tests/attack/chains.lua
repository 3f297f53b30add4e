-- budget 200 ms, string 1310720 bytes
--
-- Tables that lead to one another, and in each several long strings in the place of the key that is
-- looked for, all nearly it: Lua goes through all bytes of all of them, in 2000 tables, within one
-- instruction.
local BASE = ("x"):rep(1310700)
local PLACES, ENOUGH = 8, 7

-- By place: what to put behind BASE.
local found, tried = {}, 10 -- two digits: what differs in length is not compared
for place = 0, PLACES - 1 do found[place] = {} end

-- Where a string is in a table with eight places, seen by the order in which `next` comes by. Lua
-- gives the whole numbers from 0 to 6 one each, and the last one to who finds a place taken.
local function place_of(text)
  local t = { [text] = 1, a = nil, b = nil, c = nil, d = nil, e = nil, f = nil, g = nil }
  for i = 0, 6 do t[i] = 1 end
  local place = 0
  for k in next, t do
    if k == text then return place end
    place = place + 1
  end
end

-- Some more; of 64 there are enough in one place.
local function find()
  for _ = 1, 16 do
    tried = tried + 1
    local list = found[place_of(BASE .. tried)]
    list[#list + 1] = tried
  end
end

local full, key

local function build()
  local most = {}
  for _, list in pairs(found) do
    if #list > #most then most = list end
  end
  assert(#most > ENOUGH)
  full = { nil, a = nil, b = nil, c = nil, d = nil, e = nil, f = nil, g = nil, h = nil }
  for i = 1, ENOUGH do full[BASE .. most[i]] = 1 end
  key = BASE .. most[ENOUGH + 1]
end

local function circle(event)
  local t = {}
  for k in pairs(full) do t[k] = 1 end
  return setmetatable(t, { [event] = t })
end

local reader, writer

local attacks = {
  find_1 = find, --> find_1 done
  find_2 = find, --> find_2 done
  find_3 = find, --> find_3 done
  find_4 = find, --> find_4 done
  build = build, --> build done
  reader = function() reader = circle("__index") end, --> reader done
  writer = function() writer = circle("__newindex") end, --> writer done
  index = function() local x = reader[key] end, --> index cpu
  index_again = function() local x = reader[key] end, --> index_again cpu
  index_caught = function() while true do pcall(function() return reader[key] end) end end, --> index_caught cpu
  newindex = function() writer[key] = 1 end, --> newindex cpu
  both = function() --> both cpu
    local t = setmetatable({}, { __index = reader, __newindex = writer })
    pcall(function() t[key] = t[key] end)
    t[key] = 1
  end,
  in_coroutine = function() coroutine.wrap(function() return reader[key] end)() end, --> in_coroutine cpu
  in_sort = function() table.sort({ 1, 2, 3 }, function() return reader[key] end) end, --> in_sort cpu
  rawget = function() while true do rawget(reader, key) end end, --> rawget cpu
  inherits = function() --> inherits done
    local Base = { name = "base" } Base.__index = Base
    local kept = {}
    assert(setmetatable({}, Base).name == "base" and ("x"):upper() == "X")
    setmetatable({}, { __newindex = kept }).x = 1
    assert(kept.x == 1)
    assert(not pcall(function() undeclared = 1 end))
    assert(not pcall(function() string.x = 1 end))
    assert(getmetatable(reader).__index == reader)
  end,
}
