-- What a handler does while the thing it does it to is being walked, rung or closed.
local rounds = 0
return {
  on_open = function(conn)
    for _, topic in ipairs { "a", "b", "c" } do conn:subscribe(topic) end
  end,
  on_message = function(conn, data)
    rounds = rounds + 1
    if rounds == 1 then
      for _, topic in ipairs(conn:topics()) do print(topic, conn:unsubscribe(topic), #conn:topics()) end
      local again
      again = timer.every("again", 0.001, function()
        print("rings", timer.cancel(again), timer.cancel(again), timer.cancel("again"))
        timer.every("again", 60, function() end)
      end)
      timer.after(0.002, function() print("after", timer.cancel("again")) end)
    elseif rounds == 2 then
      for other in connections() do print(other == conn, other:close(), other:close(), other.state) end
      for other in connections() do print("still", other.state, other:send("x")) end
    end
  end,
  on_close = function(conn)
    print("close", conn:close(), conn:send("x"))
    print(conn.state, connection(conn.id) == conn)
  end,
}
--> subscribe 1 a
--> subscribe 1 b
--> subscribe 1 c
--> unsubscribe 1 a
--> a	true	2
--> unsubscribe 1 b
--> b	true	1
--> unsubscribe 1 c
--> c	true	0
--> close 1 1000 
--> true	true	nil	closing
--> still	closing	nil	closed
--> rings	true	false	false
--> after	true
--> close	nil	nil	closed
--> closed	true
