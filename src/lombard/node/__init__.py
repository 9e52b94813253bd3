"""One process: stamps commands, makes them durable, applies them, and answers."""
