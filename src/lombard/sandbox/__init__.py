"""An exchange in which the clock, the prices and the deposits are in the user's hand."""
