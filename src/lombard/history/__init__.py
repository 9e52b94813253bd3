"""What happened, in SQL: derived from the events, and made again from the log when lost."""
