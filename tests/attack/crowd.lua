-- budget 200 ms
--
-- Keys that come into one place of a table when it grows, which Lua does within one instruction.
-- Those of the same distance as the places less one do; a client can send them one by one.
local t, u

-- As many as fit into `places`; they share a place where the table has 2 * `places`.
local function fill(places, key)
  local keys = {}
  for i = 1, places do keys[key(i, 2 * places - 1)] = true end
  return keys
end

local function multiple(i, distance) return i * distance end
local function negative(i, distance) return -i * distance end

-- What counts of a float is the first 31 bits of it, and its exponent.
local function float(i, distance) return (2 ^ 30 + i * distance) / 2 ^ 31 end

local function grow(keys) keys[-5] = 1 end

local attacks = {
  build = function() t = fill(2 ^ 15 // 1 | 0, multiple) end, --> build done
  grow = function() grow(t) end, --> grow cpu
  again = function() grow(t) end, --> again cpu
  caught = function() while true do pcall(grow, t) end end, --> caught cpu
  in_coroutine = function() --> in_coroutine cpu
    while true do coroutine.wrap(function() pcall(grow, t) end)() end
  end,
  raw = function() while true do pcall(rawset, t, -5, 1) end end, --> raw cpu
  other = function() --> other done
    u = {}
    for i = 1, 2000 do u[i * 1000] = i end
  end,
  whole = function() --> whole done
    local n, m = 0, 2 ^ 16 // 1 - 1
    for k in pairs(t) do n = n + 1 assert(k % m == 0) end
    assert(n == 32768 and t[m | 0] and not t[-5])
  end,
  shrinks = function() --> shrinks done
    for i = 1, 32768 - 4000 do t[i * 65535] = nil end
    grow(t)
    assert(t[-5] == 1 and t[32768 * 65535])
  end,
  garbage = function() --> garbage done
    t = fill(2 ^ 15 // 1 | 0, multiple)
    t = nil
    u = {}
    for i = 1, 40000 do u["k" .. i] = i end
    u = nil
  end,
  build_negative = function() t = fill(2 ^ 15 // 1 | 0, negative) end, --> build_negative done
  grow_negative = function() grow(t) end, --> grow_negative cpu
  build_float = function() t = fill(2 ^ 14 // 1 | 0, float) end, --> build_float done
  grow_float = function() grow(t) end, --> grow_float cpu
  small = function() t = fill(2 ^ 12 // 1 | 0, multiple) grow(t) end, --> small done
}
