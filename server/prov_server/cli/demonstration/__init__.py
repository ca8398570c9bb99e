"""`prov demo`: a real MCP client does an assistant's main job, and a person watches. `play.play` runs it."""
