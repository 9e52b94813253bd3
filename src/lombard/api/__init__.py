"""The wire: REST in the v2 dialect, and Lombard's own additions beside it."""
