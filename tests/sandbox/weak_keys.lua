-- 20 000 weak keys that refer to each other in random order would hold the collector for two
-- seconds, in one step: it visits the table again for each key that it finds.
local keys, order, held = {}, {}, nil
local late = {}
for i = 1, 20000 do keys[i] = {} end
for i = #keys, 2, -1 do
  local j = math.random(i)
  keys[i], keys[j] = keys[j], keys[i]
end
held = setmetatable({}, late)
for i = 1, #keys do held[keys[i]] = keys[i + 1] or true end
local root = keys[1]
keys = nil

print(pcall(setmetatable, {}, { __mode = "k" }))
--> false	a table with weak keys alone is not allowed: __mode is "v" or "kv"; what belongs to a connection goes into conn.data

-- Behind the back of setmetatable, in every way that sets a field.
late.__mode = "k"
rawset(late, "__mode", "k")
table.move({ "k" }, 1, 1, 1, setmetatable({}, { __newindex = function(_, _, v) late["__" .. "mode"] = v end }))
print(late.__mode, getmetatable(held) == late)
--> k	true
for _ = 1, 40 do root = { root, ("x"):rep(400000) } root = root[1] end
local count = 0
for _ in pairs(held) do count = count + 1 end
print(count)
--> 20000
return {}
