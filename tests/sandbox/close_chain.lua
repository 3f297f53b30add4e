-- A coroutine whose __close closes the next one, and so on: each nests in C. Lua 5.4.4 does not count
-- that and runs out of stack.
local function chain(length)
  local first
  for _ = 1, length do
    local before = first
    first = coroutine.create(function()
      local guard <close> = setmetatable({}, { __close = function()
        if before then assert(coroutine.close(before)) end
      end })
      coroutine.yield()
    end)
    coroutine.resume(first)
  end
  return first
end

print(coroutine.close(chain(20)))
--> true
local ok, why = coroutine.close(chain(3000))
print(ok, tostring(why):match("C stack overflow") or why)
--> false	C stack overflow
return {}
