-- A file that loads cannot wait, not in a coroutine either.
print(pcall(coroutine.wrap(function() sleep(1) end)))
sleep(1)
return {}
--> false	chat.lua:2: sleep cannot wait while the file loads
--> fault load v1 chat.lua:3 sleep cannot wait while the file loads
