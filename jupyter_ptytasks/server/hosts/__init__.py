"""Links to ptyhosts, and the supervisor that keeps them."""
