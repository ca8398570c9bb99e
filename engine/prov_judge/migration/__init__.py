"""How to get from what runs today to what is wanted: ordered steps, what they touch, what they risk, and the way back."""
