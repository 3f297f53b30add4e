-- No code of a script runs where the server does not expect it: no finalizers, no say in collections.
local function try(what, f, ...)
  local ok, why = pcall(f, ...)
  print(what, ok, (tostring(why):gsub("^chat.lua:%d+: ", "")))
end

local function cry() print("finalized") end

try("__gc", setmetatable, {}, { __gc = cry })
--> __gc	false	a metatable with __gc is not allowed
try("__gc = true", setmetatable, {}, { __gc = true })
--> __gc = true	false	a metatable with __gc is not allowed
local meta = {}
local t = setmetatable({}, meta)
meta.__gc = cry -- too late for Lua: the mark is made by setmetatable
try("again", setmetatable, t, meta)
--> again	false	a metatable with __gc is not allowed
local inherited = setmetatable({}, { __index = { __gc = cry } })
setmetatable({}, inherited)
for i = 1, 20000 do local _ = { i } end -- make the collector run

for _, option in ipairs { "collect", "stop", "restart", "step", "isrunning", "generational", "incremental", "setpause" } do
  if pcall(collectgarbage, option) then print("collectgarbage", option) end
end
try("no option", collectgarbage)
--> no option	false	only collectgarbage("count") is allowed: the server collects by itself
print(type(collectgarbage("count")), collectgarbage("count") > 10)
--> number	true

do
  local closing <close> = setmetatable({}, { __close = function() print("closed") end })
end
--> closed
return {}
