-- Whatever a handler raises is reported once, and the next call is not disturbed.
local values = {
  function() error() end,
  function() error({ code = 1, list = { 2 } }) end,
  function() error(setmetatable({}, { __tostring = function() while true do end end })) end,
}
local n = 0
return {
  on_message = function(conn)
    n = n + 1
    local pending <close> = setmetatable({}, { __close = function(_, why) print("closing", type(why)) end })
    values[n]()
  end,
}
--> fault on_message v1 chat.lua:3 error value nil
--> closing	nil
--> fault on_message v1 chat.lua:4 error value { code = 1, list = { 2 } }
--> closing	table
--> fault on_message v1 chat.lua:5 error value {}
--> closing	table
