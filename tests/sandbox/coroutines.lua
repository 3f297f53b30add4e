-- The coroutine that runs a handler is the server's: it cannot be resumed, closed or left.
local mine
local n = 0
return {
  on_message = function(conn)
    n = n + 1
    if n == 1 then
      mine = coroutine.running()
      print(pcall(coroutine.yield))
--> false	attempt to yield from outside a coroutine
      print(pcall(coroutine.close, mine))
--> false	cannot close a running coroutine
      print(coroutine.resume(mine))
--> false	cannot resume non-suspended coroutine
      print(pcall(coroutine.wrap(function() return coroutine.resume(mine) end)))
--> true	false	cannot resume non-suspended coroutine
      print(pcall(coroutine.wrap(function() coroutine.close(mine) end)))
--> false	chat.lua:17: cannot close a normal coroutine
      sleep(0.005)
      print("woken")
    elseif n == 2 then -- it waits
      print(coroutine.status(mine), coroutine.resume(mine))
--> normal	false	cannot resume non-suspended coroutine
      print(pcall(coroutine.close, mine))
--> false	cannot close a normal coroutine
      local co = coroutine.create(function()
        local x <close> = setmetatable({}, { __close = function() sleep(1) end })
        coroutine.yield()
      end)
      coroutine.resume(co)
      print((select(2, coroutine.close(co)):gsub("^chat.lua:%d+: ", "")))
--> sleep cannot wait here: a function like table.sort, string.gsub or require is in between
    end
  end,
}
--> woken
--> finished 1 message
