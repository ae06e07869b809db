-- SPDX-License-Identifier: ISC
-- The conversation as a service of HAProxy's. GREETING and REPLY come from the
-- environment; without them it is an echo.

local greeting, reply = os.getenv("GREETING"), os.getenv("REPLY")

core.register_service("talk", "tcp", function(applet)
	if greeting then
		applet:send(greeting)
	end
	while true do
		local data = applet:getline()
		if data == nil or #data == 0 then
			return
		end
		applet:send(reply or data)
	end
end)
