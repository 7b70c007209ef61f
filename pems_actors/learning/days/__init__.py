"""Days as people live them: sheets of local days, and what is usual in them."""
