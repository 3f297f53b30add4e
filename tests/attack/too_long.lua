-- budget 20000 ms, string 1310720 bytes
--
-- Strings that are longer than any may be: none can be had, whatever makes it and whoever catches
-- errors; what came before is whole.
local MOST = 1310720

local function most()
  return ("x"):rep(MOST)
end

local stored, kept = most(), nil

local attacks = {
  -- The longest one, in all ways to make it, and to be rid of it.
  at_most = function() --> at_most done
    for _ = 1, 3 do
      local half = ("x"):rep(MOST // 2)
      assert(#most() == MOST and #(half .. half) == MOST and #table.concat { half, half } == MOST)
      assert(#json.encode(half .. half:sub(3)) == MOST and #string.format("%s%s", half, half) == MOST)
      assert(#most():upper() == MOST and #most():gsub("x", "y", 9) == MOST)
    end
  end,

  joined = function() kept = stored .. "x" end, --> joined memory
  not_kept = function() assert(kept == nil) end, --> not_kept done
  joined_caught = function() pcall(function() kept = stored .. stored end) kept = 1 end, --> joined_caught memory
  not_caught = function() assert(kept == nil) end, --> not_caught done
  joined_for_ever = function() while true do pcall(function() return stored .. stored end) end end, --> joined_for_ever memory
  joined_many = function() local s = stored return s .. s .. s .. s .. s .. s .. s .. s end, --> joined_many memory
  joined_by_metamethod = function() --> joined_by_metamethod memory
    return setmetatable({}, { __concat = function(_, s) kept = s end }) .. stored .. "x"
  end,
  not_given = function() assert(kept == nil) end, --> not_given done
  handler = function() xpcall(function() return stored .. "x" end, function() kept = 1 end) end, --> handler memory
  coroutine = function() coroutine.wrap(function() return stored .. "x" end)() kept = 1 end, --> coroutine memory
  rep = function() pcall(string.rep, "x", MOST + 1) kept = 1 end, --> rep memory
  rep_much = function() pcall(string.rep, "x", 1e9) kept = 1 end, --> rep_much memory
  concat = function() pcall(table.concat, { stored, "x" }) kept = 1 end, --> concat memory
  format = function() pcall(string.format, "%s%s", stored, "x") kept = 1 end, --> format memory
  pack = function() pcall(string.pack, "s", stored) kept = 1 end, --> pack memory
  gsub = function() pcall(string.gsub, stored, "x", "yy") kept = 1 end, --> gsub memory
  encode = function() pcall(json.encode, { stored }) kept = 1 end, --> encode memory
  shown = function() inspect { stored, stored } end, --> shown done
  described = function() pcall(tostring, setmetatable({}, { __tostring = function() return stored .. "x" end })) kept = 1 end, --> described memory
  name = function() pcall(tostring, setmetatable({}, { __name = stored })) kept = 1 end, --> name memory
  message = function() pcall(error, stored .. "x") kept = 1 end, --> message memory
  never = function() assert(kept == nil) end, --> never done
}
