-- A coroutine that Lua refuses to resume, because C is too deep already, stays as it was.
local kept = {}
local function handler(err)
  for i = 1, 3 do
    local f = coroutine.wrap(function(...) return "ran", ... end)
    kept[i] = { f, pcall(f) }
  end
  return err
end
local function deep()
  return (string.gsub("x", "x", deep))
end
local n = 0
return {
  on_message = function()
    n = n + 1
    if n > 1 then return end
    xpcall(deep, handler)
    local refused, sound = 0, 0
    for _, entry in ipairs(kept) do
      if not entry[2] and tostring(entry[3]):find("C stack overflow", 1, true) then refused = refused + 1 end
      local ok, what = pcall(entry[1], 1)
      if not ok or what == "ran" then sound = sound + 1 end
    end
    print(#kept, refused, sound)
--> 3	3	3
  end,
}
