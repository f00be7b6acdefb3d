"""Pictures of the README, made from real runs."""
