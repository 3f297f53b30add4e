-- Eating memory in one piece or many ends at the cap, and the next call has its memory again.
local eaters = {
  function() return ("x"):rep(1e9) end,
  function() return ("x"):rep(1e6, ("y"):rep(1e6)) end,
  function() local s = "x" while true do s = s .. s end end,
  function() local t = {} while true do t[#t + 1] = {} end end,
  function() local t = {} while true do t = { t } end end,
  function() return table.concat({ ("x"):rep(3e6), ("y"):rep(3e6), ("z"):rep(3e6) }) end,
  function() return (("x"):rep(3e6):gsub("x", "yyyy")) end,
  function() return string.format("%s%s%s", ("x"):rep(3e6), ("y"):rep(3e6), ("z"):rep(3e6)) end,
  function() return { table.unpack({}, 1, 9e5) } end,
  function() local t = {} for i = 1, 1e7 do t[i] = function() return i end end end,
  function() local t = {} for i = 1, 1e7 do t[i] = coroutine.create(print) end end,
  function() return json.encode({ ("x"):rep(3e6), ("x"):rep(3e6) }) end,
  function() return json.decode("[" .. ("{},"):rep(5e5) .. "1]") end,
  function() local function f() return 1 + f() end return f() end,
  function() return utf8.char(table.unpack((function() local t = {} for i = 1, 2e5 do t[i] = 0x10FFFF end
    while #t < 1e6 do t[#t + 1] = 65 end return t end)())) end,
}

return {
  on_message = function(conn)
    for i, eat in ipairs(eaters) do
      local ok, why = pcall(eat)
      if ok then print(i, "fits?") end
    end
    print(collectgarbage("count") < 9000)
    local t = {}
    while true do t[#t + 1] = ("x"):rep(1000) .. #t end -- not caught: a fault, and the call is over
  end,
  on_close = function() print("still here") end,
}
--> true
--> fault on_message v1 chat.lua:29 not enough memory: the script holds 8.0 MiB of its 8.0 MiB
--> true
--> fault on_message v1 chat.lua:29 not enough memory: the script holds 8.0 MiB of its 8.0 MiB
--> true
--> fault on_message v1 chat.lua:29 not enough memory: the script holds 8.0 MiB of its 8.0 MiB
--> still here
