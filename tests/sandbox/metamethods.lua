-- Functions of the server never run a script's metamethods by accident, and survive those that Lua itself runs.
local function try(what, f, ...)
  local ok, why = pcall(f, ...)
  if type(why) == "table" then why = "a table" end
  print(what, ok, (tostring(why):gsub("^chat.lua:%d+: ", "")))
end

local function bad() error("was called", 0) end
local hostile = setmetatable({ 1, 2, key = "value" }, {
  __index = bad, __newindex = bad, __pairs = bad, __len = bad, __eq = bad, __lt = bad, __concat = bad, __call = bad,
  __tostring = bad, __name = "hostile", __metatable = bad,
})

print(inspect(hostile))
--> { 1, 2, key = "value" }
try("json", json.encode, hostile)
--> json	false	json: key is neither in a list without holes nor in an object whose keys are strings
try("state", function() state.x = hostile end)
--> state	false	state.x: tables with a metatable cannot survive a reload
try("array", json.array, hostile)
--> array	false	this table cannot be marked: its metatable is protected
log.info("fields", hostile)
--> fields 1=1 2=2 key="value"
try("print", print, hostile)
--> print	false	was called
try("tostring", tostring, setmetatable({}, { __tostring = function() return {} end }))
--> tostring	false	'__tostring' must return a string
try("error", error, hostile)
--> error	false	a table
try("loop", function() local t = {} setmetatable(t, { __index = t }) return t.x end)
--> loop	false	'__index' chain too long; possible loop
local long = {}
for i = 1, 100 do long[i] = i * 7 % 101 end
try("sort", table.sort, long, function() return true end)
--> sort	false	invalid order function for sorting
try("deep pcall", function() local function f() return pcall(f) end return f() end)
--> deep pcall	true	true
try("close", function()
  local a <close> = setmetatable({}, { __close = function() error("in close", 0) end })
  error("first", 0)
end)
--> close	false	in close

return setmetatable({}, { __index = bad, __pairs = bad })
