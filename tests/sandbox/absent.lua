-- What is not on the list is not there.
for _, name in ipairs { "io", "debug", "package", "dofile", "loadfile", "load", "loadstring", "module", "unpack",
                        "setfenv", "getfenv", "newproxy", "warn", "arg", "jit", "bit32", "ffi", "kv", "http" } do
  if _G[name] ~= nil then print(name, "is there") end
end
print(string.dump, math.pow, table.getn, os.exit, os.execute, os.getenv)
--> nil	nil	nil	nil	nil	nil
print(os.remove, os.rename, os.tmpname, os.setlocale, ("x").dump)
--> nil	nil	nil	nil	nil

local names = {}
for name in pairs(_G) do names[#names + 1] = name end
table.sort(names)
print(table.concat(names, " "))
--> _G _VERSION assert codes collectgarbage connection connections coroutine error getmetatable inspect ipairs json log math members monotonic next now os pairs pcall print publish rawequal rawget rawlen rawset require select setmetatable sleep state string table timer tonumber tostring type utf8 xpcall
return {}
