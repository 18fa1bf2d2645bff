"""What the system does, one file per verb; alone brings the other rooms together."""
