local M = {}

function M.on_open(conn)
  conn:subscribe("all")
end

function M.on_message(conn, data)
  conn:publish("all", data)
end

return M
