"""Sentences that several engines answer with."""

TIDY_STARTED = "Tidy operation successfully started. Any information from the operation will be printed to the server's log."
