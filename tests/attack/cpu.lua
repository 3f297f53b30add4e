-- budget 40 ms
--
-- Holding the worker: each way to loop without end, and each way to get on after having been stopped.
local function spin() while true do end end

local function with_close(f)
  return setmetatable({}, { __close = f })
end

local function meta(event, f)
  return setmetatable({}, { [event] = f or spin })
end

-- Is its own __call: Lua follows that for ever, within one instruction.
local function own_call()
  local t = {}
  return setmetatable(t, { __call = t })
end

-- So is the end of a chain of `n` others.
local function call_chain(n)
  local t = own_call()
  for _ = 1, n do t = setmetatable({}, { __call = t }) end
  return t
end

-- Room for 50 000 values: nothing has to be asked for on the way.
local function make_stack() return select("#", table.unpack({}, 1, 50000)) end

local kept

local attacks = {
  loop = function() while true do end end, --> loop cpu
  nested = function() while true do for i = 1, 10 do repeat until true end end end, --> nested cpu
  number_for = function() for i = 1, math.huge do end end, --> number_for cpu
  goto_loop = function() ::a:: goto a end, --> goto_loop cpu
  tail_calls = function() local function f() return f() end return f() end, --> tail_calls cpu
  two_functions = function() local f, g function f() return g() end function g() return f() end f() end, --> two_functions cpu
  fibonacci = function() local function f(n) return n < 2 and n or f(n - 1) + f(n - 2) end return f(60) end, --> fibonacci cpu
  pcall_loop = function() while true do pcall(spin) end end, --> pcall_loop cpu
  pcall_nested = function() local function f() while true do pcall(f) end end f() end, --> pcall_nested cpu
  pcall_of_pcall = function() while true do pcall(pcall, pcall, error) end end, --> pcall_of_pcall cpu
  pcall_error = function() while true do pcall(error, "x") end end, --> pcall_error cpu
  caught_return = function() return pcall(spin) end, --> caught_return cpu
  handler = function() xpcall(error, spin) end, --> handler cpu
  handler_after = function() xpcall(spin, spin) end, --> handler_after cpu
  handler_loop = function() while true do xpcall(spin, spin) end end, --> handler_loop cpu
  handler_recursive = function() --> handler_recursive cpu
    local function h() xpcall(error, h) end
    while true do xpcall(error, h) end
  end,
  coroutine_loop = function() coroutine.wrap(spin)() end, --> coroutine_loop cpu
  coroutine_resume = function() while true do coroutine.resume(coroutine.create(spin)) end end, --> coroutine_resume cpu
  coroutine_nested = function() --> coroutine_nested cpu
    local function deeper(n) if n == 0 then spin() end coroutine.wrap(deeper)(n - 1) end
    deeper(50)
  end,
  coroutine_many = function() while true do coroutine.wrap(function() coroutine.yield() end)() end end, --> coroutine_many cpu
  coroutine_yields = function() local f = coroutine.wrap(function() while true do coroutine.yield() end end) while true do f() end end, --> coroutine_yields cpu
  coroutine_catches = function() --> coroutine_catches cpu
    local f = coroutine.wrap(function() while true do pcall(spin) coroutine.yield() end end)
    while true do pcall(f) end
  end,
  close_where_it_stops = function() --> close_where_it_stops cpu
    local c <close> = with_close(spin)
    while true do end
  end,
  coroutine_close = function() --> coroutine_close cpu
    local co = coroutine.create(function() local c <close> = with_close(spin) coroutine.yield() end)
    coroutine.resume(co)
    coroutine.close(co)
  end,
  coroutine_dies = function() --> coroutine_dies cpu
    coroutine.wrap(function() local c <close> = with_close(spin) error("x") end)()
  end,
  -- The coroutine that was stopped has a __close left, which must not run in a later call either.
  keep_killed = function() --> keep_killed cpu
    kept = coroutine.create(function() local c <close> = with_close(spin) spin() end)
    coroutine.resume(kept)
  end,
  close_killed = function() --> close_killed done
    assert(coroutine.status(kept) == "dead")
    assert(select("#", coroutine.close(kept)) == 2)
    assert(not coroutine.resume(kept))
    assert(not pcall(coroutine.wrap(function() error(kept) end)))
  end,
  keep_running = function() kept = coroutine.running() spin() end, --> keep_running cpu
  use_running = function() --> use_running done
    assert(coroutine.status(kept) == "dead")
    assert(not coroutine.resume(kept))
    coroutine.close(kept)
  end,
  -- One that yielded in time is as good as before.
  keep_suspended = function() --> keep_suspended cpu
    kept = coroutine.create(function() while true do for i = 1, 1000 do end coroutine.yield("yielded") end end)
    while true do coroutine.resume(kept) end
  end,
  use_suspended = function() --> use_suspended done
    local fine, value = coroutine.resume(kept)
    assert(not fine or value == "yielded")
  end,
  close_after_stop = function() local c <close> = with_close(spin) spin() end, --> close_after_stop cpu
  close_of_many = function() --> close_of_many cpu
    local a <close> = with_close(spin)
    local b <close> = with_close(spin)
    local c <close> = with_close(function() pcall(spin) end)
    spin()
  end,
  close_in_pcall = function() --> close_in_pcall cpu
    while true do pcall(function() local c <close> = with_close(spin) spin() end) end
  end,
  close_after_error = function() local c <close> = with_close(spin) error("x") end, --> close_after_error cpu
  close_of_for = function() --> close_of_for cpu
    for _ in function() return 1 end, nil, nil, with_close(spin) do break end
  end,
  iterator = function() for _ in function() return 1 end do end end, --> iterator cpu
  iterator_pairs = function() for _ in pairs(setmetatable({}, { __pairs = function() return function() return 1 end end })) do end end, --> iterator_pairs cpu
  ipairs_index = function() for _ in ipairs(setmetatable({}, { __index = function() return 1 end })) do end end, --> ipairs_index cpu
  index = function() return meta("__index").x end, --> index cpu
  newindex = function() meta("__newindex").x = 1 end, --> newindex cpu
  call = function() meta("__call")() end, --> call cpu
  add = function() return meta("__add") + 1 end, --> add cpu
  concat = function() return meta("__concat") .. "" end, --> concat cpu
  len = function() return #meta("__len") end, --> len cpu
  eq = function() return meta("__eq") == meta("__eq") end, --> eq cpu
  lt = function() return meta("__lt") < meta("__lt") end, --> lt cpu
  unm = function() return -meta("__unm") end, --> unm cpu
  tostring_loop = function() return tostring(meta("__tostring")) end, --> tostring_loop cpu
  tostring_caught = function() while true do pcall(tostring, meta("__tostring")) end end, --> tostring_caught cpu
  print_loop = function() print(meta("__tostring")) end, --> print_loop cpu
  log_loop = function() log.info("x", { a = meta("__tostring") }) spin() end, --> log_loop cpu
  sort_function = function() table.sort({ 3, 2, 1 }, spin) end, --> sort_function cpu
  sort_caught = function() while true do pcall(table.sort, { 3, 2, 1 }, spin) end end, --> sort_caught cpu
  gsub_function = function() return (("x"):gsub("x", spin)) end, --> gsub_function cpu
  gsub_caught = function() while true do pcall(string.gsub, "x", "x", spin) end end, --> gsub_caught cpu
  pattern = function() return ("a"):rep(60):find(("a?"):rep(60) .. ("a"):rep(61)) end, --> pattern cpu
  pattern_caught = function() while true do pcall(string.match, ("a"):rep(1e4), ".-.-.-.-.-b") end end, --> pattern_caught cpu
  pattern_balance = function() return (("("):rep(4e6):gsub("%b()", "")) end, --> pattern_balance cpu
  pattern_iterator = function() for _ in ("a"):rep(4e6):gmatch(".-b") do end end, --> pattern_iterator cpu
  pattern_wrapped = function() coroutine.wrap(string.find)(("a"):rep(200), ("a*"):rep(60) .. "b") end, --> pattern_wrapped cpu
  plain_find = function() local s = ("a"):rep(4e6) while true do s:find(s .. "b", 1, true) s:find("b", 1, true) end end, --> plain_find cpu
  garbage = function() while true do local t = { {}, {}, "x" .. #tostring({}) } end end, --> garbage cpu
  strings = function() local s = ("x"):rep(1e6) while true do local t = s .. s end end, --> strings cpu
  compare = function() local a, b = ("x"):rep(3e6) .. "a", ("x"):rep(3e6) .. "b" while true do local t = a < b end end, --> compare cpu
  long_keys = function() local t = {} local s = ("x"):rep(1e6) while true do t[s .. "y"] = nil end end, --> long_keys cpu
  own_call = function() own_call()() end, --> own_call cpu
  own_call_tail = function() return own_call()() end, --> own_call_tail cpu
  own_call_arguments = function() own_call()(table.unpack({}, 1, 200)) end, --> own_call_arguments cpu
  own_call_room = function() make_stack() own_call()() end, --> own_call_room cpu
  own_call_caught = function() while true do pcall(own_call()) end end, --> own_call_caught cpu
  own_call_caught_inside = function() while true do pcall(function() own_call()() end) end end, --> own_call_caught_inside cpu
  own_call_handler = function() xpcall(own_call(), spin) spin() end, --> own_call_handler cpu
  own_call_set_later = function() --> own_call_set_later cpu
    local m = {}
    local t = setmetatable({}, m)
    m.__call = t
    t()
  end,
  own_metatable = function() --> own_metatable cpu
    local t = {}
    t.__call = t
    setmetatable(t, t)()
  end,
  own_call_of_two = function() --> own_call_of_two cpu
    local a, b = {}, {}
    setmetatable(a, { __call = b })
    setmetatable(b, { __call = a })
    a()
  end,
  call_chain = function() call_chain(20000)() end, --> call_chain cpu
  own_call_coroutine = function() coroutine.wrap(function() own_call()() end)() end, --> own_call_coroutine cpu
  own_call_coroutines = function() while true do pcall(coroutine.wrap(function() make_stack() own_call()() end)) end end, --> own_call_coroutines cpu
  own_call_close = function() local c <close> = with_close(own_call()) end, --> own_call_close cpu
  own_call_close_after_error = function() local c <close> = with_close(own_call()) error("x") end, --> own_call_close_after_error cpu
  own_call_close_after_stop = function() local c <close> = with_close(own_call()) spin() end, --> own_call_close_after_stop cpu
  own_call_iterator = function() for _ in own_call() do end end, --> own_call_iterator cpu
  own_call_index = function() return meta("__index", setmetatable({}, { __index = function() own_call()() end })).x end, --> own_call_index cpu
  own_call_add = function() return meta("__add", own_call()) + 1 end, --> own_call_add cpu
  own_call_eq = function() return meta("__eq", own_call()) == meta("__eq") end, --> own_call_eq cpu
  own_call_concat = function() return meta("__concat", own_call()) .. "" end, --> own_call_concat cpu
  own_call_len = function() return #meta("__len", own_call()) end, --> own_call_len cpu
  own_call_pairs = function() for _ in pairs(meta("__pairs", own_call())) do end end, --> own_call_pairs cpu
  own_call_tostring = function() while true do pcall(tostring, meta("__tostring", own_call())) end end, --> own_call_tostring cpu
  own_call_print = function() print(meta("__tostring", own_call())) spin() end, --> own_call_print cpu
  -- Only while a call is being stopped can no table be called.
  callable_after = function() --> callable_after done
    local f = setmetatable({}, { __call = function(_, a, b) return a + b end })
    assert(f(1, 2) == 3 and select(2, pcall(f, 1, 2)) == 3)
    local chain = setmetatable({}, { __call = setmetatable({}, { __call = function(_, _, x) return x end }) })
    assert(chain(5) == 5)
  end,
  asks = function(conn) while true do conn:topics() end end, --> asks cpu
}
