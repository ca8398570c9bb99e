"""The vault on the server's side: opened when it is first needed, shared with other processes, and its one-time pages."""
