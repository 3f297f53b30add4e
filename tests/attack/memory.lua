-- budget 20000 ms
--
-- Eating memory, in one piece or in many, caught or not: the call ends at the cap, and the next one has
-- its memory again.
local function for_ever(f, ...)
  while true do pcall(f, ...) end
end

local function among_garbage(f)
  for i = 1, 60 do
    local junk = ("x"):rep(i * 1e5)
    junk = nil
    f(("x"):rep(18e5))
  end
end

local attacks = {
  rep = function() return ("x"):rep(1e9) end, --> rep memory
  rep_with = function() return ("x"):rep(1e6, ("y"):rep(1e6)) end, --> rep_with error
  doubling = function() local s = "x" while true do s = s .. s end end, --> doubling memory
  list = function() local t = {} while true do t[#t + 1] = {} end end, --> list memory
  chain = function() local t = {} while true do t = { t } end end, --> chain memory
  concat = function() return table.concat({ ("x"):rep(6e6), ("y"):rep(6e6), ("z"):rep(6e6) }) end, --> concat memory
  gsub = function() return (("x"):rep(6e6):gsub("x", "yyyy")) end, --> gsub memory
  format = function() return string.format("%s%s%s", ("x"):rep(6e6), ("y"):rep(6e6), ("z"):rep(6e6)) end, --> format memory
  unpack = function() return { table.unpack({}, 1, 9e6) } end, --> unpack error
  closures = function() local t = {} for i = 1, 1e7 do t[i] = function() return i end end end, --> closures memory
  coroutines = function() local t = {} for i = 1, 1e7 do t[i] = coroutine.create(print) end end, --> coroutines memory
  encode = function() return json.encode({ ("x"):rep(6e6), ("x"):rep(6e6) }) end, --> encode memory
  decode = function() return json.decode("[" .. ("{},"):rep(1e6) .. "1]") end, --> decode memory
  decode_and_keep = function() --> decode_and_keep memory
    local text, t = "[" .. ("{},"):rep(1e4) .. "1]", {}
    while true do t[#t + 1] = json.decode(text) end
  end,
  encode_into_little = function() --> encode_into_little memory
    local t = { ("x"):rep(5e6), ("y"):rep(5e6), ("z"):rep(5e6) }
    while true do pcall(json.encode, { t, t, t }) end
  end,
  upvalues = function() --> upvalues memory
    local f = print
    while true do local g, h = f, {} f = function() return g, h end end
  end,
  strings_joined = function() --> strings_joined memory
    local t = {}
    for i = 1, 1e5 do t[i] = ("x"):rep(100) end
    while true do t[1] = table.concat(t) end
  end,
  timers_dropped = function() --> timers_dropped memory
    local t = {}
    for i = 1, 1e6 do t[i] = timer.after(60, print) timer.cancel(t[i]) end
  end,
  woken = function() --> woken memory
    local t = {}
    for i = 1, 1e6 do
      t[i] = coroutine.wrap(function() coroutine.yield() end)
      t[i]()
    end
  end,
  inside_each_other = function() --> inside_each_other memory
    local t = {}
    local function deeper(n)
      t[#t + 1] = ("x"):rep(2 ^ 18) .. n
      return coroutine.wrap(deeper)(n + 1)
    end
    return deeper(1)
  end,
  shown = function() local t = {} while true do t[#t + 1] = inspect(t) .. ("x"):rep(1e5) end end, --> shown memory
  message_of_an_error = function() --> message_of_an_error memory
    local t = {}
    while true do t[#t + 1] = select(2, pcall(error, ("x"):rep(1e5))) end
  end,
  trace = function() --> trace memory
    local t = {}
    while true do t[#t + 1] = tostring(t) .. #t end
  end,
  recursion = function() local function f() return 1 + f() end return f() end, --> recursion memory
  keys = function() local t = {} for i = 1, 1e7 do t["k" .. i] = i end end, --> keys memory
  state = function() state.t = {} for i = 1, 1e7 do state.t[i] = { i } end end, --> state memory
  free_state = function() state.t = nil end, --> free_state done

  -- Garbage is no reason to stop: what is needed is collected first, also for large buffers.
  reuse = function() --> reuse done
    for _ = 1, 50 do
      local s = ("x"):rep(3e6)
      local t = table.concat({ s, "y" })
      local u = s:upper():reverse()
    end
  end,

  -- The same, with so much garbage that it is in the way when a buffer grows.
  reuse_format = function() --> reuse_format done
    among_garbage(function(s) return ("%s%s%s"):format(s, s, s) end)
  end,
  reuse_quote = function() --> reuse_quote done
    among_garbage(function(s) return ("%q%q"):format(s, s) end)
  end,
  reuse_pack = function() --> reuse_pack done
    among_garbage(function(s) return ("s4zs4"):pack(s, s, s) end)
  end,
  reuse_zeros = function() --> reuse_zeros done
    among_garbage(function() return ("c5000000"):pack("") end)
  end,
  reuse_date = function() --> reuse_date done
    among_garbage(function(s) return os.date(s, 0) end)
  end,

  -- What a script does with the error makes no difference.
  caught = function() return pcall(string.rep, "x", 1e9) end, --> caught memory
  caught_twice = function() pcall(pcall, string.rep, "x", 1e9) end, --> caught_twice memory
  caught_for_ever = function() for_ever(string.rep, "x", 1e9) end, --> caught_for_ever memory
  lists_for_ever = function() --> lists_for_ever memory
    for_ever(function() local t = {} while true do t[#t + 1] = {} end end)
  end,
  handler = function() --> handler memory
    xpcall(string.rep, function() while true do end end, "x", 1e9)
    while true do end
  end,
  in_coroutine = function() --> in_coroutine memory
    local co = coroutine.create(function() string.rep("x", 1e9) end)
    coroutine.resume(co)
    coroutine.close(co)
  end,
  wrapped = function() --> wrapped memory
    for_ever(coroutine.wrap(function() string.rep("x", 1e9) end))
  end,
  closing = function() --> closing memory
    local c <close> = setmetatable({}, { __close = function() while true do end end })
    string.rep("x", 1e9)
  end,
  closing_where_it_stops = function() --> closing_where_it_stops memory
    local c <close> = setmetatable({}, { __close = function() while true do end end })
    local t = {}
    while true do t[#t + 1] = #t + 0.5 end
  end,
  sorting = function() --> sorting memory
    table.sort({ 1, 2, 3, 4 }, function() return #string.rep("x", 1e9) end)
  end,
  kept = {},
}

-- A table that fills up for good, a little with each call: the cap holds for what calls leave behind.
attacks.keep = function() --> keep memory
  while true do attacks.kept[#attacks.kept + 1] = { {} } end
end
attacks.drop = function() attacks.kept = nil end --> drop done
