"""Who may do what: ACL policies as Vault has them, and Cedar policies beside them."""
