-- Tricks with metatables against what belongs to the server.
local function try(what, f, ...)
  local ok, why = pcall(f, ...)
  why = type(why) == "table" and "TABLE" or tostring(why)
  print(what, ok, (why:gsub("^chat.lua:%d+: ", "")))
end

-- A view as a metatable is an empty one: nothing of it becomes a metamethod.
local t = setmetatable({}, string)
print(t.format, getmetatable(t) == string, pcall(function() return t + 1 end))
--> nil	true	false	chat.lua:10: attempt to perform arithmetic on a table value (upvalue 't')

-- Through __index and __newindex of a table in front.
local front = setmetatable({}, { __index = string, __newindex = string })
try("front", function() front.format = print end)
--> front	false	'format' cannot be set: this table belongs to the server
front = setmetatable({}, { __newindex = _G })
try("front of _G", function() front.print = print end)
--> front of _G	false	global 'print' is not declared
print(front.format == nil, rawget(setmetatable({}, { __index = string }), "format"))
--> true	nil

-- The name of a type is for messages; it opens nothing, and neither does a text for a key.
local fake = setmetatable({}, { __name = "conn", __index = function() return 1 end })
try("fake timer", timer.cancel, fake)
--> fake timer	false	bad argument #1 to 'timer.cancel' (name or timer expected, got conn)
try("fake key", rawset, string, setmetatable({}, { __tostring = function() print("ran") return "x" end }), 1)
--> fake key	false	'table' cannot be set: this table belongs to the server
try("fake global", function() _ENV[setmetatable({}, { __tostring = function() print("ran") return "x" end })] = 1 end)
--> fake global	false	global variables cannot be set

-- One's own __metatable protects one's own; __gc that comes later never runs.
local mine = setmetatable({}, { __metatable = "keep out" })
print(getmetatable(mine))
--> keep out
try("mine", setmetatable, mine, {})
--> mine	false	cannot change a protected metatable
local late = {}
do
  local x = setmetatable({}, late)
  late.__gc = function() print("finalizer ran") end
  x = nil
end
for _ = 1, 50 do local s = ("x"):rep(400000) end
try("late __gc", setmetatable, {}, late)
--> late __gc	false	a metatable with __gc is not allowed
try("inherited __gc", setmetatable, {}, setmetatable({}, { __index = { __gc = print } }))
--> inherited __gc	true	TABLE

-- The environment is the chunk's own; another one does not open what is behind it.
local function bare() local _ENV = {} return print, x end
print(bare())
--> nil	nil
try("_ENV", function() local _ENV = setmetatable({}, { __index = _ENV }) x = 1 return x end)
--> _ENV	true	1
print(x)
--> nil
return {}
