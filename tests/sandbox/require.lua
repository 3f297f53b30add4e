-- Nothing outside of lib/ is found, however it is spelled.
for _, name in ipairs { "../chat", "..", ".", "/etc/passwd", "lib/../../x", "a//b", "a\\b", "a\0b", "", " a", "a ",
                        "a.lua.", "%2e%2e/x", "C:x", "socket", "ffi", "io", "string" } do
  local ok, why = pcall(require, name)
  if ok then print(name, "was found") end
end
print(pcall(require, "../secret"))
--> false	'../secret' is no name of a library: require "rooms" finds lib/rooms.lua, and nothing outside of lib is found
print(pcall(require))
--> false	bad argument #1 to 'require' (string expected, got no value)
return {}
