-- Nothing that a script can print tells where in memory the process is: an address of this machine
-- begins with two zero bytes, and what stands instead of it has 16 random digits.
local function shows_address(text)
  for digits in tostring(text):gmatch("0x(%x+)") do
    if #digits ~= 16 or digits:sub(1, 4) == "0000" then return true end
  end
  return false
end

local objects = { {}, print, function() end, coroutine.create(print), string, _G, state,
  setmetatable({}, { __name = "Mine" }) }
local found = 0
for i = 1, #objects do
  for _, text in ipairs {
    tostring(objects[i]), string.format("%s", objects[i]), string.format("%p", objects[i]), inspect(objects[i]),
    select(2, pcall(error, objects[i])), select(2, pcall(function() return objects[i] + 1 end)),
    select(2, pcall(function() return objects[i] < objects[i] end)),
    select(2, pcall(function() return objects[i] .. "" end)), select(2, pcall(string.rep, objects[i])),
    select(2, pcall(setmetatable, objects[i], 1)), select(2, pcall(json.encode, objects[i])),
  } do
    if shows_address(text) then found = found + 1 print(text) end
  end
end
print(found)
--> 0

-- Lua's math.randomseed() returns the address of its state.
local first, second = math.randomseed()
print(math.type(first), math.type(second))
--> integer	integer
math.randomseed(5)
local a = math.random(1000000)
math.randomseed(5)
print(a == math.random(1000000))
--> true
return {}
