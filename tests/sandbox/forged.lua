-- Methods work on a real connection only, and say what they were given.
local function try(what, f, ...)
  local ok, why = pcall(f, ...)
  print(what, ok, (tostring(why):gsub("^chat.lua:%d+: ", "")))
end

local rounds = 0
return {
  on_message = function(conn)
    rounds = rounds + 1
    if rounds > 1 then return end
    local send = conn.send
    try("table", send, {}, "x")
--> table	false	conn.send called without its connection
    try("copy", send, setmetatable({ id = conn.id }, { __index = conn }), "x")
--> copy	false	conn.send called without its connection
    try("timer", send, timer.after(0, function() end), "x")
--> timer	false	conn.send called without its connection
    try("null", send, json.null, "x")
--> null	false	conn.send called without its connection
    try("nothing", send)
--> nothing	false	conn.send called without its connection
    try("coroutine", send, coroutine.running(), "x")
--> coroutine	false	conn.send called without its connection
    try("cancel", timer.cancel, conn)
--> cancel	false	bad argument #1 to 'timer.cancel' (name or timer expected, got conn)
    print(getmetatable(conn), getmetatable(timer.after(0, function() end)), getmetatable(json.null))
--> false	false	false
    try("setmetatable", setmetatable, conn, {})
--> setmetatable	false	bad argument #1 to 'setmetatable' (table expected, got conn)
    try("rawset", rawset, conn, "id", "2")
--> rawset	false	bad argument #1 to 'rawset' (table expected, got conn)
    try("rawget", rawget, conn, "data")
--> rawget	false	bad argument #1 to 'rawget' (table expected, got conn)
    try("next", next, conn)
--> next	false	bad argument #1 to 'next' (table expected, got conn)
    try("length", function() return #conn end)
--> length	false	attempt to get length of a conn value (upvalue 'conn')
    try("call", function() return conn() end)
--> call	false	attempt to call a conn value (upvalue 'conn')
    try("id", function() conn.id = "2" end)
--> id	false	conn.id cannot be set: keep your own values in conn.data
    try("method", function() conn.send = print end)
--> method	false	conn.send cannot be set: keep your own values in conn.data
    try("hostile key", function() conn[setmetatable({}, { __tostring = function() error("ran", 0) end })] = 1 end)
--> hostile key	false	conn.table cannot be set: keep your own values in conn.data
    try("hostile data", function() conn.data = setmetatable({}, { __index = error, __newindex = error }) end)
--> hostile data	true	nil
    print(connection("1") == conn, connection("01") == conn, connection("ffffffffffffffff"), connection(("f"):rep(17)))
--> true	true	nil	nil
    conn.data = { back = conn } -- a circle through the object is the collector's business
  end,
}
