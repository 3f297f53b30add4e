-- A file that loads cannot act: its version may yet be refused.
publish("room", "hello")
return {}
--> fault load v1 chat.lua:2 publish cannot be called while the file loads: this version may yet be refused
