-- What Lua's own `table` lacks.
local tables = {}

-- How many keys a table has; `#` only counts lists.
function tables.count(t)
  local count = 0
  for _ in pairs(t) do count = count + 1 end
  return count
end

return tables
