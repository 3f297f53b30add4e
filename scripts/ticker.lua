-- Prices that nobody pays, from named timers, at /ticker. Messages are JSON objects that say their
-- `type`:
--
--   from a browser    follow    symbol
--                     unfollow  symbol
--   to a browser      symbols   symbols, version        what there is to follow
--                     prices    symbol, prices          the latest ones, oldest first
--                     price     symbol, price           one more
--
-- Who is cut off by the network for less than a minute (a train in a tunnel) gets every price that
-- it has missed, and need not follow anything anew: `resume`, and `on_resume` below.
local M = {
  format = "json",
  limits = { message = 1024, rate = 10, burst = 20 },
  resume = 60,
}

local KEEP = 60 -- prices that a newcomer is shown
local MARKET = { -- where a price starts, and the seconds between two of them
  LUNA = { start = 384.40, every = 0.5 },
  TIDE = { start = 12.42, every = 1 },
  WIRE = { start = 64.55, every = 2 },
}

state.prices = state.prices or {} -- symbol → list, oldest first

local function topic(symbol) return "ticker:" .. symbol end

-- A random step, and a gentle pull back to the start so that no price is lost for ever.
local function next_price(price, start)
  local step = (math.random() - 0.5) * 0.012 * start
  return math.floor((price + step + (start - price) * 0.02) * 100 + 0.5) / 100
end

-- The prices so far; a symbol that was added to the market a moment ago has one.
local function prices_of(symbol)
  local prices = state.prices[symbol] or { MARKET[symbol].start }
  state.prices[symbol] = prices
  return prices
end

for symbol, stock in pairs(MARKET) do
  -- The name makes the timer take the place of the last version's: a reload never leaves two.
  timer.every(topic(symbol), stock.every, function()
    local prices = prices_of(symbol)
    local price = next_price(prices[#prices], stock.start)
    table.insert(prices, price)
    while #prices > KEEP do table.remove(prices, 1) end
    publish(topic(symbol), { type = "price", symbol = symbol, price = price })
  end)
end

function M.on_open(conn)
  local symbols = json.array {}
  for symbol in pairs(MARKET) do table.insert(symbols, symbol) end
  table.sort(symbols)
  conn:send { type = "symbols", symbols = symbols, version = conn.version }
end

-- Its subscriptions are as they were, and what was published meanwhile comes by itself. Only where
-- that was more than `limits.queue` the latest prices are told once more.
function M.on_resume(conn, req)
  if req.resume.missed == 0 then return end
  for symbol in pairs(MARKET) do
    conn:send { type = "prices", symbol = symbol, prices = prices_of(symbol) }
  end
end

-- A new version may have a new market.
timer.after(0, function()
  for conn in connections() do M.on_open(conn) end
end)

function M.on_message(conn, message)
  local symbol = type(message) == "table" and message.symbol
  if not MARKET[symbol] then return end -- what does not exist cannot be followed
  if message.type == "follow" then
    conn:subscribe(topic(symbol))
    conn:send { type = "prices", symbol = symbol, prices = prices_of(symbol) }
  elseif message.type == "unfollow" then
    conn:unsubscribe(topic(symbol))
  end
end

return M
