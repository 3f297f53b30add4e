-- Nothing with code in it gets into `state`, by whatever way.
local function try(what, f)
  local ok, why = pcall(f)
  print(what, ok, (tostring(why):gsub("^chat.lua:%d+: ", "")))
end
try("function", function() state.f = function() end end)
--> function	false	state.f: functions cannot survive a reload
try("nested", function() state.t = { a = { b = print } } end)
--> nested	false	state.t.a.b: functions cannot survive a reload
try("library", function() state.s = string end)
--> library	false	state.s: tables with a metatable cannot survive a reload
try("itself", function() state.s = state end)
--> itself	false	state.s: tables with a metatable cannot survive a reload
try("environment", function() state.e = _ENV end)
--> environment	false	state.e: tables with a metatable cannot survive a reload
try("insert", function() table.insert(state, print) end)
--> insert	false	state[1]: functions cannot survive a reload
try("move", function() table.move({ print }, 1, 1, 1, state) end)
--> move	false	state[1]: functions cannot survive a reload
print(next(state))
--> nil
return {}
