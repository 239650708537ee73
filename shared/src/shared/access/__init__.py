"""Who may do what: one model of keys for every port."""
