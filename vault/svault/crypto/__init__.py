"""Who computes ML-KEM and ML-DSA: one interface (`base`), an adapter a module."""
