"""The audit: every request and response to every enabled device, before anything is answered; and the signed hash chain."""
