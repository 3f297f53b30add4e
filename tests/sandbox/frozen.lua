-- The tables of the libraries are the same for all versions of a script, so nobody can change them.
local function try(what, f, ...)
  local ok, why = pcall(f, ...)
  print(what, ok, (tostring(why):gsub("^chat.lua:%d+: ", "")))
end

try("assign", function() string.format = print end)
--> assign	false	'format' cannot be set: this table belongs to the server
try("add", function() math.mine = 1 end)
--> add	false	'mine' cannot be set: this table belongs to the server
try("rawset", rawset, table, "insert", print)
--> rawset	false	'insert' cannot be set: this table belongs to the server
try("rawset state", rawset, state, "x", print)
--> rawset state	false	'x' cannot be set: this table belongs to the server
try("rawset _G", rawset, _G, "x", 1)
--> rawset _G	false	'x' cannot be set: this table belongs to the server
try("rawset _ENV", rawset, _ENV, "x", 1)
--> rawset _ENV	false	'x' cannot be set: this table belongs to the server
try("table.insert", table.insert, json, 1)
--> table.insert	false	'1' cannot be set: this table belongs to the server
try("table.move", table.move, { 1, 2 }, 1, 2, 1, log)
--> table.move	false	'1' cannot be set: this table belongs to the server
try("setmetatable", setmetatable, string, {})
--> setmetatable	false	cannot change a protected metatable
try("setmetatable _G", setmetatable, _G, {})
--> setmetatable _G	false	cannot change a protected metatable
print(getmetatable(string), getmetatable(_G), getmetatable(_ENV), getmetatable(state), getmetatable(json.array {}))
--> false	false	false	false	false

-- pairs and next show the fields, and never the table behind.
local iterate, given, first = pairs(string)
print(given == string, first, type(iterate), next(string) ~= nil)
--> true	nil	function	true
local found = false
for name, f in pairs(string) do found = found or (name == "format" and f == string.format) end
print(found, #string, rawlen(string), rawget(string, "format") == string.format)
--> true	0	0	true
print(iterate == next, pcall(iterate, string, "no such name"))
--> true	false	invalid key to 'next'
print(rawget(_ENV, "print") == print, rawget(_G, "x"), rawget(string, "x"))
--> true	nil	nil

-- The metatable of strings.
print(getmetatable(""))
--> false
try("string method", function() ("").mine = print end)
--> string method	false	attempt to index a string value (constant '')
try("string arithmetic", function() return "10" + 1 end)
--> string arithmetic	true	11

-- Globals.
try("global", function() x = 1 end)
--> global	false	global 'x' is not declared
try("builtin", function() print = nil end)
--> builtin	false	global 'print' is not declared
try("_G.x", function() _G.x = 1 end)
--> _G.x	false	global 'x' is not declared
try("_G", function() _G = {} end)
--> _G	false	global '_G' is not declared
try("undefined", function() return undefined end)
--> undefined	true	nil
return {}
