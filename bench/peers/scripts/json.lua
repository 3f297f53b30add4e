local M = { format = "json" }

function M.on_message(conn, data)
  conn:send(data)
end

return M
